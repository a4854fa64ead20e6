import { expect, it } from 'vitest';
import type { Receipt } from './book.ts';
import { oftenSold } from './often.ts';

/** As much of a receipt as is counted. */
function receipt(kind: 'sale' | 'return', products: readonly (string | null)[]): Receipt {
	return {
		fact: { kind, lines: products.map((productId) => ({ productId })) }
	} as unknown as Receipt;
}

it('[TILL-1] counts the sales that a product stands on, not its lines, its returns or bare amounts', () => {
	const receipts = [
		receipt('sale', ['A-1', 'A-1', 'A-2', null]),
		receipt('sale', ['A-2']),
		receipt('sale', ['A-3', 'A-2']),
		receipt('return', ['A-3', 'A-1']),
		receipt('sale', ['A-1.1'])
	];
	expect(oftenSold(receipts, 3)).toEqual(['A-2', 'A-1', 'A-1.1']);
	expect(oftenSold([], 3)).toEqual([]);
});
