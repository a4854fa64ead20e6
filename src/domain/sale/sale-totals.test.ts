import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AMOUNT_MINOR_MAX } from '#domain/money.ts';
import { grossMinor, type LineTax, type TaxTerms } from '#domain/tax.ts';
import { ringUp } from './line.ts';
import { saleTotals } from './sale-totals.ts';

const tax = (mode: 'inclusive' | 'exclusive', name: string, minor: number): LineTax => ({
	mode,
	taxClass: name,
	parts: [{ name, ratePpm: 100_000, minor }]
});

describe('saleTotals', () => {
	it('[SALE-3] adds inclusive, exclusive and untaxed lines, and each tax once', () => {
		const lines = [
			{ totalMinor: 1_100, tax: tax('inclusive', 'VAT', 100) },
			{ totalMinor: 500, tax: tax('exclusive', 'City', 50) },
			{ totalMinor: 1_000, tax: tax('exclusive', 'VAT', 100) },
			{ totalMinor: 7, tax: { mode: 'none' } as const }
		];
		expect(saleTotals(lines)).toEqual({
			ok: true,
			value: {
				netMinor: 2_507,
				taxMinor: 250,
				totalMinor: 2_757,
				taxes: [
					{ name: 'VAT', ratePpm: 100_000, minor: 200 },
					{ name: 'City', ratePpm: 100_000, minor: 50 }
				]
			}
		});
	});

	it('[SALE-3] is nothing for no lines', () => {
		const nothing = { netMinor: 0, taxMinor: 0, totalMinor: 0, taxes: [] };
		expect(saleTotals([])).toEqual({ ok: true, value: nothing });
	});

	it('[SALE-4] refuses a total above the limit, and takes the limit', () => {
		const none: LineTax = { mode: 'none' };
		const full = { totalMinor: AMOUNT_MINOR_MAX, tax: none };
		expect(saleTotals([full])).toMatchObject({ ok: true });
		expect(saleTotals([full, { totalMinor: 1, tax: none }])).toEqual({
			ok: false,
			error: 'tooLarge'
		});
		const taxed = { totalMinor: AMOUNT_MINOR_MAX, tax: tax('exclusive', 'VAT', 1) };
		expect(saleTotals([taxed])).toEqual({ ok: false, error: 'tooLarge' });
	});

	it('[SALE-3] makes the parts of any cart sum to the whole', () => {
		const terms = fc.constantFrom<TaxTerms>(
			{ mode: 'none' },
			{ mode: 'inclusive', taxClass: 'a', parts: [{ name: 'VAT', ratePpm: 150_000 }] },
			{
				mode: 'exclusive',
				taxClass: 'b',
				parts: [
					{ name: 'State', ratePpm: 43_750 },
					{ name: 'City', ratePpm: 45_000 }
				]
			}
		);
		const drafts = fc.array(
			fc.record({
				name: fc.constant('x'),
				unitPriceMinor: fc.nat(100_000),
				quantityThousandths: fc.integer({ min: 1, max: 20_000 }),
				taxTerms: terms
			}),
			{ minLength: 1, maxLength: 40 }
		);
		fc.assert(
			fc.property(drafts, fc.constantFrom('line', 'document'), (cart, rounding) => {
				const lines = ringUp(cart, rounding);
				if (!lines.ok) throw new Error(lines.error.kind);
				const totals = saleTotals(lines.value);
				if (!totals.ok) throw new Error(totals.error);
				const { netMinor, taxMinor, totalMinor, taxes } = totals.value;
				const gross = lines.value.reduce((a, line) => a + grossMinor(line.totalMinor, line.tax), 0);
				expect(netMinor + taxMinor).toBe(totalMinor);
				expect(totalMinor).toBe(gross);
				expect(taxes.reduce((a, { minor }) => a + minor, 0)).toBe(taxMinor);
			})
		);
	});
});
