import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Fact } from '#domain/fact/fact.ts';
import { factId } from '#domain/ids.ts';
import { recordFact, replyFact } from '#tests/support/hostile-facts.ts';
import { createHostileStand, mintLedger } from '#tests/support/hostile-stand.ts';
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

it('[PROJ-7] [PROJ-10] confirms what a statement lists, whatever other ledger stands before it in its fact', async () => {
	const stand = await createHostileStand();
	const [shop, amina] = [await stand.shop('duka'), await stand.customer('amina')];
	const [ledger, other] = [mintLedger(), mintLedger()];
	await stand.link(shop, ledger, amina);
	const due = await recordFact(shop, { ledger, minor: 700 });
	const strange = await recordFact(shop, { ledger: other });
	shop.n -= 1;
	const list = [due.h];
	const statement = await recordFact(shop, { ledger, kind: 'statement', minor: 700, list });
	const [recordsAt, more] = [6, 7];
	const [before, fact] = [strange, statement].map(({ text }) => JSON.parse(text) as unknown[][]);
	const both = [...(before?.[recordsAt] ?? []), ...(fact?.[recordsAt] ?? [])];
	const text = JSON.stringify([...(fact?.slice(0, recordsAt) ?? []), both, fact?.[more]]);
	expect(await stand.put(shop, [due, { id: statement.id, text }])).toBe('taken');
	await stand.settled();
	const yes = { business: shop.business, ledger, h: statement.h, decision: 'accept' } as const;
	expect(await stand.put(amina, [await replyFact(amina, yes)])).toBe('taken');
	await stand.settled();
	const rows = await stand.database.sql`
		select confirmed::int, waiting::int from balance where ledger = ${ledger}`;
	expect(rows.map((row) => ({ ...row }))).toEqual([{ confirmed: 700, waiting: 0 }]);
	await stand.close();
});
