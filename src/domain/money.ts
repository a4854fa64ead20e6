import { assert } from './assert.ts';
import type { Currency } from './currency.ts';
import { err, ok, type Result } from './result.ts';

/** The largest amount that one act may name, in minor units of any currency: 10¹³. */
export const AMOUNT_MINOR_MAX = 10_000_000_000_000;

/** A whole number of minor units (paise, cents) of one currency. Never a float. */
export interface Money {
	readonly currency: Currency;
	readonly minor: number;
}

export function money(currency: Currency, minor: number): Money {
	assert(Number.isSafeInteger(minor), `not a whole number of minor units: ${String(minor)}`);
	return { currency, minor };
}

/** Adds two amounts of one currency; amounts of two currencies are never added. */
export function add(a: Money, b: Money): Money {
	assert(a.currency === b.currency, `cannot add ${b.currency} to ${a.currency}`);
	return money(a.currency, a.minor + b.minor);
}

export function sum(currency: Currency, amounts: readonly Money[]): Money {
	return amounts.reduce(add, money(currency, 0));
}

/** Sums minor units (or thousandths) for a fold, where a crowd of large amounts leaves `number`. */
export function sumMinor(amounts: Iterable<number>): bigint {
	let total = 0n;
	for (const amount of amounts) total += BigInt(amount);
	return total;
}

/** Splits `total` in proportion to `weights`, as `allocateMinor` does. */
export function allocate(total: Money, weights: readonly number[]): Money[] {
	return allocateMinor(total.minor, weights).map((part) => money(total.currency, part));
}

/**
 * Splits `totalMinor` in proportion to `weights`, losing nothing: the parts sum to the whole.
 *
 * Each part is the exact share rounded toward zero; the minor units left over go one each to the
 * parts with the largest remainder, the earlier part first, so that two devices agree. Weights are
 * whole and not negative, and one of them is above zero.
 */
export function allocateMinor(totalMinor: number, weights: readonly number[]): number[] {
	for (const weight of weights) assert(Number.isSafeInteger(weight) && weight >= 0, 'bad weight');
	const weightTotal = sumMinor(weights);
	assert(weightTotal > 0n, 'no weight to allocate by');

	const step = totalMinor < 0 ? -1 : 1;
	const shares = weights.map((weight, index) => {
		const exact = BigInt(Math.abs(totalMinor)) * BigInt(weight);
		return { index, floor: Number(exact / weightTotal), remainder: exact % weightTotal };
	});
	const leftover = Math.abs(totalMinor) - Number(sumMinor(shares.map((share) => share.floor)));

	const byRemainder = shares.toSorted((a, b) => {
		if (a.remainder === b.remainder) return a.index - b.index;
		return a.remainder > b.remainder ? -1 : 1;
	});
	const lucky = new Set(byRemainder.slice(0, leftover).map((share) => share.index));
	// `+ 0` because a part of nothing of a negative total must be 0, not -0.
	const parts = shares.map(({ index, floor }) => step * (floor + (lucky.has(index) ? 1 : 0)) + 0);

	assert(sumMinor(parts) === BigInt(totalMinor), 'allocation lost or made money');
	return parts;
}

/**
 * What `quantityThousandths` cost at `unitPriceMinor` each: the exact product, rounded once, half
 * away from zero, to the minor unit. Refuses a total above `AMOUNT_MINOR_MAX` on either side.
 */
export function timesQuantity(
	unitPriceMinor: number,
	quantityThousandths: number
): Result<number, 'tooLarge'> {
	const total = roundedQuotient(BigInt(unitPriceMinor) * BigInt(quantityThousandths), 1000n);
	if (total > AMOUNT_MINOR_MAX || total < -AMOUNT_MINOR_MAX) return err('tooLarge');
	return ok(Number(total));
}

/** `dividend / divisor`, rounded half away from zero. The divisor is above zero. */
export function roundedQuotient(dividend: bigint, divisor: bigint): bigint {
	assert(divisor > 0n, 'division by nothing');
	const size = dividend < 0n ? -dividend : dividend;
	const rounded = (2n * size + divisor) / (2n * divisor);
	return dividend < 0n ? -rounded : rounded;
}
