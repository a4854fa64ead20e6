import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readlinkSync, realpathSync } from 'node:fs';
import { open, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HeldFolder } from './data-folder.ts';
import { isSamePlace, parsePlace, type Place } from './place.ts';
import type { Runner } from './privilege.ts';

const POLL_MS = 20;
/** After a crash PostgreSQL first replays its log, which on a slow disk takes a while. */
const READY_MS_MAX = 120_000;
const FAST_STOP_MS_MAX = 20_000;
const IMMEDIATE_STOP_MS_MAX = 5_000;
const LOG_BYTES_MAX = 10 * 1024 * 1024;

/** What one run of PostgreSQL needs. Folders are absolute. */
export interface PostmasterParts {
	readonly program: string;
	readonly runner: Runner;
	readonly pgdata: string;
	readonly socketFolder: string;
	readonly logFile: string;
	readonly settings: Readonly<Record<string, string>>;
	/** Where we are. */
	readonly here: Place;
	/** The folder in which all of it is. */
	readonly held: Pick<HeldFolder, 'lost' | 'look'>;
	/** Hears that what was started elsewhere is given time to end. */
	readonly waits: (ms: number) => void;
	/** In the place of `OTHERS_END_MS`. */
	readonly othersEndMs?: number;
}

/**
 * Starts PostgreSQL and waits until it takes connections. What is left of the one before it is ended
 * and cleared away first; nobody else may be starting one on the same folders. Throws where it ends
 * before it is ready. KEEP-18. So it does where somebody elsewhere took the folder meanwhile, and none runs then.
 */
export async function startPostmaster(parts: PostmasterParts): Promise<ChildProcess> {
	await mustHold(parts);
	await endOrphan(parts);
	// Which takes its time, in which we may have slept.
	await mustHold(parts);
	await clearSocket(parts.socketFolder);
	const logBytes = await trimLog(parts.logFile);
	await writeFile(startedBy(parts), JSON.stringify(parts.here), { mode: 0o600 });
	const child = await launch(parts);
	const deadline = Date.now() + READY_MS_MAX;
	while (!(await isReady(parts.pgdata, child.pid))) {
		if (parts.held.lost.aborted) {
			child.kill('SIGQUIT');
			await stopPostmaster(child);
			parts.held.lost.throwIfAborted();
		}
		if (hasEnded(child)) throw await failure(parts.logFile, logBytes);
		if (Date.now() > deadline) {
			await stopPostmaster(child);
			throw new Error(
				`PostgreSQL was not ready within ${String(READY_MS_MAX / 1000)} s, see ${parts.logFile}.`
			);
		}
		await sleep(POLL_MS);
	}
	// Whoever listens only now would never hear that it was killed since it wrote that it was ready.
	if (hasEnded(child)) throw await failure(parts.logFile, logBytes);
	return child;
}

async function mustHold({ held }: Pick<PostmasterParts, 'held'>): Promise<void> {
	await held.look();
	held.lost.throwIfAborted();
}

/** Stops PostgreSQL in order, and less politely where it does not come to an end. */
export async function stopPostmaster(child: ChildProcess): Promise<void> {
	if (hasEnded(child) || child.pid === undefined) return;
	const ended = once(child, 'exit');
	await end(child.pid, () => hasEnded(child));
	await ended;
}

/**
 * KEEP-18. Ends a PostgreSQL that still runs on `pgdata` after the Daftar that started it was killed. A
 * process is only touched when it is PostgreSQL and this folder is the one it works in, and what
 * was started elsewhere not at all: its number, and its shared memory, mean nothing here.
 */
async function endOrphan(parts: PostmasterParts): Promise<void> {
	const { pgdata } = parts;
	const [pid] = await readPidFile(pgdata);
	const isElsewhere = pid !== undefined && !(await wasStartedHere(parts));
	if (isElsewhere || existsSync(aside(pgdata))) await letEnd(parts);
	if (pid === undefined || isElsewhere) return;
	if (isPostmasterOf(pid, pgdata)) return end(pid, () => !isPostmasterOf(pid, pgdata));

	// The number is free, or a stranger's, or a dead process's that nobody collected. PostgreSQL
	// would take the last two for another postmaster and not start; its shared memory still tells
	// it when one really lives, for here is where it was made.
	await rm(pidFile(pgdata), { force: true });
}

function startedBy({ pgdata }: Pick<PostmasterParts, 'pgdata'>): string {
	return path.join(path.dirname(pgdata), 'postmaster.by');
}

/** What a kill or a full disk left torn was written before its PostgreSQL began: none is of it. */
function placeIn(text: string): Place | undefined {
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === 'object' && value !== null ? parsePlace(value) : undefined;
	} catch {
		return undefined;
	}
}

/** One that says nothing is of a Daftar that did not write it down. */
async function wasStartedHere(parts: PostmasterParts): Promise<boolean> {
	const place = placeIn(await readFile(startedBy(parts), 'utf8').catch(() => ''));
	return place === undefined || isSamePlace(place, parts.here);
}

/** Once a minute PostgreSQL looks whether `postmaster.pid` is its own, and ends at once where it is not. */
const OTHERS_END_MS = 75_000;

/**
 * Where its Daftar was killed and it was not, it finds that its file is gone, ends by itself, and only
 * then is another started.
 */
async function letEnd(parts: PostmasterParts): Promise<void> {
	const { pgdata, waits, othersEndMs = OTHERS_END_MS } = parts;
	waits(othersEndMs);
	if (!(await wasStartedHere(parts)))
		await rename(pidFile(pgdata), aside(pgdata)).catch(() => undefined);
	await sleep(othersEndMs);
	await rm(aside(pgdata), { force: true });
}

function pidFile(pgdata: string): string {
	return path.join(pgdata, 'postmaster.pid');
}

/** It stays until the time is over: whoever is killed in between waits once more. */
function aside(pgdata: string): string {
	return `${pidFile(pgdata)}.elsewhere`;
}

/**
 * The socket has a lock of its own. Whoever was killed leaves it behind with his number, and where
 * that is a stranger's by now, PostgreSQL would never start again.
 */
async function clearSocket(socketFolder: string): Promise<void> {
	for (const file of await readdir(socketFolder)) {
		if (file.startsWith('.s.PGSQL.')) await rm(path.join(socketFolder, file), { force: true });
	}
}

/** Whether process `pid` is a PostgreSQL that works in `pgdata`. */
function isPostmasterOf(pid: number, pgdata: string): boolean {
	try {
		if (process.platform !== 'linux') {
			const command = execFileSync('ps', ['-o', 'command=', '-p', String(pid)], {
				encoding: 'utf8'
			});
			return command.includes('postgres') && command.includes(pgdata);
		}
		const proc = `/proc/${String(pid)}`;
		return (
			path.basename(readlinkSync(`${proc}/exe`)).startsWith('postgres') &&
			readlinkSync(`${proc}/cwd`) === realpathSync(pgdata)
		);
	} catch {
		return false;
	}
}

async function launch(parts: PostmasterParts): Promise<ChildProcess> {
	const { runner, pgdata, socketFolder, logFile } = parts;
	const log = await open(logFile, 'a', 0o600);
	const settings = Object.entries(parts.settings).flatMap(([name, to]) => ['-c', `${name}=${to}`]);
	const [program = '', ...args] = [
		...runner.prefix,
		parts.program,
		...['-D', pgdata, '-k', socketFolder],
		...settings
	];
	try {
		// Detached: Ctrl-C goes to the whole process group of a terminal, and PostgreSQL has to
		// outlive us by the moment in which we finish what we are doing.
		const child = spawn(program, args, {
			detached: true,
			stdio: ['ignore', log.fd, log.fd],
			env: plainEnvironment(),
			...runner.account
		});
		await once(child, 'spawn');
		return child;
	} finally {
		await log.close();
	}
}

/** Without the caller's PG… variables and language, which would change how PostgreSQL works. */
export function plainEnvironment(): NodeJS.ProcessEnv {
	return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
}

async function isReady(pgdata: string, pid: number | undefined): Promise<boolean> {
	const [written, state] = await readPidFile(pgdata);
	return written !== undefined && written === pid && state === 'ready';
}

/** The first line of `postmaster.pid` is the process number, the eighth its state. */
async function readPidFile(pgdata: string): Promise<[pid?: number, state?: string]> {
	const text = await readFile(pidFile(pgdata), 'utf8').catch(() => '');
	const lines = text.split('\n').map((line) => line.trim());
	const pid = Number(lines[0]);
	return Number.isSafeInteger(pid) && pid > 1 ? [pid, lines[7] ?? ''] : [];
}

async function end(pid: number, hasGone: () => boolean): Promise<void> {
	const steps = [
		['SIGINT', FAST_STOP_MS_MAX],
		['SIGQUIT', IMMEDIATE_STOP_MS_MAX],
		['SIGKILL', IMMEDIATE_STOP_MS_MAX]
	] as const;
	for (const [signal, waitMs] of steps) {
		kill(pid, signal);
		const deadline = Date.now() + waitMs;
		while (!hasGone() && Date.now() < deadline) await sleep(POLL_MS);
		if (hasGone()) return;
	}
	throw new Error(`PostgreSQL (process ${String(pid)}) does not end.`);
}

function kill(pid: number, signal: NodeJS.Signals): void {
	try {
		process.kill(pid, signal);
	} catch {
		// It has ended by itself, which is what was wanted.
	}
}

function hasEnded(child: ChildProcess): boolean {
	return child.exitCode !== null || child.signalCode !== null;
}

/** Begins the log anew where it has grown too long, and says how long it is. */
async function trimLog(logFile: string): Promise<number> {
	const bytes = await stat(logFile).then(
		({ size }) => size,
		() => 0
	);
	if (bytes <= LOG_BYTES_MAX) return bytes;
	await truncate(logFile);
	return 0;
}

/** What PostgreSQL wrote last into its log since it was `fromByte` long. */
async function failure(logFile: string, fromByte: number): Promise<Error> {
	const log = (await readFile(logFile)).subarray(fromByte).toString();
	const fatal = log
		.split('\n')
		.findLast((line) => line.includes('FATAL') || line.includes('error while loading'));
	const reason = fatal?.replace(/^.*?FATAL:\s*/, '') ?? 'it gave no reason';
	return new Error(`PostgreSQL did not start: ${reason}, see ${logFile}.`);
}
