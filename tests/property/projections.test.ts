import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { currencyKey } from '#domain/confirmation/currency-key.ts';
import type { LedgerSums } from '#domain/confirmation/ledger-fold.ts';
import { DAY_TOTAL_NAMES, effectsOf } from '#domain/fact/effects.ts';
import { foldFacts, type ShopNumbers } from '#domain/fact/fold.ts';
import type { DeviceCode } from '#domain/ids.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { createProject } from '#server/projections/project.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { keepFacts } from '#tests/support/kept-facts.ts';
import { inBatches, shuffled } from '#tests/support/permutations.ts';
import { seeded } from '#tests/support/seeded.ts';
import { talkedTrade } from '#tests/support/talked-trade.ts';
import { TRADE_BRANCH, TRADE_BUSINESS, type Trade } from '#tests/support/trade.ts';

const PINNED_SEEDS = [1, 2, 3];
const FRESH_SEEDS = [Math.floor(Math.random() * 1e9)];
const FACTS = 150;
const CODES = ['A', 'B', 'AA'] as DeviceCode[];

const crypto = createNodeCrypto();
const project = createProject(crypto);
let database: TestDatabase;
beforeAll(async () => {
	database = await createTestDatabase();
});
afterAll(() => database.close());

describe.each([...PINNED_SEEDS, ...FRESH_SEEDS])('trade of seed %i', (seed) => {
	it('[PROJ-1] [PROJ-10] the tables equal a fold of the facts, in any order and any split into batches', async () => {
		const trade = await talkedTrade({ seed, count: FACTS, codes: CODES, crypto });
		const expected = plain(foldFacts(trade.facts, trade.hashOf));
		const random = seeded(seed);
		await database.sql`truncate fact`;
		await keepFacts(database.sql, trade.facts);
		for (let round = 0; round < 3; round += 1) {
			await empty();
			for (const batch of inBatches(shuffled(trade.facts, random), random, 40)) {
				await database.sql.begin((tx) =>
					project(
						tx as never,
						batch.map(({ fact }) => ({ business: TRADE_BUSINESS, branch: TRADE_BRANCH, fact }))
					)
				);
			}
			expect(await readTables()).toEqual(expected);
			await expectReceipts(trade);
			expect(await readLast()).toEqual(lastOf(trade));
		}
		// The trade did something worth folding.
		expect(expected.balances.size).toBeGreaterThan(0);
		expect(expected.stock.size).toBeGreaterThan(0);
		expect(trade.facts.filter(({ fact }) => fact.kind === 'answered').length).toBeGreaterThan(0);
		expect(trade.facts.filter(({ fact }) => fact.kind === 'return').length).toBeGreaterThan(0);
	});
});

async function empty(): Promise<void> {
	await database.sql`
		truncate product, customer, setting, sale, sale_line, tender, sale_return, return_line, stock,
			record, balance, early_name, day_total, ledger_fact, claim`;
}

/** The numbers in a form that tables have too: plain objects, sums as texts. */
type Plain = Record<
	'products' | 'customers' | 'stock' | 'days' | 'balances',
	Map<string, unknown>
> & {
	settings: object;
};

function plain(numbers: ShopNumbers): Plain {
	return {
		products: new Map(numbers.products),
		customers: new Map(numbers.customers),
		settings: numbers.settings,
		stock: new Map([...numbers.stock].map(([key, sum]) => [key, String(sum)])),
		days: new Map(
			[...numbers.days].map(([key, day]) => [key, DAY_TOTAL_NAMES.map((name) => String(day[name]))])
		),
		balances: new Map(
			[...numbers.balances].flatMap(([ledger, byCurrency]) =>
				[...byCurrency].map(([key, sums]) => [`${ledger} ${key}`, sumsOf(sums)] as const)
			)
		)
	};
}

function sumsOf({ confirmed, waiting, credited, disputed, total }: LedgerSums): readonly string[] {
	return [confirmed, waiting, credited, disputed, total].map(String);
}

async function readTables(): Promise<Plain> {
	const { sql } = database;
	const products = await sql`select product, fields from product`;
	const customers = await sql`select ledger, fields from customer`;
	const [setting] = await sql`select fields from setting`;
	const stock = await sql`select branch, product, thousandths from stock`;
	const days = await sql`select * from day_total`;
	const balances = await sql`select * from balance`;
	return {
		products: new Map(products.map((row) => [String(row['product']), row['fields']])),
		customers: new Map(customers.map((row) => [String(row['ledger']), row['fields']])),
		settings: (setting?.['fields'] ?? {}) as object,
		stock: new Map(
			stock.map((row) => [`${String(row['branch'])} ${String(row['product'])}`, row['thousandths']])
		),
		days: new Map(
			days.map((row) => [
				`${String(row['branch'])} ${String(row['on_day'])}`,
				DAY_TOTAL_NAMES.map((name) => row[snake(name)] as string)
			])
		),
		balances: new Map(
			balances.map((row) => [
				`${String(row['ledger'])} ${currencyKey(row as never)}`,
				['confirmed', 'waiting', 'credited', 'disputed', 'total'].map((name) => row[name] as string)
			])
		)
	};
}

function snake(name: string): string {
	return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** When anything last happened in a ledger, in each currency. */
function lastOf({ facts }: Trade): ReadonlyMap<string, number> {
	const lastByPage = new Map<string, number>();
	for (const { core } of facts.flatMap(({ fact }) => effectsOf(fact).records)) {
		const page = `${core.ledgerId} ${currencyKey(core)}`;
		lastByPage.set(page, Math.max(core.occurredAt, lastByPage.get(page) ?? 0));
	}
	return lastByPage;
}

async function readLast(): Promise<ReadonlyMap<string, number>> {
	const rows = await database.sql`select ledger, currency, exponent, last_at from balance`;
	return new Map(
		rows.map((row) => [
			`${String(row['ledger'])} ${currencyKey(row as never)}`,
			Number(row['last_at'])
		])
	);
}

/** Every sale and return is there once, with its lines and tenders. */
async function expectReceipts({ facts }: Trade): Promise<void> {
	const { sql } = database;
	const written = facts.map(({ fact }) => fact);
	const sales = written.filter((fact) => fact.kind === 'sale');
	const returns = written.filter((fact) => fact.kind === 'return');
	const count = async (table: string): Promise<number> => {
		const [row] = await sql`select count(*)::int as count from ${sql(table)}`;
		return Number(row?.['count']);
	};
	expect(await count('sale')).toBe(sales.length);
	expect(await count('sale_line')).toBe(sales.flatMap(({ lines }) => lines).length);
	expect(await count('sale_return')).toBe(returns.length);
	expect(await count('return_line')).toBe(returns.flatMap(({ lines }) => lines).length);
	expect(await count('tender')).toBe(
		[...sales.flatMap(({ tenders }) => tenders), ...returns.flatMap(({ refunds }) => refunds)]
			.length
	);
}
