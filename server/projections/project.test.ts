import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { effectsOf } from '#domain/fact/effects.ts';
import type { Fact, FactRecord } from '#domain/fact/fact.ts';
import { factId, type DeviceCode, type FactId } from '#domain/ids.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { createSigner, createSigningKeys } from '#state/web-crypto.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { makeTrade, TRADE_BRANCH, TRADE_BUSINESS, type Trade } from '#tests/support/trade.ts';
import { foldLatest, NO_FIELDS } from './latest-fields.ts';
import { createProject } from './project.ts';

const crypto = createNodeCrypto();
let database: TestDatabase;
let trade: Trade;
beforeAll(async () => {
	database = await createTestDatabase();
	const codes = ['A'] as DeviceCode[];
	const signers = [await createSigner(await createSigningKeys())];
	trade = await makeTrade({ seed: 11, count: 120, codes, signers, crypto });
});
beforeEach(async () => {
	await database.sql`
		truncate product, customer, setting, sale, sale_line, tender, sale_return, return_line, stock,
			record, balance, early_name, day_total, ledger_fact`;
});
afterAll(() => database.close());

describe('projections', () => {
	it('[PROJ-2] [PROJ-3] keep sums larger than a float holds, to the last unit', async () => {
		const sale = first('sale');
		const many = 2_000;
		const amount = 9_999_999_999_999;
		for (let batch = 0; batch < 4; batch += 1) {
			await project(
				Array.from({ length: many / 4 }, (_each, at) => {
					const n = 1_000 + batch * many + at;
					const line = { ...sale.lines[0], productId: 'A-1', totalMinor: amount };
					const lines = [{ ...line, quantityThousandths: amount }] as never;
					const tenders = [{ kind: 'cash', minor: amount }] as const;
					const rest = { ...sale, record: undefined } as unknown as typeof sale;
					return { ...rest, id: factId('A', n), n, lines, tenders };
				})
			);
		}
		const [stock] = await database.sql`select thousandths from stock`;
		const [day] = await database.sql`select sales_minor, cash_in_minor, sales_count from day_total`;
		const sum = String(BigInt(amount) * BigInt(many));
		expect(stock?.['thousandths']).toBe(`-${sum}`);
		expect({ ...day }).toEqual({ sales_minor: sum, cash_in_minor: sum, sales_count: String(many) });
	});

	it('[PROJ-4] keep a sale as it was written', async () => {
		const sale = first('sale');
		await project([sale]);
		const lines = await database.sql`
			select product, name, quantity_thousandths, unit_price_minor, total_minor
			from sale_line order by line`;
		expect(lines.map((line) => ({ ...line }))).toEqual(
			sale.lines.map((line) => ({
				product: line.productId,
				name: line.name,
				quantity_thousandths: String(line.quantityThousandths),
				unit_price_minor: String(line.unitPriceMinor),
				total_minor: String(line.totalMinor)
			}))
		);
		const [row] = await database.sql`select code, n, receipt, total_minor::int as total from sale`;
		expect({ ...row }).toEqual({
			code: 'A',
			n: String(sale.n),
			receipt: effectsOf(sale).receipt,
			total: sale.lines.reduce((sum, { totalMinor }) => sum + totalMinor, 0)
		});
	});

	it('[PROJ-5] take the latest of a field by stamp, then by code and number', () => {
		const at = (wall: number, id: string): { wall: number; counter: number; id: FactId } => ({
			wall,
			counter: 0,
			id: id as FactId
		});
		const sets = [
			[{ name: 'old', price: 1 }, at(1, 'A-1')],
			[{ name: 'B-9' }, at(2, 'B-9')],
			[{ name: 'B-10' }, at(2, 'B-10')],
			[{ name: 'A-11' }, at(2, 'A-11')]
		] as const;
		for (const order of [sets, sets.toReversed()]) {
			let held = NO_FIELDS;
			for (const [set, place] of order) held = foldLatest(held, set, place);
			expect(held.fields).toEqual({ name: 'B-10', price: 1 });
			expect(held.stamps).toEqual({ name: [2, 0, 'B-10'], price: [1, 0, 'A-1'] });
		}
	});

	it('[PROJ-6] keep a record once, under the first of the facts that carry it', async () => {
		const carrier = first('record');
		const again = (n: number, wall: number): Fact => ({
			...carrier,
			id: factId('A', n),
			n,
			at: { wall, counter: 0 }
		});
		const { wall } = carrier.at;
		for (const facts of [
			[again(900, wall + 5), again(901, wall - 5)],
			[again(902, wall - 9)],
			[again(903, wall + 9)]
		]) {
			await project(facts);
		}
		const rows = await database.sql`select h, n from record`;
		const [record] = carrier.records;
		expect(rows.map((row) => ({ ...row }))).toEqual([{ h: hashOf(record), n: '902' }]);
		const [balance] = await database.sql`select waiting, credited from balance`;
		expect(BigInt(String(balance?.['waiting'])) + BigInt(String(balance?.['credited']))).toBe(
			BigInt(record?.core.amount ?? 0)
		);
	});

	it('[PROJ-7] fold a ledger anew once a record names another, and only add before', async () => {
		const facts = trade.facts.map(({ fact }) => fact);
		await project(facts.filter((fact) => !isReversal(fact)));
		const before = await plainBalances();
		expect(before).toContain(true);
		await project(facts.filter(isReversal));
		expect((await plainBalances()).filter(Boolean).length).toBeLessThan(
			before.filter(Boolean).length
		);
	});
});

function first(kind: 'sale'): Extract<Fact, { kind: 'sale' }>;
function first(kind: 'record'): Extract<Fact, { kind: 'record' }>;
function first(kind: Fact['kind']): Fact {
	const found = trade.facts.find(({ fact }) => fact.kind === kind && !isReversal(fact));
	if (found === undefined) throw new Error(`a trade without a ${kind}`);
	return found.fact;
}

function hashOf(record: FactRecord | undefined): string {
	if (record === undefined) throw new Error('a fact without its record');
	return trade.hashOf(record);
}

function isReversal(fact: Fact): boolean {
	return fact.kind === 'record' && fact.records.some(({ core }) => core.kind === 'reversalOfDebit');
}

async function plainBalances(): Promise<readonly boolean[]> {
	const rows = await database.sql<{ is_plain: boolean }[]>`select is_plain from balance`;
	return rows.map(({ is_plain: isPlain }) => isPlain);
}

async function project(facts: readonly Fact[]): Promise<void> {
	const placed = facts.map((fact) => ({ business: TRADE_BUSINESS, branch: TRADE_BRANCH, fact }));
	await database.sql.begin((tx) => createProject(crypto)(tx as never, placed));
}
