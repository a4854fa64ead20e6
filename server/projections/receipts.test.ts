import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { FactHead, ReturnFact, SaleFact } from '#domain/fact/fact.ts';
import { factId, type FactId, type ProductId } from '#domain/ids.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { TRADE_BRANCH, TRADE_BUSINESS } from '#tests/support/trade.ts';
import { projectReceipts } from './receipts.ts';

let database: TestDatabase;
beforeAll(async () => {
	database = await createTestDatabase();
});
beforeEach(async () => {
	await database.sql`truncate sale, sale_line, tender, sale_return, return_line`;
});
afterAll(() => database.close());

/** Sold late in the evening: the shop's day is not the stamp's. */
const WALL = Date.UTC(2026, 10, 20, 22);

function head(n: number, more: Partial<FactHead> = {}): FactHead {
	const at = { wall: WALL + n, counter: 0 };
	return { id: factId('B', n), code: 'B', n, at, on: '2026-11-21', by: 3, ...more };
}

const TAX = {
	side: 'ex',
	taxClass: 'food',
	parts: [
		{ name: 'CGST', ratePpm: 25_000, minor: 20 },
		{ name: 'SGST', ratePpm: 25_000, minor: 19 }
	]
} as const;

const SALE: SaleFact = {
	...head(7),
	kind: 'sale',
	receipt: 12,
	lines: [
		{
			...{ productId: 'A-1' as ProductId, name: 'Tea', quantityThousandths: 2_500 },
			...{ unitPriceMinor: 320, totalMinor: 800, tax: TAX }
		},
		{
			...{ productId: null, name: 'Bag', quantityThousandths: 1_000 },
			...{ unitPriceMinor: 10, totalMinor: 10 }
		}
	],
	tenders: [
		{ kind: 'account', minor: 500 },
		{ kind: 'cash', minor: 400 }
	],
	roundingMinor: 1
};

const BACK: ReturnFact = {
	...head(8),
	kind: 'return',
	receipt: 13,
	saleId: SALE.id,
	lines: [
		{
			...{ productId: 'A-1' as ProductId, name: 'Tea', quantityThousandths: 500 },
			...{ unitPriceMinor: 320, totalMinor: 160, tax: TAX, saleLine: 0, isDamaged: true }
		},
		{
			...{ productId: null, name: 'Bag', quantityThousandths: 1_000 },
			...{ unitPriceMinor: 10, totalMinor: 10, saleLine: 1, isDamaged: false }
		}
	],
	refunds: [
		{ kind: 'cash', minor: 100 },
		{ kind: 'account', minor: 107 }
	],
	roundingMinor: -2
};

const WRITTEN_TAX = [
	'ex',
	'food',
	[
		['CGST', 25_000, 20],
		['SGST', 25_000, 19]
	]
];

async function project(...facts: readonly (SaleFact | ReturnFact)[]): Promise<void> {
	await projectReceipts(
		database.sql,
		facts.map((fact) => ({ business: TRADE_BUSINESS, branch: TRADE_BRANCH, fact }))
	);
}

it('[PROJ-4] a sale stands with its lines, taxes and tenders as they were written', async () => {
	// Beside another, so that each line finds its own.
	await project({ ...SALE, ...head(6), lines: SALE.lines.slice(1) }, SALE);
	const { sql } = database;
	const sales = await sql`
		select code, n::int, branch, on_day::text as on, happened_at::float as at, member, receipt,
			total_minor::int as total, rounding_minor::int as rounding, change_minor::int as change
		from sale where n = 7`;
	const placed = { branch: TRADE_BRANCH, on: '2026-11-21', at: WALL + 7, member: 3 };
	expect([...sales]).toEqual([
		{ code: 'B', n: 7, ...placed, receipt: 'B-000012', total: 849, rounding: 1, change: 50 }
	]);
	const lines = await sql`
		select line, product, name, quantity_thousandths::int as quantity,
			unit_price_minor::int as price, total_minor::int as total, tax
		from sale_line where n = 7 order by line`;
	expect([...lines]).toEqual([
		{
			line: 0,
			product: 'A-1',
			name: 'Tea',
			quantity: 2_500,
			price: 320,
			total: 800,
			tax: WRITTEN_TAX
		},
		{ line: 1, product: null, name: 'Bag', quantity: 1_000, price: 10, total: 10, tax: null }
	]);
	expect(await tendersOf(7)).toEqual([
		{ row: 0, kind: 'account', minor: 500 },
		{ row: 1, kind: 'cash', minor: 400 }
	]);
});

it('[PROJ-4] a return stands with its sale, its lines and what went back', async () => {
	const unnamed = { ...BACK, ...head(9), saleId: null };
	await project(BACK, unnamed);
	const { sql } = database;
	const returns = await sql`
		select code, n::int, branch, on_day::text as on, happened_at::float as at, member, receipt,
			total_minor::int as total, rounding_minor::int as rounding, sale_code, sale_n::int
		from sale_return order by n`;
	const placed = { branch: TRADE_BRANCH, on: '2026-11-21', member: 3, receipt: 'B-000013' };
	const sums = { total: 209, rounding: -2 };
	expect([...returns]).toEqual([
		{ code: 'B', n: 8, ...placed, at: WALL + 8, ...sums, sale_code: 'B', sale_n: 7 },
		{ code: 'B', n: 9, ...placed, at: WALL + 9, ...sums, sale_code: null, sale_n: null }
	]);
	const lines = await sql`
		select line, product, name, quantity_thousandths::int as quantity,
			unit_price_minor::int as price, total_minor::int as total, tax, sale_line, is_damaged
		from return_line where n = 8 order by line`;
	const tea = { product: 'A-1', name: 'Tea', quantity: 500, price: 320, total: 160 };
	const bag = { product: null, name: 'Bag', quantity: 1_000, price: 10, total: 10 };
	expect([...lines]).toEqual([
		{ line: 0, ...tea, tax: WRITTEN_TAX, sale_line: 0, is_damaged: true },
		{ line: 1, ...bag, tax: null, sale_line: 1, is_damaged: false }
	]);
	expect(await tendersOf(8)).toEqual([
		{ row: 0, kind: 'cash', minor: 100 },
		{ row: 1, kind: 'account', minor: 107 }
	]);
});

it('[PROJ-4] what was issued again keeps the receipt number that the customer holds', async () => {
	const again = { was: 'A-4' as FactId };
	await project({ ...SALE, ...head(10, again) }, { ...BACK, ...head(11, again) });
	const sales = await database.sql`select receipt from sale`;
	const returns = await database.sql`select receipt from sale_return`;
	expect([...sales, ...returns]).toEqual([{ receipt: 'A-000012' }, { receipt: 'A-000013' }]);
});

async function tendersOf(n: number): Promise<readonly unknown[]> {
	return [
		...(await database.sql`
			select row, kind, minor::int from tender where n = ${n} order by row`)
	];
}
