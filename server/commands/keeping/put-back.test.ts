import type { Sql } from 'postgres';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectDatabase, MIGRATION_LOCK, type Database } from '#server/database/connect.ts';
import { isRestored, readEpoch } from '#server/database/epoch.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { until } from '#tests/support/relay-stand.ts';
import { beginAfterLoss, putBack } from './put-back.ts';

const NOW = Date.UTC(2026, 10, 20, 9);
const EPOCH = Math.floor((NOW - Date.UTC(2026, 0, 1)) / 60_000);

// Its own pool opens nothing before it is asked something: it would count as a server.
let database: TestDatabase;
const open: Database[] = [];
beforeEach(async () => {
	database = await createTestDatabase();
});
afterEach(async () => {
	for (const one of open.splice(0)) await one.close();
	await database.close();
});

function connect(options = ''): Database {
	const one = connectDatabase(`${database.url}${options}`, { connectionsMax: 1 });
	open.push(one);
	return one;
}

it.each(['', '?application_name=daftar%20bus'])(
	'[KEEP-11] a database is not put back under servers that run (%s)',
	async (options) => {
		const [server, command] = [connect(options), connect()];
		await server.sql`select 1`;
		await expect(putBack(command, NOW)).rejects.toThrow(
			/^Daftar is connected to this database \(PostgreSQL's processes \d+ from this machine\): stop/
		);
		expect(await command.sql`select epoch from database_epoch`).toEqual([]);
		await server.close();
		// PostgreSQL takes a moment to see that somebody has left.
		let epoch = 0;
		await until(async () => {
			epoch = await putBack(command, NOW).catch(() => 0);
			return epoch > 0;
		});
		expect(epoch).toBe(EPOCH);
	}
);

it('[KEEP-11] servers are known by the name in their address too, others are let be', async () => {
	const [other, command] = [connect('?application_name=report'), connect()];
	await other.sql`select 1`;
	expect(await putBack(command, NOW)).toBe(EPOCH);
	await command.close();
	await expect(putBack(connect('?application_name=report'), NOW)).rejects.toThrow(/is connected/);
});

it('[KEEP-11] and a start of a server wait for each other', async () => {
	const [starting, command] = [connect('?application_name=starting'), connect()];
	const { promise: held, resolve: letGo } = Promise.withResolvers<undefined>();
	const { promise: begun, resolve: begin } = Promise.withResolvers<undefined>();
	const started = starting.sql.begin(async (tx) => {
		await tx`select pg_advisory_xact_lock(${MIGRATION_LOCK})`;
		begin(undefined);
		await held;
		return tx`select epoch from database_epoch`;
	});
	await begun;
	const epoch = putBack(command, NOW);
	const look = connect('?application_name=look');
	await until(async () => {
		const waiting = await look.sql`
			select 1 from pg_locks where locktype = 'advisory' and not granted and database =
				(select oid from pg_database where datname = current_database())`;
		return waiting.length === 1;
	});
	letGo(undefined);
	expect(await started).toEqual([]);
	expect(await epoch).toBe(EPOCH);
});

it('[KEEP-6] one in which no server had begun has forgotten what was written since', async () => {
	const command = connect();
	expect(await putBack(command, NOW)).toBe(EPOCH);
	expect(await isRestored(command.sql, EPOCH)).toBe(true);
});

it('[KEEP-13] a server whose database went back to before it began begins the next epoch', async () => {
	expect(await beginAfterLoss(connect(), { epoch: 1, now: NOW })).toBe(EPOCH);
});

it('[KEEP-13] of servers that find a loss one begins the next epoch, and none where it has begun', async () => {
	const [one, other] = [connect(), connect()];
	const id = '0192f0c1-7a00-4000-8000-0000000000a1';
	await one.sql`insert into database_epoch (epoch, started_at) values (1, 0)`;
	await one.sql`insert into feed_head (business, s) values (${id}, 7)`;
	const loss = { epoch: 1, now: NOW };
	const begun = await Promise.all([beginAfterLoss(one, loss), beginAfterLoss(other, loss)]);
	expect(begun.toSorted()).toEqual([EPOCH, undefined]);
	expect(await beginAfterLoss(one, { ...loss, epoch: EPOCH - 1 })).toBeUndefined();
	const epochs = await one.sql<{ epoch: number }[]>`select epoch from database_epoch order by 1`;
	expect(epochs.map(({ epoch }) => epoch)).toEqual([1, EPOCH]);
	expect(await one.sql`select business, epoch, s from epoch_end`).toEqual([
		{ business: id, epoch: 1, s: '7' }
	]);
	// The next that finds one, in the new epoch, is as good.
	expect(await beginAfterLoss(one, { epoch: EPOCH, now: NOW })).toBe(EPOCH + 1);
});

it('[KEEP-13] is declared by as few statements for many shops as for one, in the time that there is', async () => {
	const { sql } = connect();
	const countedFor = async (shops: number): Promise<number> => {
		await sql`
			insert into business (business, name, last_device_code, last_member, claimed_at)
			select gen_random_uuid(), 'Asha', 'B', 2, 0 from generate_series(1, ${shops})`;
		const epoch = await readEpoch(sql, NOW);
		const { counting, asked } = countStatements(sql);
		expect(await beginAfterLoss({ sql: counting }, { epoch, now: NOW })).toBeGreaterThan(epoch);
		return asked();
	};
	const [ofOne, ofMany] = [await countedFor(1), await countedFor(50)];
	expect(ofMany).toBe(ofOne);
	expect(
		await sql`
			select last_device_code as code, last_member as member, count(*)::int from business
			group by 1, 2 order by 2`
	).toEqual([
		{ code: 'AB', member: 102, count: 50 },
		{ code: 'BB', member: 202, count: 1 }
	]);
});

/** The same database, and how much its transactions ask of it. */
function countStatements(sql: Sql): { readonly counting: Sql; readonly asked: () => number } {
	let count = 0;
	const counted = (tx: object): object =>
		new Proxy(tx, {
			apply: (target, self, given: readonly unknown[]): unknown => {
				if (Array.isArray(given[0]) && 'raw' in given[0]) count += 1;
				return Reflect.apply<unknown, never[], unknown>(target as never, self, given as never[]);
			}
		});
	const begin = (act: (tx: never) => Promise<unknown>): Promise<unknown> =>
		sql.begin((tx) => act(counted(tx) as never));
	return { counting: { begin } as unknown as Sql, asked: () => count };
}
