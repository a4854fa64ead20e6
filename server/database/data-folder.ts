import { execFileSync } from 'node:child_process';
import { link, mkdir, open, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSamePlace, parsePlace, readPlace, type Place } from './place.ts';

/** How long a start waits for the one before it, which may be stopping at this moment. */
const LOCK_WAIT_MS = 2_000;
const LOCK_POLL_MS = 100;
/** A lock is touched this often, and one that nobody here can ask for is left when it was not for so long. */
const TOUCH_MS = 5_000;
const UNTOUCHED_MS = 60_000;

/** A folder that is this process's alone. */
export interface HeldFolder {
	/** Aborted, with one sentence, once somebody elsewhere took it, since this process was not heard of for too long. */
	readonly lost: AbortSignal;
	/** Looks now whether somebody did, for who is about to write and may have slept. */
	readonly look: () => Promise<void>;
	/** Gives it back. */
	readonly unlock: () => Promise<void>;
}

export interface LockParts {
	/** This process's own where it is left out. */
	readonly here?: Place;
	/** In the place of `TOUCH_MS`. */
	readonly touchMs?: number;
}

/**
 * Makes `folder` where it is missing and takes it for this process alone. KEEP-18. A lock whose process is
 * gone is taken over; of one in another container or on another machine that is known only by how
 * long it was not touched, by the clock of the file system. Throws one sentence where the folder
 * cannot be written or is in use.
 */
export async function lockDataFolder(
	folder: string,
	{ here = readPlace(), touchMs = TOUCH_MS }: LockParts = {}
): Promise<HeldFolder> {
	const lock = path.join(folder, 'lock');
	const mine = JSON.stringify({
		...{ pid: process.pid, startedAt: processStart(process.pid) },
		...here
	});
	const draft = await writeDraft(folder, mine);
	try {
		const deadline = Date.now() + LOCK_WAIT_MS;
		for (;;) {
			const held = await tryLock(lock, { ...draft, here });
			if (held === undefined) return keepTouched(folder, mine, { ...draft, lock, touchMs });
			if (Date.now() > deadline) throw inUse(folder, held);
			await sleep(LOCK_POLL_MS);
		}
	} catch (fault) {
		await draft.file.close();
		throw fault;
	} finally {
		await rm(draft.name, { force: true });
	}
}

interface Touched extends Draft {
	readonly lock: string;
	readonly touchMs: number;
}

/** What it says is written over itself: so its time is the file system's, and it is never half there. */
function keepTouched(folder: string, mine: string, { file, lock, touchMs }: Touched): HeldFolder {
	const losing = new AbortController();
	let touching: Promise<void> = Promise.resolve();
	const touch = async (): Promise<void> => {
		// On a slow disk several wait for their turn.
		if (losing.signal.aborted) return;
		const now = await readFile(lock, 'utf8').catch(() => mine);
		if (now === mine) {
			await file.write(mine, 0);
			return;
		}
		clearInterval(timer);
		losing.abort(lost(folder));
	};
	const look = (): Promise<void> => {
		// A disk that is away for a moment is touched the next time.
		touching = touching.then(touch).catch(() => undefined);
		return touching;
	};
	const timer = setInterval(() => void look(), touchMs);
	timer.unref();
	return {
		lost: losing.signal,
		look,
		unlock: async () => {
			clearInterval(timer);
			await touching;
			await file.close().catch(() => undefined);
			await release(lock, mine);
		}
	};
}

function isRunning(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return codeOf(error) === 'EPERM';
	}
}

/** The code of a system error, such as `ENOENT`, or an empty string. */
export function codeOf(error: unknown): string {
	if (typeof error !== 'object' || error === null || !('code' in error)) return '';
	return typeof error.code === 'string' ? error.code : '';
}

/** When a process that lives began, in whatever unit its system counts: only good for telling two apart. */
function processStart(pid: number): string | undefined {
	try {
		if (process.platform !== 'linux') {
			return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
		}
		// The name, second of the fields, may hold spaces and brackets: count from behind it.
		const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
		const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
		// Where nobody collects the dead, as in many containers, they keep their number.
		return fields[0] === 'Z' ? undefined : fields[19];
	} catch {
		return undefined;
	}
}

/**
 * Makes `folder` and what it stands in, for us alone. Folder by folder: Node's own recursive mkdir
 * never returns where a parent exists and yet nothing can be made in it, as under `/proc`.
 */
export async function makeFolder(folder: string): Promise<void> {
	const parent = path.dirname(folder);
	if (!existsSync(parent) && parent !== folder) await makeFolder(parent);
	try {
		await mkdir(folder, { mode: 0o700 });
	} catch (error) {
		if (codeOf(error) !== 'EEXIST') throw error;
	}
}

/** A name is only safe from a power cut when its folder is flushed too. */
export async function flushFolder(folder: string): Promise<void> {
	const handle = await open(folder, 'r');
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
}

interface Draft {
	readonly name: string;
	readonly content: string;
	/** Open as long as the lock is held. */
	readonly file: FileHandle;
}

async function writeDraft(folder: string, content: string): Promise<Draft> {
	const name = path.join(folder, `lock.${String(process.pid)}.${crypto.randomUUID()}`);
	try {
		await makeFolder(folder);
		const file = await open(name, 'wx', 0o600);
		await file.write(content, 0);
		return { name, content, file };
	} catch (cause) {
		const reason = codeOf(cause);
		throw new Error(`The data folder ${folder} cannot be written (${reason}).`, { cause });
	}
}

/** Who has the lock. */
interface Held {
	readonly pid: number;
	/** Where, if that is not here, and for how long it was not touched, ms. */
	readonly elsewhere?: { readonly host: string; readonly untouchedMs: number };
}

/** Takes the lock, or returns who has it. */
async function tryLock(
	lock: string,
	draft: Draft & { readonly here: Place }
): Promise<Held | undefined> {
	const { name } = draft;
	if (await linked(name, lock)) return undefined;

	const seen = await readFile(lock, 'utf8').catch(() => '');
	const holder = parseHolder(seen);
	const held = holder === undefined ? undefined : await heldBy(holder, lock, draft);
	if (held !== undefined) return held;

	// Two starts may find the same stale lock, or its holder may wake. What is moved away is looked at
	// again, so that the slower one never removes the lock that the faster one has just taken.
	const aside = `${name}.aside`;
	await rename(lock, aside).catch(() => undefined);
	const moved = await readFile(aside, 'utf8').catch(() => seen);
	const woke = holder === undefined ? undefined : await heldBy(holder, aside, draft);
	if (moved !== seen || woke !== undefined) await linked(aside, lock).catch(() => false);
	await rm(aside, { force: true });
	return (await linked(name, lock)) ? undefined : { pid: parseHolder(moved)?.pid ?? 0 };
}

/** Undefined where the lock is nobody's any more. */
async function heldBy(
	holder: Holder,
	lock: string,
	{ file, content, here }: Draft & { readonly here: Place }
): Promise<Held | undefined> {
	const { pid, place } = holder;
	if (place === undefined || isSamePlace(place, here)) {
		return isHolding(holder) ? { pid } : undefined;
	}
	await file.write(content, 0);
	const [now, then] = [await file.stat(), await stat(lock).catch(() => undefined)];
	const untouchedMs = then === undefined ? Infinity : now.mtimeMs - then.mtimeMs;
	const { host } = place;
	return untouchedMs < UNTOUCHED_MS ? { pid, elsewhere: { host, untouchedMs } } : undefined;
}

async function linked(from: string, to: string): Promise<boolean> {
	try {
		await link(from, to);
		return true;
	} catch (error) {
		if (codeOf(error) === 'EEXIST') return false;
		throw error;
	}
}

interface Holder {
	readonly pid: number;
	readonly startedAt: string | undefined;
	/** Undefined where it does not say. */
	readonly place: Place | undefined;
}

function parseHolder(text: string): Holder | undefined {
	try {
		const value: unknown = JSON.parse(text);
		if (typeof value !== 'object' || value === null || !('pid' in value)) return undefined;
		const startedAt = 'startedAt' in value ? value.startedAt : undefined;
		if (!Number.isSafeInteger(value.pid)) return undefined;
		return {
			pid: Number(value.pid),
			startedAt: typeof startedAt === 'string' ? startedAt : undefined,
			place: parsePlace(value)
		};
	} catch {
		return undefined;
	}
}

/** A process number is used again after a while: only number and start together name a process. */
function isHolding({ pid, startedAt }: Holder): boolean {
	return isRunning(pid) && (startedAt === undefined || startedAt === processStart(pid));
}

function inUse(folder: string, { pid, elsewhere }: Held): Error {
	if (elsewhere === undefined) {
		return new Error(`Daftar already runs on the data folder ${folder} (process ${String(pid)}).`);
	}
	const { host, untouchedMs } = elsewhere;
	const ago = Math.max(0, Math.ceil(untouchedMs / 1_000));
	const left = Math.ceil(UNTOUCHED_MS / 1_000) - ago + 1;
	return new Error(
		`Daftar runs on the data folder ${folder} in another container or on another machine (${host}), or did ${String(ago)} s ago. Stop it there; where it was killed, start again in ${String(left)} s.`
	);
}

function lost(folder: string): Error {
	return new Error(
		`Another Daftar took the data folder ${folder}, in another container or on another machine: this one was not heard of for a minute.`
	);
}

async function release(lock: string, mine: string): Promise<void> {
	const now = await readFile(lock, 'utf8').catch(() => '');
	if (now === mine) await rm(lock, { force: true });
}
