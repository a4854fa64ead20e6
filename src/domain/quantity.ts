import { assert } from './assert.ts';
import { err, ok, type Result } from './result.ts';

/** Quantities are whole thousandths of the product's unit: 1,000 is one piece, 250 is 250 g. */
export const THOUSANDTHS = 1_000;

/** The largest quantity that one act may name: ten million units. */
export const QUANTITY_THOUSANDTHS_MAX = 10_000_000 * THOUSANDTHS;

export type QuantityRefusal = 'notWhole' | 'notPositive' | 'tooLarge';

/** Checks a quantity that is sold, returned or received: above zero, thousandths. */
export function parseThousandths(quantity: number): Result<number, QuantityRefusal> {
	if (!Number.isSafeInteger(quantity)) return err('notWhole');
	if (quantity <= 0) return err('notPositive');
	if (quantity > QUANTITY_THOUSANDTHS_MAX) return err('tooLarge');
	return ok(quantity);
}

/** `pieces` whole units as thousandths. */
export function pieces(count: number): number {
	assert(Number.isSafeInteger(count), `not a whole number of pieces: ${String(count)}`);
	return count * THOUSANDTHS;
}

/** Whether it can be counted in whole pieces, as goods sold by the unit must. */
export function isWholePieces(quantityThousandths: number): boolean {
	return quantityThousandths % THOUSANDTHS === 0;
}
