import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { createHash } from 'node:crypto';
import type { Sql } from 'postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectDatabase } from '#server/database/connect.ts';
import { readBackupMark } from '#server/database/epoch.ts';
import { keyIdOf } from '#server/secret.ts';
import { openRelayKey } from '#server/vault.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { keepMarks } from './backup-marks.ts';
import { encodeLine, parseEnd, parseHeader, type Header } from './backup-form.ts';
import { dropTables, readLastMigration, readMigrations, takeMigrations } from './migrations.ts';
import { mustReadBack } from './read-back.ts';
import { checkBackup } from './read-backup.ts';
import { checkRestore, restoreBackup } from './restore-backup.ts';
import { readTables } from './tables.ts';
import { streamBackup, writeBackup, type Streamed } from './write-backup.ts';

const NOW = Date.UTC(2026, 10, 20, 9);
const SECRET_TEXT = 'a secret of this test that is long enough';
const SECRET = keyIdOf(Buffer.from(SECRET_TEXT));
const BUSINESS = '0192f0c1-7a00-4000-8000-000000000001';
const PERSON = '0192f0c1-7a00-4000-8000-0000000000e1';
const LEDGER = '8d3c1f52-5b1e-4c38-9a57-1f0c2e9b7a10';
const ODD = 'tab\tline\nback\\slash \\N "quote" é 𝄞 \\.';

let from: TestDatabase;
let to: TestDatabase;
let folder: string;
let file: string;
beforeEach(async () => {
	[from, to] = await Promise.all([createTestDatabase(), createTestDatabase()]);
	folder = await mkdtemp(path.join(os.tmpdir(), 'daftar-backup-'));
	file = path.join(folder, 'shop.backup');
	await fill(from);
});
afterEach(async () => {
	await Promise.all([from.close(), to.close()]);
	await rm(folder, { recursive: true });
});

/** One row or more in every kind of column, and in tables that refer to each other. */
async function fill({ sql }: TestDatabase): Promise<void> {
	await sql`insert into database_epoch (epoch, started_at) values (7, 1)`;
	await sql`
		insert into account (account, username, kind, name, email, password_hash, person, created_at)
		values (${PERSON}, 'asha', 'store', ${ODD}, 'asha@example.org', '-', ${PERSON}, 1)`;
	await sql`insert into person (person, account, created_at) values (${PERSON}, ${PERSON}, 1)`;
	await sql`
		insert into business (business, name, last_device_code, last_member, claimed_at)
		values (${BUSINESS}, ${ODD}, 'Z', 3, 1)`;
	await sql`insert into feed_head (business, s, relay_n) values (${BUSINESS}, 3000, 2)`;
	await sql`
		insert into fact (business, code, n, kind, branch, document, wall, counter, on_day, member,
			text, digest, s)
		select ${BUSINESS}, 'A', n, 'setting', null, null, n, 0, '2026-11-20', 1,
			${ODD} || n || repeat('x', 200), -n, n
		from generate_series(1, 3000) as n`;
	await sql`
		insert into document_update (business, document, sequence, update)
		select ${BUSINESS}, 'j', n, decode(repeat('00ff5c0a0d', 2000), 'hex')
		from generate_series(1, 20) as n`;
	await sql`
		insert into product (business, product, fields, stamps)
		values (${BUSINESS}, 'A-1', ${JSON.stringify({ name: ODD })}::jsonb, '{}')`;
	await sql`
		insert into session (token_hash, account, user_agent, created_at, seen_at, expires_at)
		values ('\\x01', ${PERSON}, '-', 1, 1, 1)`;
	await sql`
		insert into ledger_link (business, ledger, person, state, way, epoch, at)
		values (${BUSINESS}, ${LEDGER}, ${PERSON}, 'linked', 'app', 2, 1)`;
	await openRelayKey({ sql, secret: Buffer.from(SECRET_TEXT), clock: () => 1 });
	await sql`
		insert into message (key, channel, recipient, body, is_secret, state, tries, due_at, created_at)
		values ('one', 'sms', '+911', 'your code', true, 'waiting', 0, 1, 1)`;
	await sql`insert into rate_limit (key, points, expire) values ('k', 1, now())`;
}

const COMMAND = path.resolve(import.meta.dirname, '../backup.ts');

function commandEnv(more: Readonly<Record<string, string>>): Record<string, string | undefined> {
	return { PATH: process.env['PATH'], DATABASE_URL: from.url, DATA_DIR: folder, ...more };
}

async function save(): ReturnType<typeof writeBackup> {
	// Connections of its own, which it ends where it fails.
	const { sql } = connectDatabase(from.url, { connectionsMax: 1 });
	try {
		return await writeBackup(file, { sql, clock: () => NOW, secret: SECRET });
	} finally {
		await sql.end();
	}
}

async function load(
	options: Partial<Parameters<typeof restoreBackup>[2] & Parameters<typeof checkRestore>[1]> = {}
): ReturnType<typeof restoreBackup> {
	const parts = { clock: () => NOW, secret: SECRET, isOtherSecret: false, ...options };
	return restoreBackup(to, await checkRestore(file, parts), parts);
}

/** The same, and what went into it. */
async function saveSums(): Promise<Streamed> {
	const { sql } = connectDatabase(from.url, { connectionsMax: 1 });
	const parts = { sql, clock: () => NOW, secret: SECRET };
	const streamed = await streamBackup(parts, createWriteStream(file));
	await sql.end();
	return streamed;
}

async function rowsOf({ sql }: TestDatabase, table: string): Promise<readonly object[]> {
	return sql`select * from ${sql(table)} as held order by held::text`;
}

async function countAll(database: TestDatabase): Promise<number> {
	const counts = (await readTables(database.sql)).map(async ({ name }) => {
		return (await rowsOf(database, name)).length;
	});
	return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

describe('a backup', () => {
	it('[KEEP-1] comes back as it was, every table and every sign', async () => {
		const { rows, tables } = await save();
		expect(rows).toBe(await countAll(from));
		expect(tables).toBe((await readTables(from.sql)).length);
		const restored = await load();
		expect(restored.rows).toBe(rows);
		for (const table of [
			'account',
			'fact',
			'document_update',
			'product',
			'feed_head',
			'relay_key'
		]) {
			expect(await rowsOf(to, table)).toEqual(await rowsOf(from, table));
		}
		expect((await rowsOf(to, 'fact')).length).toBe(3000);
		expect((await stat(file)).mode & 0o777).toBe(0o600);
	});

	it('[KEEP-1] is of one moment, whatever is written meanwhile', async () => {
		const { sql } = from;
		const pieces: Buffer[] = [];
		const { promise: written, resolve: write } = Promise.withResolvers<undefined>();
		const { promise: begun, resolve: begin } = Promise.withResolvers<undefined>();
		const out = new Writable({
			highWaterMark: 1,
			write: (piece: Buffer, _encoding, done) => {
				pieces.push(piece);
				begin(undefined);
				void written.then(() => {
					done();
				});
			}
		});
		const own = connectDatabase(from.url, { connectionsMax: 1 });
		const saving = streamBackup({ sql: own.sql, clock: () => NOW, secret: SECRET }, out);
		await begun;
		await sql`update business set last_member = 99`;
		await sql`insert into feed_head (business, s) values (${LEDGER}, 1)`;
		await sql`delete from fact where n > 5`;
		write(undefined);
		await saving;
		await own.close();
		await writeFile(file, Buffer.concat(pieces));
		await load();
		expect(await rowsOf(to, 'fact')).toHaveLength(3000);
		expect(await rowsOf(to, 'feed_head')).toHaveLength(1);
		expect(await to.sql`select last_member from business`).toEqual([{ last_member: 163 }]);
	});

	it('[KEEP-1] lacks nothing of a table that a newer program would change as it begins', async () => {
		const own = connectDatabase(from.url, { connectionsMax: 1 });
		const { promise: held, resolve: letGo } = Promise.withResolvers<undefined>();
		const holding = from.sql.begin(async (tx) => {
			await tx`lock table drizzle.__drizzle_migrations in access exclusive mode`;
			await held;
		});
		const out = createWriteStream(file);
		const saving = streamBackup({ sql: own.sql, clock: () => NOW, secret: SECRET }, out);
		const readWaiting = async (): Promise<number> => {
			const rows = await from.sql`
				select 1 from pg_locks where not granted and relation = any(array[
					'drizzle.__drizzle_migrations'::regclass, 'fact'::regclass
				]) and database = (select oid from pg_database where datname = current_database())`;
			return rows.length;
		};
		await expect.poll(readWaiting).toBe(1);
		let isChanged = false;
		// Who began before this sees none of its rows from then on, neither the old nor the new.
		const changing = from.sql`alter table fact alter column counter type bigint`.then(() => {
			isChanged = true;
		});
		await expect.poll(async () => isChanged || (await readWaiting()) === 2).toBe(true);
		letGo(undefined);
		const { sums } = await saving;
		await Promise.all([holding, changing]);
		await own.close();
		expect(sums['fact']?.rows).toBe(3000);
		expect(await load()).toMatchObject({ rows: await countAll(from) });
	});

	it('[KEEP-2] never takes the name of a file that is there', async () => {
		await writeFile(file, 'mine');
		await expect(save()).rejects.toThrow(/There is a file .* already/);
		expect(await readFile(file, 'utf8')).toBe('mine');
		expect(await readdir(folder)).toEqual(['shop.backup']);
	});

	it('[KEEP-2] of two that are written at once under one name, in two containers, one is kept', async () => {
		const saves = await Promise.allSettled(
			[1, 2].map(async () => {
				const { sql, close } = connectDatabase(from.url, { connectionsMax: 1 });
				try {
					// In each container the process has the same number.
					return await writeBackup(file, { sql, clock: () => NOW, secret: SECRET });
				} finally {
					await close();
				}
			})
		);
		const reasons = saves.flatMap((saved) =>
			saved.status === 'rejected' ? [String(saved.reason)] : []
		);
		expect(reasons).toEqual([expect.stringMatching(/There is a file .* already/)]);
		expect(await readdir(folder)).toEqual(['shop.backup']);
		await expect(checkBackup(file)).resolves.toBeDefined();
	});

	it('[KEEP-2] leaves nothing behind where the disk is full or somebody stops it', async () => {
		const env = commandEnv({ DAFTAR_SECRET: SECRET_TEXT });
		const full = promisify(execFile)(
			'bash',
			['-c', `ulimit -f 1; exec ${process.execPath} ${COMMAND} ${file}`],
			{
				env
			}
		);
		await expect(full).rejects.toMatchObject({
			code: 1,
			stderr: expect.stringMatching(/There is no room left for .*Nothing was kept/) as string
		});
		const { sql } = connectDatabase(from.url, { connectionsMax: 1 });
		const parts = { sql, clock: () => NOW, secret: SECRET };
		const nowhere = path.join(folder, 'none', 'shop.backup');
		await expect(writeBackup(nowhere, parts)).rejects.toThrow(/There is no folder/);
		await expect(writeBackup(file, { ...parts, signal: AbortSignal.abort() })).rejects.toThrow(
			/Stopped\. There is no file/
		);
		expect(await readdir(folder)).toEqual([]);
	});

	it('[KEEP-3] that is torn, altered or none is refused before anything is written', async () => {
		await save();
		const whole = await readFile(file);
		const plain = gunzipSync(whole);
		const cuts = [0, 5, 100, Math.floor(whole.length / 2), whole.length - 1];
		for (const cut of cuts) {
			await writeFile(file, whole.subarray(0, cut));
			await expect(load()).rejects.toThrow(/is torn|is no backup of Daftar/);
		}
		for (const at of [40, Math.floor(whole.length / 2), whole.length - 12]) {
			const flipped = Buffer.from(whole);
			flipped[at] = (flipped[at] ?? 0) ^ 0x10;
			await writeFile(file, flipped);
			await expect(load()).rejects.toThrow(/was altered or damaged|is torn/);
		}
		const one = plain.indexOf('x'.repeat(200));
		for (const at of [one, plain.length - 30]) {
			const flipped = Buffer.from(plain);
			flipped[at] = (flipped[at] ?? 0) ^ 0x01;
			await writeFile(file, gzipSync(flipped));
			await expect(load()).rejects.toThrow(/was altered or damaged/);
		}
		await writeFile(file, gzipSync(Buffer.concat([plain, Buffer.from('more')])));
		await expect(load()).rejects.toThrow(/what follows its end/);
		for (const none of ['', 'not a backup', gzipSync('nor this\n'), gzipSync('{}\n')]) {
			await writeFile(file, none);
			await expect(load()).rejects.toThrow(/is torn|is no backup of Daftar/);
		}
		await expect(checkBackup(path.join(folder, 'none'))).rejects.toThrow(/There is no file/);
		expect(await countAll(to)).toBe(0);
	});

	it('[KEEP-3] of a newer program is refused in words', async () => {
		await save();
		const plain = gunzipSync(await readFile(file));
		for (const change of [{ version: 2 }, { migration: '0099_later' }]) {
			await writeFile(file, gzipSync(rewritten(plain, (header) => ({ ...header, ...change }))));
			await expect(load()).rejects.toThrow(/was made by a newer Daftar/);
		}
	});

	it('[KEEP-4] goes into an empty database alone, whole or not at all', async () => {
		await save();
		await to.sql`insert into database_epoch (epoch, started_at) values (1, 1)`;
		await expect(load()).rejects.toThrow(/The database is not empty \(table database_epoch/);
		await to.sql`delete from database_epoch`;
		// A row twice: PostgreSQL refuses it, perhaps only at the very end of the table.
		await from.sql`alter table fact drop constraint fact_business_code_n_pk`;
		await from.sql`alter table fact drop constraint fact_feed`;
		await from.sql`insert into fact select * from fact where n = 3000`;
		await rm(file);
		await save();
		await expect(load()).rejects.toThrow(/The database did not take table fact/);
		expect(await countAll(to)).toBe(0);
	});

	it('[KEEP-4] drops nothing of another program, with rows or without', async () => {
		await save();
		const { sql } = to;
		const refused = async (change: string, said: RegExp, back: string): Promise<void> => {
			await sql.unsafe(change);
			await expect(load()).rejects.toThrow(said);
			await sql.unsafe(back);
		};
		await refused(
			'create table visitor (name text)',
			/not empty \(table visitor is none of Daftar's\)/,
			'drop table visitor'
		);
		const journal = 'drizzle.__drizzle_migrations';
		await refused(
			`insert into ${journal} (hash, created_at) values ('theirs', 12)`,
			/not empty \(its tables are another program's/,
			`delete from ${journal} where created_at = 12`
		);
		await refused(
			`create table kept as table ${journal}; alter table kept set schema drizzle; delete from ${journal}`,
			/not empty \(its tables are another program's/,
			`insert into ${journal} table drizzle.kept`
		);
		await refused(
			'create view names as select name from account',
			/other objects depend/,
			'drop view names'
		);
		expect(await countAll(to)).toBe(0);
		await load();
		expect(await sql`select count(*)::int as count from drizzle.kept`).toEqual([
			{ count: (await readMigrations()).length }
		]);
		expect(await rowsOf(to, 'fact')).toHaveLength(3000);
	});

	it('[KEEP-10] tells how far it reaches once it was read back, and never less than another', async () => {
		const { sql } = from;
		const marks = (): Promise<readonly object[]> =>
			sql`select business, epoch, s::int, at::float8 from backup_mark`;
		const { reach } = await save();
		expect(reach).toEqual({ epoch: 7, at: NOW, feeds: [{ business: BUSINESS, s: 3000 }] });
		expect(await marks()).toEqual([]);
		expect(await keepMarks(sql, reach)).toBe(true);
		const told = [{ business: BUSINESS, epoch: 7, s: 3000, at: NOW }];
		expect(await marks()).toEqual(told);
		// A backup that was begun before and ended later, and one of a database that is gone.
		const less = [{ business: BUSINESS, s: 2000 }];
		expect(await keepMarks(sql, { ...reach, at: NOW + 1, feeds: less })).toBe(true);
		expect(await keepMarks(sql, { ...reach, epoch: 6 })).toBe(false);
		expect(await keepMarks(sql, { ...reach, epoch: 8 })).toBe(false);
		expect(await marks()).toEqual(told);
		expect(await readBackupMark(sql, BUSINESS, 7)).toBe(3000);
		expect(await readBackupMark(sql, BUSINESS, 8)).toBeUndefined();
		expect(await readBackupMark(sql, PERSON, 7)).toBeUndefined();
	});

	it('[KEEP-10] is forgotten by a database that is restored, also where the file holds one', async () => {
		await keepMarks(from.sql, (await save()).reach);
		await rm(file);
		await save();
		expect(gunzipSync(await readFile(file)).includes(`${BUSINESS}\t7\t3000\t${String(NOW)}`)).toBe(
			true
		);
		await load();
		expect(await rowsOf(to, 'backup_mark')).toEqual([]);
	});

	it('[KEEP-10] that does not read back as it was written is not kept', async () => {
		const { header, sums } = await saveSums();
		const whole = await readFile(file);
		await expect(mustReadBack(file, { secret: SECRET }, sums)).resolves.toBeUndefined();
		const fails = [
			[sums, whole.subarray(0, whole.length - 9)],
			[{ ...sums, none: { rows: 1, digest: '0'.repeat(64) } }, whole],
			[{ ...sums, fact: { rows: 2_999, digest: sums['fact']?.digest ?? '' } }, whole]
		] as const;
		for (const [said, bytes] of fails) {
			await writeFile(file, bytes);
			await expect(mustReadBack(file, { secret: SECRET }, said)).rejects.toThrow(
				/does not read back as it was written\. Nothing was kept/
			);
		}
		expect(header.epoch).toBe(7);
		const signal = AbortSignal.abort();
		await expect(mustReadBack(file, { secret: SECRET, signal }, sums)).rejects.toThrow('stopped');
	});

	it('[KEEP-4] of an older program has the tables of this one once it is restored', async () => {
		const older = await createTestDatabase();
		const migrations = await readMigrations();
		await older.sql.begin(async (transaction) => {
			const tx = transaction as unknown as Sql;
			await dropTables(tx);
			await takeMigrations(tx, migrations.slice(0, 1));
			await tx`insert into feed_head (business, s) values (${BUSINESS}, 12)`;
		});
		const { sql } = connectDatabase(older.url, { connectionsMax: 1 });
		const { reach } = await writeBackup(file, { sql, clock: () => NOW, secret: SECRET });
		expect(await keepMarks(sql, reach)).toBe(false);
		await sql.end();
		await load();
		expect(await readTables(to.sql)).toEqual(await readTables(from.sql));
		expect(await to.sql`select s from epoch_end`).toEqual([{ s: '12' }]);
		expect(await readLastMigration(to.sql)).toEqual(migrations.at(-1));
		await older.close();
	});

	it('[KEEP-5] needs its secret, or somebody who says that it is lost', async () => {
		await save();
		expect(gunzipSync(await readFile(file)).includes('a secret of this test')).toBe(false);
		for (const secret of ['0123456789abcdef', undefined]) {
			await expect(load({ secret })).rejects.toThrow(/was made with another secret/);
		}
		expect(await countAll(to)).toBe(0);
		await load({ secret: undefined, isOtherSecret: true });
		// It signs nothing any more; what it signed is still known.
		const [key, ...more] = await to.sql`select place, length(sealed) as sealed from relay_key`;
		expect([{ ...key }, more]).toEqual([{ place: 2, sealed: 0 }, []]);
		expect(await rowsOf(to, 'fact')).toHaveLength(3000);
	});

	it('[KEEP-5] names the secret that opens what is in it, and makes none', async () => {
		const command = (more: Readonly<Record<string, string>>): Promise<unknown> =>
			promisify(execFile)(process.execPath, [COMMAND, file], { env: commandEnv(more) });
		await expect(command({})).rejects.toMatchObject({
			code: 1,
			stderr: expect.stringMatching(/^There is no secret .* nothing was saved/) as string
		});
		const other = 'another secret that is long enough too';
		await expect(command({ DAFTAR_SECRET: other })).rejects.toMatchObject({
			code: 1,
			stderr: expect.stringMatching(/^The secret here .* nothing was saved/) as string
		});
		expect(await readdir(folder)).toEqual([]);
		await command({ DAFTAR_SECRET: SECRET_TEXT });
		expect(await readdir(folder)).toEqual(['shop.backup']);
		expect((await checkBackup(file)).header.secret).toBe(SECRET);
	});

	it('[KEEP-6] begins a later epoch and gives nothing out twice', async () => {
		await save();
		const { epoch } = await load();
		expect(epoch).toBe(Math.floor((NOW - Date.UTC(2026, 0, 1)) / 60_000));
		expect(await to.sql`select epoch, s from epoch_end`).toEqual([{ epoch: 7, s: '3000' }]);
		expect(await to.sql`select max(epoch) as epoch from database_epoch`).toEqual([{ epoch }]);
		expect(await to.sql`select last_device_code, last_member from business`).toEqual([
			{ last_device_code: 'DH', last_member: 163 }
		]);
		expect(await to.sql`select last_phone from person_detail`).toEqual([{ last_phone: 160 }]);
		expect(await rowsOf(to, 'session')).toEqual([]);
		expect(await rowsOf(to, 'rate_limit')).toEqual([]);
		expect(await to.sql`select state, body from message`).toEqual([
			{ state: 'failed', body: null }
		]);
	});

	it('[KEEP-6] that is restored once more gives out nothing that the first restore gave out', async () => {
		await save();
		await load();
		const given = await lastGiven();
		await to.close();
		to = await createTestDatabase();
		await load({ clock: () => NOW + 3_600_000 });
		const again = await lastGiven();
		expect([given.code.length, again.code.length]).toEqual([2, 2]);
		// A minute apart is a number apart.
		expect(ordinalOf(again.code) - ordinalOf(given.code)).toBe(60);
		expect([again.member - given.member, again.phone - given.phone]).toEqual([60, 60]);
	});

	it('[KEEP-6] is never restored twice into one epoch, also where its own is ahead of the clock', async () => {
		const ahead = Math.floor((NOW - Date.UTC(2026, 0, 1)) / 60_000) + 90;
		await from.sql`insert into database_epoch (epoch, started_at) values (${ahead}, ${NOW})`;
		await save();
		const first = await load();
		expect(first.epoch).toBeGreaterThan(ahead);
		const given = await lastGiven();
		await to.close();
		to = await createTestDatabase();
		const second = await load({ clock: () => NOW + 60_000 });
		expect(second.epoch - first.epoch).toBe(1);
		expect((await lastGiven()).member - given.member).toBe(1);
	});

	it('[KEEP-6] is not restored by a clock that was never set', async () => {
		await save();
		await expect(load({ clock: () => 60_000 })).rejects.toThrow(
			/^This machine's clock says 1970-01-01T00:01:00.000Z: set it right/
		);
		expect(await to.sql`select epoch from database_epoch`).toEqual([]);
		expect((await load()).rows).toBeGreaterThan(0);
	});
});

interface Given {
	readonly code: string;
	readonly member: number;
	readonly phone: number;
}

/** What the restored database says was given out last. */
async function lastGiven(): Promise<Given> {
	const [row] = await to.sql<Given[]>`
		select last_device_code as code, last_member as member, last_phone as phone
		from business, person_detail`;
	if (row === undefined) throw new Error('no business');
	return row;
}

function ordinalOf(code: string): number {
	return Array.from(code).reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 0x40, 0);
}

/** The same backup with another header, and digests that fit. */
function rewritten(plain: Buffer, change: (header: Header) => Header): Buffer {
	const headEnd = plain.indexOf('\n') + 1;
	const lastStart = plain.lastIndexOf('\n', plain.length - 2) + 1;
	const header = parseHeader(plain.subarray(0, headEnd).toString());
	// The end's line follows a length of zero, which is no line's end.
	const endStart = plain.indexOf('{"tables"', lastStart);
	const end = parseEnd(plain.subarray(endStart).toString());
	if (!header.ok || !end.ok) throw new Error('not a backup');
	const head = encodeLine(change(header.value));
	const body = plain.subarray(headEnd, endStart);
	const digest = createHash('sha256').update(head).update(body).digest('hex');
	return Buffer.concat([head, body, encodeLine({ ...end.value, digest })]);
}
