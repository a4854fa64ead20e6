import { describe, expect, it } from 'vitest';
import { expectedTotals } from './expected-totals.ts';
import type { TradeFields, TradeFileRow } from './trade-file.ts';
import { readTrade, type Act, type Trade } from './trade-rules.ts';

const PLAIN: TradeFields = {
	InvoiceNo: '536365',
	StockCode: '85123A',
	Description: ' WHITE HANGING HEART ',
	Quantity: '6',
	InvoiceDate: '2010-12-01 08:26:00',
	UnitPrice: '2.55',
	CustomerID: '17850.0'
};
const AT = Date.UTC(2010, 11, 1, 8, 26);

function rowsOf(...rows: readonly (Partial<TradeFields> | null)[]): readonly TradeFileRow[] {
	return rows.map((fields, index) => ({
		file: 'shop.csv',
		number: index + 1,
		fields: fields === null ? null : { ...PLAIN, ...fields }
	}));
}

function tradeOf(...rows: readonly (Partial<TradeFields> | null)[]): Trade {
	return readTrade(rowsOf(...rows));
}

function shapes(acts: readonly Act[]): unknown {
	return acts.map(({ kind, customer, lines }) => [kind, customer?.name ?? 'cash', lines.length]);
}

describe('readTrade', () => {
	it('sells the rows of an invoice on account', () => {
		const { acts, skipped } = tradeOf({}, { StockCode: ' 85123a', Quantity: '1' });
		const line = { code: { key: '85123a', name: '85123A' }, name: 'WHITE HANGING HEART' };
		expect(acts).toEqual([
			{
				kind: 'sale',
				invoice: '536365',
				atMs: AT,
				customer: { key: '17850', name: '17850' },
				lines: [
					{ ...line, quantityThousandths: 6_000, unitPriceMinor: 255, totalMinor: 1_530 },
					{
						...line,
						code: { key: '85123a', name: '85123a' },
						quantityThousandths: 1_000,
						unitPriceMinor: 255,
						totalMinor: 255
					}
				]
			}
		]);
		expect(skipped).toEqual([]);
	});

	it('sells for cash without a customer, and takes back on account and for cash', () => {
		const { acts } = tradeOf(
			{ CustomerID: ' ' },
			{ InvoiceNo: 'C1', Quantity: '-2' },
			{ InvoiceNo: 'C2', Quantity: '-2', CustomerID: '' }
		);
		expect(shapes(acts)).toEqual([
			['sale', 'cash', 1],
			['return', '17850', 1],
			['return', 'cash', 1]
		]);
		expect(acts[1]?.lines[0]).toMatchObject({ quantityThousandths: 2_000, totalMinor: 510 });
	});

	it('writes off a negative quantity anywhere else, at no price', () => {
		const { acts } = tradeOf(
			{ Quantity: '-9' },
			{ InvoiceNo: 'A5', Quantity: '-1', UnitPrice: '-3.00' }
		);
		expect(shapes(acts)).toEqual([
			['adjust', '17850', 1],
			['adjust', '17850', 1]
		]);
		expect(acts[0]?.lines[0]).toMatchObject({ quantityThousandths: 9_000, totalMinor: 0 });
	});

	it('makes an act of its own of what an invoice mixes', () => {
		const { acts } = tradeOf(
			{},
			{ CustomerID: '' },
			{ Quantity: '-1', CustomerID: '' },
			{ CustomerID: '12' },
			{}
		);
		expect(shapes(acts)).toEqual([
			['sale', '17850', 2],
			['sale', 'cash', 1],
			['adjust', 'cash', 1],
			['sale', '12', 1]
		]);
	});

	it('keeps zero prices and exact copies, and calls a product without a name by its code', () => {
		const nothing = { UnitPrice: '0.0', Description: ' ' };
		const { acts } = tradeOf(nothing, nothing);
		expect(acts[0]?.lines).toMatchObject([
			{ name: '85123A', unitPriceMinor: 0, totalMinor: 0 },
			{ name: '85123A', unitPriceMinor: 0, totalMinor: 0 }
		]);
	});

	it.each([
		['0.001', 0],
		['0.005', 1],
		['1.0049999', 100],
		['2.675', 268],
		['13541.33', 1_354_133],
		['7', 700]
	])('rounds a price of %s to %i', (price, minor) => {
		expect(tradeOf({ UnitPrice: price }).acts[0]?.lines[0]?.unitPriceMinor).toBe(minor);
		const expected = expectedTotals(rowsOf({ UnitPrice: price, Quantity: '1' }));
		expect(expected.salesMinor).toBe(BigInt(minor));
	});

	it('gives an invoice the time of its first row, and acts in the order of time', () => {
		const { acts } = tradeOf(
			{ InvoiceNo: '2', InvoiceDate: '2010-12-01 09:00:00' },
			{ InvoiceNo: '1' },
			{ InvoiceNo: '2', InvoiceDate: '2010-11-30 09:00:00' }
		);
		expect(acts.map(({ invoice, atMs, lines }) => [invoice, atMs - AT, lines.length])).toEqual([
			['1', 0, 1],
			['2', 34 * 60_000, 2]
		]);
	});

	it.each([
		['wrongColumns', null],
		['missingInvoice', { InvoiceNo: ' ' }],
		['missingCode', { StockCode: '\u0000 ' }],
		['codeTooLong', { StockCode: 'x'.repeat(25) }],
		['unreadableCustomer', { CustomerID: '1'.repeat(25) }],
		['unreadableDate', { InvoiceDate: '2011-02-30 08:26:00' }],
		['unreadableDate', { InvoiceDate: '12/1/2010 8:26' }],
		['unreadableDate', { InvoiceDate: '1969-12-31 08:26:00' }],
		['unreadableQuantity', { Quantity: '1.5' }],
		['unreadableQuantity', { Quantity: '1e3' }],
		['zeroQuantity', { Quantity: '-0' }],
		['tooLarge', { Quantity: '10000001' }],
		['unreadablePrice', { UnitPrice: '1,234.50' }],
		['unreadablePrice', { UnitPrice: '' }],
		['unreadablePrice', { UnitPrice: '1'.repeat(70) }],
		['tooLarge', { UnitPrice: '999999999999999' }],
		['tooLarge', { UnitPrice: '90000000000', Quantity: '1000' }],
		['positiveOnReturn', { InvoiceNo: 'C536365' }],
		['otherInvoice', { InvoiceNo: 'A563185' }],
		['negativePrice', { UnitPrice: '-11062.06' }]
	])('leaves out as %s %j', (reason, fields) => {
		expect(tradeOf(fields)).toEqual({
			acts: [],
			skipped: [{ file: 'shop.csv', number: 1, reason }]
		});
	});

	it('cuts an invoice that no fact can hold, and only that', () => {
		const named = { ...PLAIN, Description: 'x'.repeat(35) };
		const long = Array.from({ length: 705 }, () => named);
		expect(shapes(tradeOf(...long).acts)).toEqual([['sale', '17850', 705]]);
		const longer = tradeOf(...long, ...long).acts;
		expect(longer.length).toBeGreaterThan(1);
		expect(longer.flatMap(({ lines }) => lines)).toHaveLength(1_410);
		const dear = { UnitPrice: '9000000000', Quantity: '10' };
		expect(shapes(tradeOf(dear, dear).acts)).toEqual([
			['sale', '17850', 1],
			['sale', '17850', 1]
		]);
	});
});
