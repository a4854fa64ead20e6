import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AMOUNT_MINOR_MAX } from '#domain/money.ts';
import { QUANTITY_THOUSANDTHS_MAX } from '#domain/quantity.ts';
import type { TaxTerms } from '#domain/tax.ts';
import { lineTotal, ringUp, SALE_LINES_MAX, type LineDraft, type LineRefusal } from './line.ts';

const VAT20: TaxTerms = {
	mode: 'inclusive',
	taxClass: 'standard',
	parts: [{ name: 'VAT', ratePpm: 200_000 }]
};
const tea: LineDraft = {
	productId: 'A-7',
	name: 'Tea',
	quantityThousandths: 2_000,
	unitPriceMinor: 600,
	taxTerms: VAT20
};

describe('ringUp', () => {
	it('[SALE-1] rounds the total of a line once, and stores it with its tax', () => {
		expect(ringUp([tea], 'line')).toEqual({
			ok: true,
			value: [
				{
					productId: 'A-7',
					name: 'Tea',
					quantityThousandths: 2_000,
					unitPriceMinor: 600,
					totalMinor: 1_200,
					tax: {
						mode: 'inclusive',
						taxClass: 'standard',
						parts: [{ name: 'VAT', ratePpm: 200_000, minor: 200 }]
					}
				}
			]
		});
	});

	it('[SALE-1] takes an amount alone, a weight and a price of zero', () => {
		const drafts: LineDraft[] = [
			{
				name: 'Amount',
				quantityThousandths: 1_000,
				unitPriceMinor: 75,
				taxTerms: { mode: 'none' }
			},
			{ ...tea, quantityThousandths: 333, unitPriceMinor: 101, taxTerms: { mode: 'none' } },
			{ ...tea, unitPriceMinor: 0 }
		];
		const lines = ringUp(drafts, 'line');
		expect(lines.ok && lines.value.map((line) => line.totalMinor)).toEqual([75, 34, 0]);
		expect(lines.ok && lines.value[0]).not.toHaveProperty('productId');
	});

	it('[SALE-2] refuses an empty cart, one too long, and names the first wrong line', () => {
		const many = (count: number) => Array.from({ length: count }, () => tea);
		expect(ringUp([], 'line')).toEqual({ ok: false, error: { kind: 'noLines' } });
		expect(ringUp(many(SALE_LINES_MAX), 'document').ok).toBe(true);
		expect(ringUp(many(SALE_LINES_MAX + 1), 'line')).toEqual({
			ok: false,
			error: { kind: 'tooManyLines', linesMax: SALE_LINES_MAX }
		});
		const wrong = { ...tea, quantityThousandths: 0 };
		expect(ringUp([tea, wrong, { ...tea, unitPriceMinor: -1 }], 'line')).toEqual({
			ok: false,
			error: { kind: 'quantityNotPositive', lineIndex: 1 }
		});
	});

	it.each<[Partial<LineDraft>, LineRefusal]>([
		[{ unitPriceMinor: 0.5 }, 'priceNotWhole'],
		[{ unitPriceMinor: NaN, quantityThousandths: -1 }, 'priceNotWhole'],
		[{ unitPriceMinor: -1 }, 'priceNegative'],
		[{ unitPriceMinor: AMOUNT_MINOR_MAX + 1 }, 'priceTooLarge'],
		[{ quantityThousandths: 1.5 }, 'quantityNotWhole'],
		[{ quantityThousandths: -1_000 }, 'quantityNotPositive'],
		[{ quantityThousandths: QUANTITY_THOUSANDTHS_MAX + 1 }, 'quantityTooLarge'],
		[{ unitPriceMinor: AMOUNT_MINOR_MAX, quantityThousandths: 1_001 }, 'totalTooLarge'],
		[{ taxTerms: { ...VAT20, parts: [{ name: 'x', ratePpm: -10 }] } }, 'wrongTaxTerms']
	])('[SALE-2] refuses %j as %s', (wrong, refusal) => {
		expect(lineTotal({ ...tea, ...wrong })).toEqual({ ok: false, error: refusal });
	});

	it('[SALE-2] answers any whole numbers within the limits', () => {
		const prices = fc.integer({ min: 0, max: AMOUNT_MINOR_MAX });
		const quantities = fc.integer({ min: 1, max: QUANTITY_THOUSANDTHS_MAX });
		fc.assert(
			fc.property(prices, quantities, (unitPriceMinor, quantityThousandths) => {
				const total = lineTotal({ ...tea, unitPriceMinor, quantityThousandths });
				const isTooLarge =
					BigInt(unitPriceMinor) * BigInt(quantityThousandths) >=
					1_000n * BigInt(AMOUNT_MINOR_MAX) + 500n;
				expect(total.ok).toBe(!isTooLarge);
			})
		);
	});
});
