import type { Book, ReceiptWithReturns } from '#state/book.ts';

export interface FoundReceipt {
	/** Undefined where this device has no such receipt. */
	readonly receipt: ReceiptWithReturns | undefined;
	/** Whose account it went on. */
	readonly customerName: string | undefined;
	/** What may still come back of each line, thousandths by its place. */
	readonly leftThousandths: readonly number[];
}

/** A receipt with all that its pages say of it. */
export async function findReceipt(book: Book, number: string): Promise<FoundReceipt> {
	const receipt = await book.receipt(number);
	const customer = receipt?.ledger === undefined ? undefined : await book.customer(receipt.ledger);
	const leftThousandths = (receipt?.fact.lines ?? []).map((line, place) =>
		Math.max(0, line.quantityThousandths - (receipt?.returnedThousandths[place] ?? 0))
	);
	return { receipt, customerName: customer?.name, leftThousandths };
}
