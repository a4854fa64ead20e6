import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createRelayStand, EPOCH, type RelayStand } from '#tests/support/relay-stand.ts';
import { TRADE_BUSINESS } from '#tests/support/trade.ts';
import { createReturned, type Returned } from './returned.ts';

let stand: RelayStand;
let returned: Returned;
beforeAll(async () => {
	stand = await createRelayStand();
	for (const code of ['A', 'B', 'C', 'D']) await stand.addDevice(code);
});
afterAll(() => stand.close());
beforeEach(async () => {
	const { sql } = stand.database;
	await sql`truncate fact, feed_head, epoch_end, database_epoch`;
	await sql`update device set removed_at = null, joined_at = 1_000, joined_epoch = 0`;
	returned = createReturned({ sql, epoch: EPOCH });
});

/** `by` is who carried it. */
async function store(s: number, id: string, by: string | null = null): Promise<void> {
	const { sql } = stand.database;
	const [code = '', n = ''] = id.split('-');
	await sql`
		insert into fact (business, code, n, kind, wall, counter, on_day, member, text, digest, s, carried_by)
		values (${TRADE_BUSINESS}, ${code}, ${n}, 'setting', 1, 0, '2026-11-20', 1, '', 0, ${s}, ${by})`;
	await sql`
		insert into feed_head (business, s) values (${TRADE_BUSINESS}, ${s})
		on conflict (business) do update set s = excluded.s`;
}

async function firsts(): Promise<Readonly<Record<string, number>>> {
	return Object.fromEntries(await returned.read(TRADE_BUSINESS));
}

it('[RELAY-56] knows who wrote again since the restore, and from which number on', async () => {
	const { sql } = stand.database;
	await sql`insert into epoch_end (business, epoch, s) values
		(${TRADE_BUSINESS}, ${EPOCH - 2}, 9), (${TRADE_BUSINESS}, ${EPOCH - 1}, 2)`;
	await store(1, 'A-1');
	await store(2, 'B-1');
	expect(await firsts()).toEqual({});
	await store(3, 'B-4', 'A');
	await store(4, 'A-9');
	await store(5, 'A-7');
	expect(await firsts()).toEqual({ A: 9 });
	await store(6, 'A-10');
	await store(7, 'B-5');
	expect(await firsts()).toEqual({ A: 9, B: 5 });
});

it('[RELAY-56] lets nobody tell for who joined in this epoch, and everybody for who was removed', async () => {
	const { sql } = stand.database;
	// Of a machine whose clock is behind that of the backup: all have joined later than it began.
	await sql`insert into database_epoch (epoch, started_at) values (${EPOCH}, 500)`;
	await sql`update device set joined_epoch = ${EPOCH} where code in ('C', 'D')`;
	await store(1, 'A-1');
	await sql`update device set removed_at = 6_000 where code in ('A', 'D')`;
	expect(await firsts()).toEqual({ C: 1 });
});
