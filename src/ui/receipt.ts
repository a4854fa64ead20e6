/** A receipt as it is shown, shared and printed: everything already written. */
export interface ReceiptShown {
	readonly shop: string;
	readonly number: string;
	readonly when: string;
	readonly lines: readonly ReceiptLineShown[];
	/** Total, cash, change, on account: each a word and a figure. */
	readonly sums: readonly ReceiptSumShown[];
	readonly currency: string;
	/** Below the sums: whose debt it is, what it is a return of. */
	readonly notes: readonly string[];
}

export interface ReceiptLineShown {
	readonly quantity: string;
	readonly name: string;
	readonly total: string;
}

export interface ReceiptSumShown {
	readonly word: string;
	readonly amount: string;
	readonly isTotal: boolean;
}

/** The receipt as plain text, for a message to the customer. */
export function receiptText(receipt: ReceiptShown): string {
	const { shop, number, when, currency } = receipt;
	const lines = receipt.lines.map(({ quantity, name, total }) => `${quantity} × ${name}: ${total}`);
	const sums = receipt.sums.map(({ word, amount, isTotal }) =>
		isTotal ? `${word}: ${currency} ${amount}` : `${word}: ${amount}`
	);
	return [shop, `${number} · ${when}`, '', ...lines, '', ...sums, ...receipt.notes].join('\n');
}
