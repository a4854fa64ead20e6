import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rename,
	rm,
	stat,
	utimes,
	writeFile
} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { makeCluster, type MadeCluster } from '#tests/support/made-cluster.ts';
import { connectDatabase, openDatabase, type Database } from './connect.ts';
import { startEmbeddedPostgres, type EmbeddedOptions } from './embedded.ts';
import { readPlace } from './place.ts';
import { startPostmaster, type PostmasterParts } from './postmaster.ts';

let made: MadeCluster;
beforeAll(async () => {
	made = await makeCluster();
});
afterAll(() => made.remove());

let dataDir: string;
beforeEach(async () => {
	dataDir = await mkdtemp(path.join(os.tmpdir(), 'daftar-embedded-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true, maxRetries: 20 }));

it('keeps what was written, durably, and leaves nothing running', async () => {
	const first = await started({ dataDir });
	await first.database.sql`create table page (line text)`;
	await first.database.sql`insert into page values ('دفتر')`;
	const [settings] = await first.database.sql`
		select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
			current_setting('listen_addresses') as tcp, current_setting('server_encoding') as encoding`;
	expect(settings).toEqual({ fsync: 'on', commit: 'on', tcp: '', encoding: 'UTF8' });
	const pid = await postmasterPid();
	await first.close();
	await first.close();
	expect(isAlive(pid)).toBe(false);
	expect(await readdir(dataDir)).toEqual(['postgres']);

	const second = await started({ dataDir });
	expect(await second.database.sql`select line from page`).toMatchObject([{ line: 'دفتر' }]);
});

it('lets only its own user reach the files and the socket', async () => {
	await started({ dataDir });
	const home = path.join(dataDir, 'postgres');
	for (const folder of [home, path.join(home, 'data'), path.join(home, 'socket')]) {
		expect((await stat(folder)).mode & 0o077).toBe(0);
	}
});

it('starts PostgreSQL again when it dies, at the same address', async () => {
	await made.copyTo(dataDir);
	const told: string[] = [];
	const { database } = await started({ dataDir, tell: ({ kind }) => told.push(kind) });
	await database.sql`create table page as select 7 as line`;
	process.kill(await postmasterPid(), 'SIGKILL');

	await vi.waitFor(() => {
		expect(told).toEqual(['died', 'returned']);
	}, 10_000);
	await vi.waitFor(async () => {
		expect(await database.sql`select line from page`).toMatchObject([{ line: 7 }]);
	}, 5_000);
});

it('takes none for started that was killed as soon as it was ready, of which nobody would hear', async () => {
	const program = path.join(dataDir, 'program');
	const script = `#!/bin/sh\nprintf '%s\\n\\n\\n\\n\\n\\n\\nready\\n' $$ > "$2/postmaster.pid"\n`;
	await writeFile(program, script, { mode: 0o700 });
	const held = { lost: new AbortController().signal, look: () => Promise.resolve() };
	await expect(startPostmaster({ ...partsOf(program), held })).rejects.toThrow(/did not start/);
});

it('refuses a second start on the same folder in one sentence', async () => {
	await made.copyTo(dataDir);
	await started({ dataDir });
	await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow(
		`Daftar already runs on the data folder ${dataDir} (process ${String(process.pid)}).`
	);
});

it('takes over the lock of a process that is gone, though its number is used again', async () => {
	await made.copyTo(dataDir);
	await writeFile(path.join(dataDir, 'lock'), JSON.stringify({ pid: process.pid, startedAt: '1' }));
	await started({ dataDir });
	const lock = await readFile(path.join(dataDir, 'lock'), 'utf8');
	expect(lock).not.toContain('"startedAt":"1"');
});

const ELSEWHERE = { host: 'till-2', boot: 'another', namespace: 'pid:[1]' };

/** As whoever runs in another container, or ran there, left it. */
async function leftElsewhere(ageMs: number): Promise<string> {
	const lock = path.join(dataDir, 'lock');
	// Renamed to its place, as theirs is: who still holds the old file touches that, and not this one.
	const draft = `${lock}.elsewhere`;
	await writeFile(draft, JSON.stringify({ pid: process.pid, startedAt: '1', ...ELSEWHERE }));
	const at = new Date(Date.now() - ageMs);
	await utimes(draft, at, at);
	await rename(draft, lock);
	return lock;
}

it('[KEEP-18] refuses a folder that another container has, until it was not heard of for a minute', async () => {
	await made.copyTo(dataDir);
	const lock = await leftElsewhere(0);
	await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow(
		/ in another container or on another machine \(till-2\), or did \d s ago\. Stop it there; where it was killed, start again in (5\d|6[01]) s\.$/
	);
	expect(await readFile(lock, 'utf8')).toContain('till-2');
	expect(await readdir(dataDir)).toEqual(['lock', 'postgres']);
	await leftElsewhere(61_000);
	await started({ dataDir });
	expect(await readFile(lock, 'utf8')).not.toContain('till-2');
});

it('[KEEP-18] is heard of by who starts elsewhere, for as long as it runs', async () => {
	await made.copyTo(dataDir);
	const lock = path.join(dataDir, 'lock');
	await started({ dataDir, touchMs: 20 });
	const old = new Date(Date.now() - 3_600_000);
	await utimes(lock, old, old);
	await vi.waitFor(async () => {
		expect((await stat(lock)).mtimeMs).toBeGreaterThan(Date.now() - 10_000);
	}, 5_000);
	await expect(startEmbeddedPostgres({ dataDir, here: ELSEWHERE })).rejects.toThrow(
		/ in another container /
	);
});

it('[KEEP-18] writes nothing more where somebody elsewhere took the folder', async () => {
	await made.copyTo(dataDir);
	const told: string[] = [];
	await started({
		dataDir,
		touchMs: 20,
		tell: (event) => told.push(event.kind === 'gaveUp' ? event.reason.message : event.kind)
	});
	const pid = await postmasterPid();
	const lock = await leftElsewhere(0);
	await vi.waitFor(() => {
		expect(isAlive(pid)).toBe(false);
	}, 100_000);
	expect(told).toEqual([expect.stringContaining('this one was not heard of for a minute')]);
	expect(await readFile(lock, 'utf8')).toContain('till-2');
});

it('[KEEP-18] starts no PostgreSQL where somebody elsewhere took the folder while it was about to', async () => {
	await made.copyTo(dataDir);
	const home = path.join(dataDir, 'postgres');
	const file = path.join(home, 'data/postmaster.pid');
	await writeFile(path.join(home, 'postmaster.by'), JSON.stringify(ELSEWHERE));
	await writeFile(file, `${String(process.pid)}\n`, { mode: 0o600 });
	const told: string[] = [];
	const starting = startEmbeddedPostgres({
		dataDir,
		touchMs: 20,
		othersEndMs: 1_500,
		tell: ({ kind }) => told.push(kind)
	});
	const ended = starting.then(
		async ({ stop }) => {
			await stop();
			return 'started';
		},
		(fault: unknown) => String(fault)
	);
	await vi.waitFor(() => {
		expect(existsSync(`${file}.elsewhere`)).toBe(true);
	}, 5_000);
	const lock = await leftElsewhere(0);
	const by = await readFile(path.join(home, 'postmaster.by'), 'utf8');
	expect(await ended).toContain('this one was not heard of for a minute');
	expect(told).toEqual(['waits', 'gaveUp']);
	expect(await readFile(path.join(home, 'postmaster.by'), 'utf8')).toBe(by);
	expect(await readFile(lock, 'utf8')).toContain('till-2');
});

it('[KEEP-18] ends at once a PostgreSQL that was not ready yet when somebody elsewhere took the folder', async () => {
	const program = path.join(dataDir, 'program');
	await writeFile(program, '#!/bin/sh\necho $$ > "$2/pid"\nexec sleep 60\n', { mode: 0o700 });
	const losing = new AbortController();
	const held = { lost: losing.signal, look: () => Promise.resolve() };
	const starting = startPostmaster({ ...partsOf(program), held });
	const refused = expect(starting).rejects.toThrow('till-2 has it');
	await vi.waitFor(async () => {
		expect(await readFile(path.join(dataDir, 'pid'), 'utf8')).toMatch(/\n$/);
	}, 5_000);
	losing.abort(new Error('till-2 has it'));
	await refused;
	expect(isAlive(Number(await readFile(path.join(dataDir, 'pid'), 'utf8')))).toBe(false);
});

it('[KEEP-18] starts where a kill left the note of who started PostgreSQL torn', async () => {
	await made.copyTo(dataDir);
	await writeFile(path.join(dataDir, 'postgres/postmaster.by'), '{"host":"ti');
	const file = path.join(dataDir, 'postgres/data/postmaster.pid');
	await writeFile(file, `${String(process.pid)}\n`, { mode: 0o600 });
	const told: string[] = [];
	await started({ dataDir, tell: ({ kind }) => told.push(kind) });
	expect(told).toEqual([]);
});

it('[KEEP-18] gives a PostgreSQL that was started elsewhere the time in which it ends by itself', async () => {
	await made.copyTo(dataDir);
	const told: string[] = [];
	const home = path.join(dataDir, 'postgres');
	const file = path.join(home, 'data/postmaster.pid');
	await writeFile(path.join(home, 'postmaster.by'), JSON.stringify(ELSEWHERE));
	await writeFile(file, `${String(process.pid)}\n`, { mode: 0o600 });
	const options: EmbeddedOptions = {
		dataDir,
		othersEndMs: 300,
		tell: (event) => {
			told.push(`${event.kind} ${String(existsSync(file))}`);
		}
	};
	const starting = started(options);
	await vi.waitFor(() => {
		expect(existsSync(`${file}.elsewhere`)).toBe(true);
	}, 5_000);
	// Its own file is gone, upon which it ends; no other is started before.
	expect(existsSync(file)).toBe(false);
	const first = await starting;
	expect(existsSync(`${file}.elsewhere`)).toBe(false);
	expect(told).toEqual(['waits true']);
	// Whom we started ourselves we know.
	await first.close();
	await started(options);
	expect(told).toHaveLength(1);
});

it('lets one of many starts have a stale lock', async () => {
	await writeFile(path.join(dataDir, 'lock'), 'torn');
	const starts = await Promise.allSettled(
		Array.from({ length: 4 }, () => startEmbeddedPostgres({ dataDir }))
	);
	const won = starts.filter((start) => start.status === 'fulfilled');
	for (const { value } of won) await value.stop();
	expect(won).toHaveLength(1);
});

it('never ends a stranger whose number the last PostgreSQL had, and starts beside him', async () => {
	await made.copyTo(dataDir);
	await (await started({ dataDir })).close();
	const home = path.join(dataDir, 'postgres');
	// One whom PostgreSQL may signal, and so takes for another of its kind.
	const { uid, gid } = await stat(path.join(home, 'data'));
	const stranger = spawn('sleep', ['60'], { uid, gid });
	onTestFinished(() => void stranger.kill());
	for (const file of ['data/postmaster.pid', 'socket/.s.PGSQL.5432.lock']) {
		await writeFile(path.join(home, file), `${String(stranger.pid)}\n`, { mode: 0o644 });
	}

	const { database } = await started({ dataDir });
	expect(await database.sql`select 1 as one`).toMatchObject([{ one: 1 }]);
	expect([stranger.exitCode, stranger.signalCode]).toEqual([null, null]);
});

it('never ends the PostgreSQL of another folder', async () => {
	await made.copyTo(path.join(dataDir, 'other'));
	await made.copyTo(dataDir);
	const other = await started({ dataDir: path.join(dataDir, 'other') });
	const pid = await postmasterPid('other');
	await (await started({ dataDir })).close();
	const file = path.join(dataDir, 'postgres/data/postmaster.pid');
	await writeFile(file, `${String(pid)}\n`, { mode: 0o600 });

	await started({ dataDir });
	expect(await postmasterPid('other')).toBe(pid);
	expect(await other.database.sql`select 1 as one`).toMatchObject([{ one: 1 }]);
});

it('works under a folder whose name is too long for a socket, or has spaces', async () => {
	const deep = path.join(dataDir, 'a shop, its data '.repeat(5), 'x'.repeat(100));
	const { database } = await started({ dataDir: deep });
	expect(await database.sql`select 1 as one`).toMatchObject([{ one: 1 }]);
});

it('begins again where a first start was killed half way', async () => {
	await mkdir(path.join(dataDir, 'postgres/data.new'), { recursive: true });
	await writeFile(path.join(dataDir, 'postgres/data.new/PG_VERSION'), '18\n');
	await started({ dataDir });
	expect(await readdir(path.join(dataDir, 'postgres'))).not.toContain('data.new');
});

it('refuses the files of another PostgreSQL', async () => {
	await mkdir(path.join(dataDir, 'postgres/data'), { recursive: true });
	await writeFile(path.join(dataDir, 'postgres/data/PG_VERSION'), '15\n');
	await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow(
		/belongs to PostgreSQL 15, and this Daftar brings 18\.$/
	);
	expect(await readdir(dataDir)).toEqual(['postgres']);
});

it('refuses a folder under a file in one sentence', async () => {
	const file = path.join(dataDir, 'file');
	await writeFile(file, '');
	const under = path.join(file, 'data');
	await expect(startEmbeddedPostgres({ dataDir: under })).rejects.toThrow(
		`The data folder ${under} cannot be written (ENOTDIR).`
	);
});

it('says why PostgreSQL did not start, and gives the folder back', async () => {
	await made.copyTo(dataDir);
	await expect(
		startEmbeddedPostgres({ dataDir, settings: { shared_buffers: 'many' } })
	).rejects.toThrow(/^PostgreSQL did not start: .*shared_buffers/);
	await started({ dataDir });
});

it('refuses a database that is not in UTF-8', async () => {
	await made.copyTo(dataDir);
	const { url, database } = await started({ dataDir });
	await database.sql`create database plain encoding 'LATIN1' locale 'C' locale_provider 'libc' template template0`;
	await expect(openDatabase(url.replace(/[^/]*$/, 'plain'))).rejects.toThrow(/is not in UTF-8/);
});

interface Started {
	readonly url: string;
	readonly database: Database;
	readonly close: () => Promise<void>;
}

async function started(options: EmbeddedOptions): Promise<Started> {
	const { url, stop } = await startEmbeddedPostgres({
		...options,
		settings: { shared_buffers: '8MB', ...options.settings }
	});
	const database = connectDatabase(url, { connectionsMax: 2 });
	const close = async (): Promise<void> => {
		await database.close();
		await stop();
	};
	onTestFinished(close);
	return { url, database, close };
}

function partsOf(program: string): Omit<PostmasterParts, 'held'> {
	return {
		...{ program, runner: { prefix: [] }, pgdata: dataDir, socketFolder: dataDir, settings: {} },
		...{ logFile: path.join(dataDir, 'log'), here: readPlace(), waits: () => undefined }
	};
}

async function postmasterPid(folder = '.'): Promise<number> {
	const file = path.join(dataDir, folder, 'postgres/data/postmaster.pid');
	return Number((await readFile(file, 'utf8')).split('\n')[0]);
}

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}
