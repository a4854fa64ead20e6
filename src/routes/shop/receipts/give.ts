import { goto } from '$app/navigation';
import { receiptText, type ReceiptShown } from '#ui/receipt.ts';

/** Hands the receipt to whatever the phone shares with; else it lies in the clipboard. */
export async function shareReceipt(
	receipt: ReceiptShown
): Promise<'shared' | 'copied' | 'dropped'> {
	const text = receiptText(receipt);
	if (!canShare(navigator)) {
		await navigator.clipboard.writeText(text);
		return 'copied';
	}
	try {
		await navigator.share({ title: receipt.number, text });
		return 'shared';
	} catch (fault) {
		if (fault instanceof DOMException && fault.name === 'AbortError') return 'dropped';
		throw fault;
	}
}

/** Opens the receipt's page, which prints itself as a strip of paper. */
export function printReceipt(number: string): void {
	void goto(`/shop/receipts/${number}?print`);
}

/** Firefox on a desktop shares nothing. */
function canShare(browser: Partial<Navigator>): boolean {
	return browser.share !== undefined;
}
