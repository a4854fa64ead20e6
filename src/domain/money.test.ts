import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Currency } from './currency.ts';
import {
	add,
	allocate,
	allocateMinor,
	AMOUNT_MINOR_MAX,
	money,
	roundedQuotient,
	sum,
	sumMinor,
	timesQuantity
} from './money.ts';

const INR = 'INR' as Currency;
const inr = (minor: number) => money(INR, minor);

const amounts = fc.integer({ min: -AMOUNT_MINOR_MAX, max: AMOUNT_MINOR_MAX });
const weightLists = fc
	.array(fc.nat(1_000_000), { minLength: 1, maxLength: 50 })
	.filter((weights) => weights.some((weight) => weight > 0));

describe('money', () => {
	it('[MONEY-3] is whole and of one currency', () => {
		expect(() => inr(0.5)).toThrow('not a whole number');
		expect(() => inr(2 ** 53)).toThrow('not a whole number');
		expect(() => add(inr(1), money('KES' as Currency, 1))).toThrow('cannot add KES to INR');
		expect(sum(INR, [inr(1), inr(2), inr(-4)])).toEqual(inr(-1));
	});

	it('[MONEY-8] sums any number of the largest amounts without rounding', () => {
		const many = Array.from({ length: 1_001 }, () => AMOUNT_MINOR_MAX - 1);
		expect(sumMinor(many)).toBe(10_009_999_999_998_999n);
		expect(sumMinor([])).toBe(0n);
	});
});

describe('allocate', () => {
	it('[MONEY-4] gives the leftover paise to the largest remainders, the earlier first', () => {
		expect(allocate(inr(100), [1, 1, 1])).toEqual([inr(34), inr(33), inr(33)]);
		expect(allocate(inr(-100), [1, 1, 1])).toEqual([inr(-34), inr(-33), inr(-33)]);
		expect(allocateMinor(10, [1, 2, 4])).toEqual([1, 3, 6]);
	});

	it('[MONEY-5] neither loses nor makes money', () => {
		fc.assert(
			fc.property(amounts, weightLists, (minor, weights) => {
				expect(sum(INR, allocate(inr(minor), weights))).toEqual(inr(minor));
			})
		);
	});

	it('[MONEY-5] keeps every part within one minor unit of its exact share', () => {
		fc.assert(
			fc.property(amounts, weightLists, (minor, weights) => {
				const whole = sumMinor(weights);
				for (const [index, part] of allocateMinor(minor, weights).entries()) {
					const off = BigInt(part) * whole - BigInt(minor) * BigInt(weights[index] ?? 0);
					expect(off < whole && off > -whole).toBe(true);
				}
			})
		);
	});

	it('[MONEY-6] gives a weight of zero nothing', () => {
		fc.assert(
			fc.property(amounts, fc.integer({ min: 1, max: 1_000 }), (minor, weight) => {
				expect(allocateMinor(minor, [0, weight, 0])).toEqual([0, minor, 0]);
			})
		);
	});

	it('[MONEY-6] has nothing to say without a weight, or with a negative one', () => {
		expect(() => allocateMinor(5, [])).toThrow('no weight');
		expect(() => allocateMinor(5, [0, 0])).toThrow('no weight');
		expect(() => allocateMinor(5, [2, -1])).toThrow('bad weight');
	});
});

describe('timesQuantity', () => {
	it.each([
		[255, 6_000, 1530],
		[5, 500, 3],
		[-5, 500, -3],
		[1, 499, 0],
		[1, 500, 1],
		[333, 333, 111],
		[0, 80_995_000, 0],
		[1, AMOUNT_MINOR_MAX * 100, AMOUNT_MINOR_MAX / 10]
	])('[MONEY-7] rounds %i × %i thousandths once, to %i', (price, quantity, total) => {
		expect(timesQuantity(price, quantity)).toEqual({ ok: true, value: total });
	});

	it('[MONEY-9] refuses a total above the limit, and takes the limit', () => {
		expect(timesQuantity(AMOUNT_MINOR_MAX, 1_000).ok).toBe(true);
		expect(timesQuantity(-AMOUNT_MINOR_MAX, 1_000).ok).toBe(true);
		expect(timesQuantity(AMOUNT_MINOR_MAX, 1_001)).toEqual({ ok: false, error: 'tooLarge' });
		expect(timesQuantity(-AMOUNT_MINOR_MAX, 1_001)).toEqual({ ok: false, error: 'tooLarge' });
		expect(timesQuantity(AMOUNT_MINOR_MAX, 10_000_000_000).ok).toBe(false);
	});

	it('[MONEY-7] is never half a minor unit off, and is odd about zero', () => {
		fc.assert(
			fc.property(
				fc.maxSafeInteger(),
				fc.integer({ min: 1, max: 2 ** 40 }),
				(dividend, divisor) => {
					const [a, b] = [BigInt(dividend), BigInt(divisor)];
					const rounded = roundedQuotient(a, b);
					const off = 2n * (rounded * b - a);
					expect(off <= b && off >= -b).toBe(true);
					expect(roundedQuotient(-a, b)).toBe(-rounded);
				}
			)
		);
	});
});
