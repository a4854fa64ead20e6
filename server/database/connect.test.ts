import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { startPooler, type Pooler, type PoolerHabits } from '#tests/support/pooler.ts';
import { isDatabaseGone, migrateDatabase, openDatabase } from './connect.ts';

it('[RELAY-14] refuses no fact because the database had no room, no memory or no peace for it', () => {
	const passing = ['53100', '53200', '53300', '40P01', '40001', '58030', '57P01', '57P03', '08006'];
	// A standby that took over, a database shut off by whoever runs it, its password changed.
	const away = ['25006', '25P03', '28P01', '3D000', '55P03', 'F0000', 'XX001'];
	for (const code of [...passing, ...away, 'ECONNREFUSED', 'ETIMEDOUT', 'CONNECTION_CLOSED']) {
		expect([code, isDatabaseGone(Object.assign(new Error('failed'), { code }))]).toEqual([
			code,
			true
		]);
	}
	for (const code of ['22P02', '22021', '23505', '42601', '54000', 'XX000', 'ERR_ASSERTION']) {
		expect(isDatabaseGone(Object.assign(new Error('failed'), { code }))).toBe(false);
	}
});

describe('by way of a pooler', () => {
	let database: TestDatabase;
	let pooler: Pooler | undefined;
	beforeEach(async () => {
		database = await createTestDatabase();
	});
	afterEach(async () => {
		await pooler?.stop();
		await database.close();
	});

	async function through(settings: PoolerHabits['settings']): Promise<string> {
		pooler = await startPooler(database.url, { settings });
		return pooler.url;
	}

	async function set(name: string, value: string): Promise<void> {
		const { sql } = database;
		const [row] = await sql<{ name: string }[]>`select current_database() as name`;
		await sql.unsafe(`alter database ${row?.name ?? ''} set ${name} = '${value}'`);
	}

	it('[DEPLOY-4] the tables are brought up to date and nobody waits for it afterwards', async () => {
		await set('lock_timeout', '2s');
		const url = await through('refuses');
		await migrateDatabase(url);
		await Promise.all([migrateDatabase(url), migrateDatabase(url)]);
		await migrateDatabase(database.url);
	});

	it.each(['on', 'off'])(
		'[RELAY-91] a server gives each of its connections a minute, where synchronous_commit is %s',
		async (commit) => {
			await set('synchronous_commit', commit);
			const { sql, close } = await openDatabase(database.url);
			// The driver's types do not know it: server/mend-packages.js.
			expect(sql.options).toMatchObject({ silence: 60_000 });
			await close();
		}
	);

	it('[RELAY-96] a server that stands still in the middle of a transaction holds nothing for good', async () => {
		const { sql, close } = await openDatabase(database.url, 300);
		await database.sql`create table held (n int)`;
		await database.sql`insert into held values (1)`;
		const { promise: woken, resolve: wake } = Promise.withResolvers<undefined>();
		const { promise: locked, resolve: lock } = Promise.withResolvers<undefined>();
		const writing = sql.begin(async (tx) => {
			await tx`select n from held for update`;
			lock(undefined);
			await woken;
			await tx`update held set n = 2`;
		});
		const failed = writing.catch((fault: unknown) => fault);
		await locked;
		const [row] = await database.sql.begin(async (tx) => {
			await tx`set local lock_timeout = '10s'`;
			return tx`update held set n = 3 returning n`;
		});
		expect(row).toEqual({ n: 3 });
		wake(undefined);
		expect(isDatabaseGone(await failed)).toBe(true);
		expect(await sql`select n from held`).toEqual([{ n: 3 }]);
		await close();
	});

	it('[RELAY-96] a server lets a shorter time stand, and starts where a pooler refuses to pass that on', async () => {
		const idleOf = async (url: string): Promise<unknown> => {
			const { sql, close } = await openDatabase(url);
			const [row] =
				await sql`select current_setting('idle_in_transaction_session_timeout') as idle`;
			await close();
			return row?.['idle'];
		};
		await set('synchronous_commit', 'on');
		expect(await idleOf(database.url)).toBe('1min');
		expect(await idleOf(await through('refuses'))).toBe('0');
		await set('idle_in_transaction_session_timeout', '20s');
		expect(await idleOf(database.url)).toBe('20s');
	});

	it('[DEPLOY-5] a server starts where a commit is on the disk by itself', async () => {
		await set('synchronous_commit', 'on');
		const { sql, close } = await openDatabase(await through('refuses'));
		expect(await sql`select 1 as one`).toEqual([{ one: 1 }]);
		await close();
	});

	it.each(['refuses', 'ignores'] as const)(
		'[DEPLOY-5] a server does not start where it cannot have that, and a pooler %s what it asks',
		async (settings) => {
			await set('synchronous_commit', 'off');
			const opening = openDatabase(await through(settings));
			await expect(opening).rejects.toThrow(
				/^The database at 127\.0\.0\.1:\d+.*synchronous_commit/
			);
		}
	);

	it('[DEPLOY-5] a server asks for it where it may, or another way is chosen in its address', async () => {
		await set('synchronous_commit', 'off');
		const { sql, close } = await openDatabase(database.url);
		const [row] = await sql`select current_setting('synchronous_commit') as commit`;
		expect(row).toEqual({ commit: 'on' });
		await close();
		const opening = openDatabase(`${database.url}?synchronous_commit=off`);
		await expect(opening).rejects.toThrow(/synchronous_commit/);
	});
});
