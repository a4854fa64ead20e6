import { describe, expect, it } from 'vitest';
import { CURRENCIES, currencySettings, exponentOf, parseCurrency } from './currency.ts';

function currency(code: string) {
	const parsed = parseCurrency(code);
	if (!parsed.ok) throw new Error(`no currency ${code}`);
	return parsed.value;
}

describe('parseCurrency', () => {
	it('[MONEY-1] takes the codes in use with a minor unit, and no others', () => {
		expect(CURRENCIES).toHaveLength(165);
		expect(new Set(CURRENCIES).size).toBe(165);
		for (const code of CURRENCIES) expect(parseCurrency(code)).toEqual({ ok: true, value: code });
		for (const code of ['', 'inr', 'INR ', 'XAU', 'XTS', 'DEM', 'HRK', '123', 'constructor'])
			expect(parseCurrency(code)).toEqual({ ok: false, error: 'unknownCurrency' });
	});

	it('[MONEY-1] knows the decimals of each', () => {
		const exponents = ['INR', 'JPY', 'IQD', 'TND', 'CLF', 'XOF'].map((c) =>
			exponentOf(currency(c))
		);
		expect(exponents).toEqual([2, 0, 3, 3, 4, 0]);
	});
});

describe('currencySettings', () => {
	it.each([
		['IQD', 3, 0, 250_000],
		['KES', 2, 0, 100],
		['INR', 2, 2, 100],
		['PEN', 2, 2, 10],
		['GBP', 2, 2, 1],
		['JPY', 0, 0, 1],
		['KWD', 3, 3, 1]
	])('[MONEY-2] starts %s with its own decimals and cash step', (...row) => {
		const [code, exponent, shown, step] = row;
		expect(currencySettings(currency(code))).toEqual({
			currency: code,
			exponent,
			shownDecimals: shown,
			cashStepMinor: step,
			cashRounding: 'nearest'
		});
	});
});
