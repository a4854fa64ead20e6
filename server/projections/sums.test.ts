import { afterAll, beforeAll, expect, it } from 'vitest';
import { DAY_TOTAL_NAMES, effectsOf, type DayTotals } from '#domain/fact/effects.ts';
import type { Fact, SaleFact } from '#domain/fact/fact.ts';
import { factId, type BranchId, type ProductId } from '#domain/ids.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { TRADE_BRANCH, TRADE_BUSINESS } from '#tests/support/trade.ts';
import type { Effected } from './effected.ts';
import { projectDays, projectStock } from './sums.ts';

const OTHER_BRANCH = '0192f0c1-7a00-4000-8000-0000000000b2' as BranchId;

let database: TestDatabase;
beforeAll(async () => {
	database = await createTestDatabase();
});
afterAll(() => database.close());

function sale(n: number, on: string, productId: string): SaleFact {
	const totalMinor = 10 ** n;
	const line = { productId: productId as ProductId, name: 'Tea', unitPriceMinor: totalMinor };
	return {
		...{ id: factId('A', n), code: 'A', n, at: { wall: n, counter: 0 }, on, by: 1 },
		...{ kind: 'sale', receipt: n, tenders: [{ kind: 'cash', minor: totalMinor }] },
		lines: [{ ...line, quantityThousandths: n * 1_000, totalMinor }]
	};
}

function effected(branch: BranchId, fact: Fact): Effected {
	return { business: TRADE_BUSINESS, branch, fact, effects: effectsOf(fact) };
}

it('[PROJ-2] [PROJ-3] what two branches sell on two days is apart, in one batch too', async () => {
	const facts = [
		effected(TRADE_BRANCH, sale(1, '2026-11-20', 'A-1')),
		effected(OTHER_BRANCH, sale(2, '2026-11-20', 'A-1')),
		effected(TRADE_BRANCH, sale(3, '2026-11-21', 'A-1')),
		effected(OTHER_BRANCH, sale(4, '2026-11-20', 'A-2'))
	];
	const { sql } = database;
	// Once more, so that sums that are there are added to as well.
	for (const batch of [facts, facts]) {
		await projectStock(sql, batch);
		await projectDays(sql, batch);
	}
	const stock = await sql`
		select branch, product, thousandths::int as level from stock order by branch, product`;
	expect([...stock]).toEqual([
		{ branch: TRADE_BRANCH, product: 'A-1', level: -8_000 },
		{ branch: OTHER_BRANCH, product: 'A-1', level: -4_000 },
		{ branch: OTHER_BRANCH, product: 'A-2', level: -8_000 }
	]);
	const days = await sql`
		select branch, on_day::text as on, sales_minor::int as sold from day_total
		order by branch, on_day`;
	expect([...days]).toEqual([
		{ branch: TRADE_BRANCH, on: '2026-11-20', sold: 20 },
		{ branch: TRADE_BRANCH, on: '2026-11-21', sold: 2_000 },
		{ branch: OTHER_BRANCH, on: '2026-11-20', sold: 20_200 }
	]);
});

it('[PROJ-3] each total of a day is added to its own', async () => {
	const { sql } = database;
	const [branch, on] = ['0192f0c1-7a00-4000-8000-0000000000b3' as BranchId, '2026-11-22'];
	const day = Object.fromEntries(
		DAY_TOTAL_NAMES.map((name, at) => [name, 10n ** BigInt(at)])
	) as unknown as DayTotals;
	const one = effected(branch, sale(1, on, 'A-1'));
	for (const times of [1n, 2n]) {
		await projectDays(sql, [{ ...one, effects: { ...one.effects, day } }]);
		const [row = {}] = await sql`select * from day_total where branch = ${branch}`;
		const { business: _business, branch: _branch, on_day: _on, ...totals } = row;
		expect(
			Object.fromEntries(Object.entries(totals).map(([name, sum]) => [camel(name), sum]))
		).toEqual(Object.fromEntries(DAY_TOTAL_NAMES.map((name) => [name, String(day[name] * times)])));
	}
});

function camel(name: string): string {
	return name.replace(/_[a-z]/g, (letters) => letters.slice(1).toUpperCase());
}
