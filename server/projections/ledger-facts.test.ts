import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Fact } from '#domain/fact/fact.ts';
import { factId } from '#domain/ids.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { TRADE_BUSINESS } from '#tests/support/trade.ts';
import { keepLedgerFacts } from './ledger-facts.ts';

let database: TestDatabase;
beforeAll(async () => {
	database = await createTestDatabase();
});
afterAll(() => database.close());

it('[PROJ-10] keeps what a record’s fact says beside its records, whichever that is, and no other', async () => {
	const said = [{}, { answer: {} }, { list: [] }, { slip: {} }, { pending: [] }];
	const facts = said.map((more, at) => {
		const n = at + 1;
		const head = { id: factId('A', n), code: 'A', n, at: { wall: 1, counter: 0 } };
		return {
			...head,
			on: '2026-11-20',
			by: 1,
			kind: 'record',
			records: [],
			...more
		} as unknown as Fact;
	});
	await keepLedgerFacts(
		database.sql,
		facts.map((fact) => ({ business: TRADE_BUSINESS, fact }))
	);
	const rows = await database.sql<{ n: number }[]>`select n::int from ledger_fact order by n`;
	expect(rows.map(({ n }) => n)).toEqual([2, 3, 4, 5]);
});
