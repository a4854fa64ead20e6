import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { currencySettings, type Currency, type CurrencySettings } from '#domain/currency.ts';
import type { TaxRounding, TaxTerms } from '#domain/tax.ts';
import { ringUp, type LineDraft, type SaleLine } from './line.ts';
import {
	refundOf,
	refundWithoutReceipt,
	returnable,
	returnOf,
	type ReturnedLine,
	type SaleReturn,
	type SoldSale
} from './return.ts';
import { saleTotals } from './sale-totals.ts';
import { settle } from './tender.ts';

const GBP = currencySettings('GBP' as Currency);
const IQD = currencySettings('IQD' as Currency);
const NONE: TaxTerms = { mode: 'none' };

interface Sold {
	readonly drafts: readonly LineDraft[];
	readonly rounding: TaxRounding;
	/** The part of the total in 0 to 1 that is put on account. */
	readonly onAccount: number;
	readonly settings: CurrencySettings;
}

function sell({ drafts, rounding, onAccount, settings }: Sold): SoldSale {
	const lines = ringUp(drafts, rounding);
	if (!lines.ok) throw new Error(lines.error.kind);
	const totals = saleTotals(lines.value);
	if (!totals.ok) throw new Error(totals.error);

	const total = totals.value.totalMinor;
	const credit = Math.round(total * onAccount);
	const onCredit = { kind: 'account', minor: credit } as const;
	const inCash = { kind: 'cash', minor: total - credit + 1_000_000 } as const;
	const tenders = [...(credit > 0 ? [onCredit] : []), ...(credit < total ? [inCash] : [])];
	const settlement = settle(total, tenders, settings);
	if (!settlement.ok) throw new Error(settlement.error.kind);
	return { lines: lines.value, ...settlement.value };
}

const draft = (pieces: number, unitPriceMinor: number, taxTerms = NONE): LineDraft => ({
	name: 'x',
	quantityThousandths: pieces * 1_000,
	unitPriceMinor,
	taxTerms
});
const onePiece = { lineIndex: 0, quantityThousandths: 1_000 };
const sweets = sell({
	drafts: [draft(3, 333)],
	rounding: 'line',
	onAccount: 0,
	settings: GBP
});

function taken(result: ReturnType<typeof returnOf>): SaleReturn {
	if (!result.ok) throw new Error(result.error.kind);
	return result.value;
}

describe('refundOf', () => {
	const line: SaleLine = {
		name: 'Six eggs',
		quantityThousandths: 6_000,
		unitPriceMinor: 0,
		totalMinor: 100,
		tax: {
			mode: 'exclusive',
			taxClass: 'a',
			parts: [{ name: 'VAT', ratePpm: 100_000, minor: 10 }]
		}
	};

	it('[SALE-5] gives a piece its rounded share, and the last piece the rest', () => {
		const parts: ReturnedLine[] = [];
		for (let piece = 0; piece < 6; piece += 1) {
			const refund = refundOf(line, 1_000, parts);
			if (!refund.ok) throw new Error(refund.error.kind);
			parts.push({ lineIndex: 0, ...refund.value });
		}
		expect(parts.map((part) => part.totalMinor)).toEqual([17, 16, 17, 17, 16, 17]);
		const taxes = parts.map(({ tax }) => tax.mode !== 'none' && tax.parts[0]?.minor);
		expect(taxes).toEqual([2, 1, 2, 2, 1, 2]);
		expect(refundOf(line, 1, parts)).toEqual({
			ok: false,
			error: { kind: 'moreThanLeft', leftThousandths: 0 }
		});
	});

	it('[SALE-6] refuses a quantity that is not there', () => {
		expect(refundOf(line, 6_001, [])).toEqual({
			ok: false,
			error: { kind: 'moreThanLeft', leftThousandths: 6_000 }
		});
		expect(refundOf(line, 0, [])).toEqual({ ok: false, error: { kind: 'quantityNotPositive' } });
		expect(refundOf(line, 0.5, [])).toEqual({ ok: false, error: { kind: 'quantityNotWhole' } });
		expect(refundOf(line, 1e15, [])).toMatchObject({ error: { kind: 'moreThanLeft' } });
	});

	it('[SALE-6] gives no more than was paid where two devices took pieces back apart', () => {
		const apart = { lineIndex: 0, quantityThousandths: 4_000, totalMinor: 67, tax: line.tax };
		expect(refundOf(line, 1_000, [apart, apart])).toMatchObject({
			error: { kind: 'moreThanLeft', leftThousandths: 0 }
		});
		const dear = { ...apart, totalMinor: 100 };
		expect(refundOf(line, 1_000, [dear])).toMatchObject({ ok: true, value: { totalMinor: 0 } });
	});
});

describe('returnOf', () => {
	it('[SALE-7] lowers the debt first, then gives cash', () => {
		const sale = sell({
			drafts: [draft(10, 100)],
			rounding: 'line',
			onAccount: 0.25,
			settings: GBP
		});
		const first = taken(
			returnOf(sale, [{ lineIndex: 0, quantityThousandths: 3_000 }], { earlier: [], settings: GBP })
		);
		expect(first).toMatchObject({ totalMinor: 300, creditMinor: 250, cashMinor: 50 });
		const second = taken(returnOf(sale, [onePiece], { earlier: [first], settings: GBP }));
		expect(second).toMatchObject({ totalMinor: 100, creditMinor: 0, cashMinor: 100 });
		const little = taken(returnOf(sale, [onePiece], { earlier: [], settings: GBP }));
		expect(little).toMatchObject({ creditMinor: 100, cashMinor: 0, cashRoundingMinor: 0 });
	});

	it('[SALE-8] brings the cash rounding back with the last part', () => {
		const sale = sell({
			drafts: [draft(2, 550_000)],
			rounding: 'line',
			onAccount: 0,
			settings: IQD
		});
		expect(sale).toMatchObject({ cashKeptMinor: 1_000_000, cashRoundingMinor: -100_000 });
		const first = taken(returnOf(sale, [onePiece], { earlier: [], settings: IQD }));
		expect(first).toMatchObject({
			totalMinor: 550_000,
			cashMinor: 500_000,
			cashRoundingMinor: -50_000
		});
		const last = taken(returnOf(sale, [onePiece], { earlier: [first], settings: IQD }));
		expect(last).toMatchObject({
			totalMinor: 550_000,
			cashMinor: 500_000,
			cashRoundingMinor: -50_000
		});
	});

	it('[SALE-8] does not let ten small parts round away', () => {
		const sale = sell({
			drafts: [draft(10, 100_000)],
			rounding: 'line',
			onAccount: 0,
			settings: IQD
		});
		const returns: SaleReturn[] = [];
		for (let piece = 0; piece < 10; piece += 1)
			returns.push(taken(returnOf(sale, [onePiece], { earlier: returns, settings: IQD })));
		const paid = returns.map((part) => part.cashMinor / 1_000);
		expect(paid).toEqual([0, 250, 0, 250, 0, 0, 250, 0, 250, 0]);
	});

	it('[SALE-6] gives no more cash than was paid, though the rounding was changed since', () => {
		const down = { ...currencySettings('PEN' as Currency), cashRounding: 'down' as const };
		const sale = sell({ drafts: [draft(109, 1)], rounding: 'line', onAccount: 0, settings: down });
		expect(sale.cashKeptMinor).toBe(100);
		const settings = { ...down, cashRounding: 'up' as const };
		const wish = { lineIndex: 0, quantityThousandths: 105_000 };
		expect(taken(returnOf(sale, [wish], { earlier: [], settings })).cashMinor).toBe(100);
	});

	it('[SALE-6] refuses an empty wish, an unknown line and a line named twice', () => {
		const context = { earlier: [], settings: GBP };
		const refusal = (error: object) => ({ ok: false, error });
		expect(returnOf(sweets, [], context)).toEqual(refusal({ kind: 'nothingReturned' }));
		expect(returnOf(sweets, [{ ...onePiece, lineIndex: 1 }], context)).toEqual(
			refusal({ kind: 'noSuchLine', lineIndex: 1 })
		);
		expect(returnOf(sweets, [{ ...onePiece, lineIndex: -1 }], context)).toEqual(
			refusal({ kind: 'noSuchLine', lineIndex: -1 })
		);
		expect(returnOf(sweets, [onePiece, onePiece], context)).toEqual(
			refusal({ kind: 'lineTwice', lineIndex: 0 })
		);
		expect(returnOf(sweets, [{ ...onePiece, quantityThousandths: 3_001 }], context)).toEqual(
			refusal({ kind: 'moreThanLeft', leftThousandths: 3_000, lineIndex: 0 })
		);
	});
});

describe('refundWithoutReceipt', () => {
	it('[SALE-9] is all a credit, or cash by the cash step', () => {
		expect(refundWithoutReceipt(1_100_000, 'account', IQD)).toEqual({
			creditMinor: 1_100_000,
			cashMinor: 0,
			cashRoundingMinor: 0
		});
		expect(refundWithoutReceipt(1_100_000, 'cash', IQD)).toEqual({
			creditMinor: 0,
			cashMinor: 1_000_000,
			cashRoundingMinor: -100_000
		});
	});
});

const taxTerms = fc.constantFrom<TaxTerms>(
	NONE,
	{ mode: 'inclusive', taxClass: 'a', parts: [{ name: 'VAT', ratePpm: 150_000 }] },
	{
		mode: 'exclusive',
		taxClass: 'b',
		parts: [
			{ name: 'CGST', ratePpm: 90_000 },
			{ name: 'SGST', ratePpm: 90_000 }
		]
	}
);
const sales = fc.record({
	drafts: fc.array(
		fc.record({
			name: fc.constant('x'),
			quantityThousandths: fc.integer({ min: 1, max: 12_000 }),
			unitPriceMinor: fc.nat(400_000),
			taxTerms
		}),
		{ minLength: 1, maxLength: 5 }
	),
	rounding: fc.constantFrom('line' as const, 'document' as const),
	onAccount: fc.constantFrom(0, 0.3, 0.77, 1),
	settings: fc.constantFrom(GBP, IQD, currencySettings('PEN' as Currency))
});
const wishes = fc.array(
	fc.record({ line: fc.nat(4), quantityThousandths: fc.integer({ min: 1, max: 13_000 }) }),
	{ maxLength: 10 }
);

describe('any sequence of part returns', () => {
	it('[SALE-10] ends at exactly zero', () => {
		let parts = 0;
		fc.assert(
			fc.property(sales, wishes, (sold, wished) => {
				const sale = sell(sold);
				const returns: SaleReturn[] = [];
				const context = { earlier: returns, settings: sold.settings };
				const take = (wish: readonly { lineIndex: number; quantityThousandths: number }[]) => {
					const result = returnOf(sale, wish, context);
					if (result.ok) returns.push(result.value);
				};
				for (const { line, quantityThousandths } of wished)
					take([{ lineIndex: line % sale.lines.length, quantityThousandths }]);
				take(returnable(sale, returns).filter((left) => left.quantityThousandths > 0));
				parts += returns.length;

				for (const part of returns) {
					expect(Math.abs(part.cashRoundingMinor)).toBeLessThan(2 * sold.settings.cashStepMinor);
					expect(
						Math.min(part.creditMinor, part.cashMinor, part.totalMinor)
					).toBeGreaterThanOrEqual(0);
					expect(part.creditMinor + part.cashMinor).toBe(part.totalMinor + part.cashRoundingMinor);
				}
				const of = (amount: (part: SaleReturn) => number) =>
					returns.reduce((a, p) => a + amount(p), 0);
				expect(of((part) => part.creditMinor)).toBe(sale.accountMinor);
				expect(of((part) => part.cashMinor)).toBe(sale.cashKeptMinor);
				expect(of((part) => part.cashRoundingMinor)).toBe(sale.cashRoundingMinor);
				expect(of((part) => part.totalMinor)).toBe(
					sale.accountMinor + sale.cashKeptMinor - sale.cashRoundingMinor
				);
				for (const left of returnable(sale, returns)) {
					const taxes = left.tax.mode === 'none' ? [] : left.tax.parts;
					expect([left.quantityThousandths, left.totalMinor]).toEqual([0, 0]);
					expect(taxes.every((part) => part.minor === 0)).toBe(true);
				}
			}),
			{ numRuns: 500 }
		);
		expect(parts).toBeGreaterThan(1_000);
	});
});
