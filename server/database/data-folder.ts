import { execFileSync } from 'node:child_process';
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a start waits for the one before it, which may be stopping at this moment. */
const LOCK_WAIT_MS = 2_000;
const LOCK_POLL_MS = 100;

/** Gives a folder back that `lockDataFolder` took. */
export type Unlock = () => Promise<void>;

/**
 * Makes `folder` where it is missing and takes it for this process alone. A lock whose process is
 * gone is taken over. Throws one sentence where the folder cannot be written or is in use.
 */
export async function lockDataFolder(folder: string): Promise<Unlock> {
	const lock = path.join(folder, 'lock');
	const mine = JSON.stringify({ pid: process.pid, startedAt: processStart(process.pid) });
	const draft = await writeDraft(folder, mine);
	try {
		const deadline = Date.now() + LOCK_WAIT_MS;
		for (;;) {
			const holder = await tryLock(lock, draft);
			if (holder === undefined) return async () => release(lock, mine);
			if (Date.now() > deadline) throw inUse(folder, holder);
			await sleep(LOCK_POLL_MS);
		}
	} finally {
		await rm(draft, { force: true });
	}
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

async function writeDraft(folder: string, content: string): Promise<string> {
	const draft = path.join(folder, `lock.${String(process.pid)}.${crypto.randomUUID()}`);
	try {
		await makeFolder(folder);
		const file = await open(draft, 'wx', 0o600);
		await file.writeFile(content);
		await file.close();
		return draft;
	} catch (cause) {
		const reason = codeOf(cause);
		throw new Error(`The data folder ${folder} cannot be written (${reason}).`, { cause });
	}
}

/** Takes the lock, or returns the number of the process that has it. */
async function tryLock(lock: string, draft: string): Promise<number | undefined> {
	if (await linked(draft, lock)) return undefined;

	const seen = await readFile(lock, 'utf8').catch(() => '');
	const holder = parseHolder(seen);
	if (holder !== undefined && isHolding(holder)) return holder.pid;

	// Two starts may find the same stale lock. What is moved away is looked at again, so that the
	// slower one never removes the lock that the faster one has just taken.
	const aside = `${draft}.aside`;
	await rename(lock, aside).catch(() => undefined);
	const moved = await readFile(aside, 'utf8').catch(() => seen);
	if (moved !== seen) await linked(aside, lock);
	await rm(aside, { force: true });
	return (await linked(draft, lock)) ? undefined : (parseHolder(moved)?.pid ?? 0);
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
}

function parseHolder(text: string): Holder | undefined {
	try {
		const value: unknown = JSON.parse(text);
		if (typeof value !== 'object' || value === null || !('pid' in value)) return undefined;
		const startedAt = 'startedAt' in value ? value.startedAt : undefined;
		if (!Number.isSafeInteger(value.pid)) return undefined;
		return {
			pid: Number(value.pid),
			startedAt: typeof startedAt === 'string' ? startedAt : undefined
		};
	} catch {
		return undefined;
	}
}

/** A process number is used again after a while: only number and start together name a process. */
function isHolding({ pid, startedAt }: Holder): boolean {
	return isRunning(pid) && (startedAt === undefined || startedAt === processStart(pid));
}

function inUse(folder: string, pid: number): Error {
	return new Error(`Daftar already runs on the data folder ${folder} (process ${String(pid)}).`);
}

async function release(lock: string, mine: string): Promise<void> {
	const now = await readFile(lock, 'utf8').catch(() => '');
	if (now === mine) await rm(lock, { force: true });
}
