import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AMOUNT_MINOR_MAX, roundedQuotient } from './money.ts';
import {
	grossMinor,
	netMinor,
	parseTaxTerms,
	taxMinor,
	taxOf,
	type LineTax,
	type TaxBase,
	type TaxTerms
} from './tax.ts';

const GST18: TaxTerms = {
	mode: 'exclusive',
	taxClass: 'gst18',
	parts: [
		{ name: 'CGST', ratePpm: 90_000 },
		{ name: 'SGST', ratePpm: 90_000 }
	]
};
const VAT20: TaxTerms = {
	mode: 'inclusive',
	taxClass: 'standard',
	parts: [{ name: 'VAT', ratePpm: 200_000 }]
};
const NEW_YORK: TaxTerms = {
	mode: 'exclusive',
	taxClass: 'general',
	parts: [
		{ name: 'State', ratePpm: 43_750 },
		{ name: 'City', ratePpm: 45_000 }
	]
};
const NONE: TaxTerms = { mode: 'none' };

const amountsOf = (tax: LineTax) =>
	tax.mode === 'none' ? [] : tax.parts.map((part) => part.minor);

describe('taxOf', () => {
	it('[TAX-1] charges nothing where nothing is set', () => {
		expect(taxOf([{ totalMinor: 999, terms: NONE }], 'line')).toEqual([{ mode: 'none' }]);
		expect(grossMinor(999, NONE)).toBe(999);
		expect(netMinor(999, NONE)).toBe(999);
	});

	it('[TAX-2] adds exclusive taxes to the price, each rounded for itself', () => {
		const [tax] = taxOf([{ totalMinor: 1_005, terms: GST18 }], 'line');
		expect(tax).toEqual({
			mode: 'exclusive',
			taxClass: 'gst18',
			parts: [
				{ name: 'CGST', ratePpm: 90_000, minor: 90 },
				{ name: 'SGST', ratePpm: 90_000, minor: 90 }
			]
		});
		expect(grossMinor(1_005, tax ?? NONE)).toBe(1_185);
		expect(netMinor(1_005, tax ?? NONE)).toBe(1_005);
	});

	it('[TAX-2] takes inclusive taxes out of the price, so that the price stays', () => {
		const [tax] = taxOf([{ totalMinor: 1_000, terms: VAT20 }], 'line');
		expect(amountsOf(tax ?? NONE)).toEqual([167]);
		expect(grossMinor(1_000, tax ?? NONE)).toBe(1_000);
		expect(netMinor(1_000, tax ?? NONE)).toBe(833);
	});

	it('[TAX-3] knows rates of a thousandth of a per cent', () => {
		expect(taxOf([{ totalMinor: 100_000, terms: NEW_YORK }], 'line').map(amountsOf)).toEqual([
			[4_375, 4_500]
		]);
	});

	it('[TAX-4] rounds on each line, or once for the document by largest remainder', () => {
		const lines = [33, 33, 34].map((totalMinor) => ({ totalMinor, terms: VAT20 }));
		expect(taxOf(lines, 'line').map(amountsOf)).toEqual([[6], [6], [6]]);
		expect(taxOf(lines, 'document').map(amountsOf)).toEqual([[6], [5], [6]]);
	});

	it('[TAX-4] shares one rounding only among lines that are taxed alike', () => {
		const mixed = [
			{ totalMinor: 5, terms: GST18 },
			{ totalMinor: 5, terms: VAT20 },
			{ totalMinor: 7, terms: NONE },
			{ totalMinor: 1, terms: GST18 },
			{ totalMinor: 0, terms: NEW_YORK }
		];
		expect(taxOf(mixed, 'document').map(amountsOf)).toEqual([[1, 1], [1], [], [0, 0], [0, 0]]);
		const onTop: TaxTerms = { ...VAT20, mode: 'exclusive' };
		const bothSides = [VAT20, onTop].map((terms) => ({ totalMinor: 1_000, terms }));
		expect(taxOf(bothSides, 'document').map(amountsOf)).toEqual([[167], [200]]);
	});
});

const parts = fc.uniqueArray(
	fc.record({
		name: fc.constantFrom('VAT', 'CGST', 'SGST', 'City'),
		ratePpm: fc.integer({ min: 0, max: 250_000 })
	}),
	{ selector: ({ name }) => name, maxLength: 4 }
);
const termsOf = fc.oneof(
	fc.constant(NONE),
	fc.record({
		mode: fc.constantFrom('inclusive' as const, 'exclusive' as const),
		taxClass: fc.constant('x'),
		parts
	}),
	fc.constantFrom(VAT20, GST18, NEW_YORK)
);
const bases: fc.Arbitrary<TaxBase[]> = fc.array(
	fc.record({
		totalMinor: fc.oneof(fc.nat(1_000), fc.integer({ min: 0, max: AMOUNT_MINOR_MAX })),
		terms: termsOf
	}),
	{ minLength: 1, maxLength: 30 }
);

describe('laws of tax', () => {
	it('[TAX-5] net and taxes are the gross, on every line and in both roundings', () => {
		fc.assert(
			fc.property(bases, fc.constantFrom('line', 'document'), (lines, rounding) => {
				for (const [index, tax] of taxOf(lines, rounding).entries()) {
					const total = lines[index]?.totalMinor ?? NaN;
					expect(netMinor(total, tax) + taxMinor(tax)).toBe(grossMinor(total, tax));
					expect(amountsOf(tax).every((amount) => amount >= 0)).toBe(true);
				}
			})
		);
	});

	it('[TAX-5] never takes more out of a line than its price when rounding by line', () => {
		fc.assert(
			fc.property(bases, (lines) => {
				for (const [index, tax] of taxOf(lines, 'line').entries())
					expect(netMinor(lines[index]?.totalMinor ?? NaN, tax)).toBeGreaterThanOrEqual(0);
			})
		);
	});

	it('[TAX-4] makes the taxes of a document the rounded tax of its sum', () => {
		const totals = fc.array(fc.nat(100_000), { minLength: 1, maxLength: 50 });
		fc.assert(
			fc.property(totals, fc.integer({ min: 0, max: 1_000_000 }), (amounts, ratePpm) => {
				const terms: TaxTerms = { ...VAT20, parts: [{ name: 'VAT', ratePpm }] };
				const taxes = taxOf(
					amounts.map((totalMinor) => ({ totalMinor, terms })),
					'document'
				);
				const whole = BigInt(amounts.reduce((a, b) => a + b, 0)) * BigInt(ratePpm);
				const charged = taxes.reduce((a, tax) => a + taxMinor(tax), 0);
				expect(BigInt(charged)).toBe(roundedQuotient(whole, 1_000_000n + BigInt(ratePpm)));
			})
		);
	});
});

describe('parseTaxTerms', () => {
	const terms = (...rates: number[]): TaxTerms => ({
		...VAT20,
		parts: rates.map((ratePpm, index) => ({ name: `t${String(index)}`, ratePpm }))
	});

	it('[TAX-6] takes at most eight whole rates of together 100 %, and refuses the rest', () => {
		expect(parseTaxTerms(NONE).ok).toBe(true);
		expect(parseTaxTerms(terms(600_000, 400_000)).ok).toBe(true);
		expect(parseTaxTerms(terms(600_000, 400_001))).toEqual({ ok: false, error: 'rateTooLarge' });
		expect(parseTaxTerms(terms(-1))).toEqual({ ok: false, error: 'rateNegative' });
		expect(parseTaxTerms(terms(0.5))).toEqual({ ok: false, error: 'rateNotWhole' });
		expect(parseTaxTerms(terms(1, 1, 1, 1, 1, 1, 1, 1)).ok).toBe(true);
		expect(parseTaxTerms(terms(1, 1, 1, 1, 1, 1, 1, 1, 1))).toEqual({
			ok: false,
			error: 'tooMany'
		});
		const twice = { ...VAT20, parts: [...VAT20.parts, ...VAT20.parts] };
		expect(parseTaxTerms(twice)).toEqual({ ok: false, error: 'nameTwice' });
	});

	it('[TAX-6] never taxes by other terms, or a negative amount', () => {
		expect(() => taxOf([{ totalMinor: 1, terms: terms(-1) }], 'line')).toThrow('wrong terms');
		expect(() => taxOf([{ totalMinor: -1, terms: VAT20 }], 'line')).toThrow('negative amount');
	});
});
