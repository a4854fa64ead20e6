import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
	CURRENCIES,
	currencySettings,
	type CashRounding,
	type Currency
} from '#domain/currency.ts';
import { AMOUNT_MINOR_MAX } from '#domain/money.ts';
import { cashToGive, cashToPay, quickCash } from './cash.ts';

const settings = (code: string) => currencySettings(code as Currency);
const PEN = settings('PEN');

describe('cash rounding', () => {
	it.each<[CashRounding, number, number]>([
		['nearest', 104, 100],
		['nearest', 105, 110],
		['nearest', 110, 110],
		['down', 109, 100],
		['up', 101, 110],
		['up', 110, 110]
	])('[TENDER-4] rounds to the cash step: %s %i is %i', (cashRounding, exact, cash) => {
		const sum = { cashMinor: cash, roundingMinor: cash - exact };
		expect(cashToPay(exact, { ...PEN, cashRounding })).toEqual(sum);
		expect(cashToGive(exact, { ...PEN, cashRounding })).toEqual(sum);
	});

	it('[TENDER-5] asks at least one step for what is not free, and gives nothing back for less', () => {
		expect(cashToPay(2, PEN)).toEqual({ cashMinor: 10, roundingMinor: 8 });
		expect(cashToPay(9, { ...PEN, cashRounding: 'down' })).toEqual({
			cashMinor: 10,
			roundingMinor: 1
		});
		expect(cashToPay(0, PEN)).toEqual({ cashMinor: 0, roundingMinor: 0 });
		expect(cashToGive(2, PEN)).toEqual({ cashMinor: 0, roundingMinor: -2 });
	});

	it('[TENDER-4] has no cash of less than nothing', () => {
		expect(() => cashToGive(-1, PEN)).toThrow('less than nothing');
		expect(() => cashToPay(1, { ...PEN, cashStepMinor: 0 })).toThrow('no cash step');
	});
});

describe('quickCash', () => {
	it.each<[string, number, number[]]>([
		['INR', 43_700, [43_700, 45_000, 50_000, 100_000]],
		['INR', 43_740, [43_700, 45_000, 50_000, 100_000]],
		['GBP', 1_240, [1_240, 1_500, 2_000, 5_000]],
		['GBP', 320, [320, 400, 500, 1_000]],
		['GBP', 80, [80, 100, 200, 500]],
		['GBP', 99_999, [99_999, 100_000, 200_000, 500_000]],
		['KES', 100_000, [100_000, 200_000, 500_000, 1_000_000]],
		['IQD', 3_750_000, [3_750_000, 4_000_000, 5_000_000, 10_000_000]],
		['IQD', 250_000, [250_000, 500_000, 1_000_000, 2_500_000]],
		['JPY', 1, [1, 2, 5, 10]],
		['GBP', 0, []]
	])('[TENDER-6] offers for %s %i what people hand over', (code, due, offered) => {
		expect(quickCash(due, settings(code))).toEqual(offered);
	});

	it('[TENDER-6] offers the exact sum first, then rising sums that can be paid', () => {
		const currencies = fc.constantFrom(...CURRENCIES).map(currencySettings);
		const amounts = fc.oneof(fc.nat(100_000), fc.integer({ min: 1, max: AMOUNT_MINOR_MAX / 10 }));
		fc.assert(
			fc.property(currencies, amounts, (currency, exact) => {
				fc.pre(exact > 0);
				const sums = quickCash(exact, currency);
				expect(sums[0]).toBe(cashToPay(exact, currency).cashMinor);
				expect(sums.length).toBe(4);
				expect(sums).toEqual([...new Set(sums)].sort((a, b) => a - b));
				expect(sums.every((sum) => sum % currency.cashStepMinor === 0)).toBe(true);
			})
		);
	});
});
