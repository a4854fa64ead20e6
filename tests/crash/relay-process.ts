import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProgram, type Program } from '#tests/support/program.ts';

/** A Daftar as it is run, on a PostgreSQL of its own, that can be killed and started again. */
export interface RelayProcess {
	readonly url: string;
	/** Starts it, and waits until it is ready. Throws what it said where it ends instead. */
	start(): Promise<void>;
	/** Starts it, and kills it after so long, ready or not. */
	startAndKill(afterMs: number, what: StartKill): Promise<void>;
	/** `kill -9` of the relay's process; its PostgreSQL goes on. */
	killRelay(): Promise<void>;
	/** `kill -9` of PostgreSQL's first process. False where none runs. */
	killPostgres(): Promise<boolean>;
	/** `kill -9` of one of PostgreSQL's connections. False where none is open. */
	killBackend(choose: (count: number) => number): Promise<boolean>;
	/** Waits until it answers and its database does; starts it where it was killed, or gave up. */
	recovered(): Promise<void>;
	/** What it said last each time when it ended though nobody killed it. */
	readonly gaveUp: readonly string[];
	/** Ends it in order. */
	stop(): Promise<void>;
	/** The last of what the relay's processes said. */
	said(): string;
}

export type StartKill = 'relay' | 'postgres' | 'both';

const POLL_MS = 10;
const RECOVERED_MS_MAX = 60_000;
const SAID_LENGTH_MAX = 20_000;
const WORDS_MAX = 4;

export async function createRelayProcess(dataDir: string): Promise<RelayProcess> {
	const port = await freePort();
	const url = `http://127.0.0.1:${String(port)}`;
	let program: Program | undefined;
	let said = '';
	const gaveUp: string[] = [];

	function spawn(): Program {
		program = startProgram({ DATA_DIR: dataDir, PORT: String(port), LOG_LEVEL: 'warn' });
		return program;
	}

	async function ended(): Promise<void> {
		if (program === undefined) return;
		await program.ended;
		said = (said + program.said()).slice(-SAID_LENGTH_MAX);
		program = undefined;
	}

	async function killRelay(): Promise<void> {
		program?.child.kill('SIGKILL');
		await ended();
	}

	async function start(): Promise<void> {
		try {
			await spawn().ready;
		} catch (fault) {
			await ended();
			throw fault;
		}
	}

	async function killPostgres(): Promise<boolean> {
		const pid = postmasterOf(dataDir);
		if (pid === undefined) return false;
		kill(pid);
		await gone(pid);
		return true;
	}

	async function isWell(): Promise<boolean> {
		const answer = await fetch(`${url}/api/health`).catch(() => undefined);
		return answer?.status === 200;
	}

	return {
		url,
		start,
		killRelay,
		killPostgres,
		startAndKill: async (afterMs, what) => {
			// One whose PostgreSQL alone was killed before has gone on.
			await killRelay();
			const starting = spawn();
			await Promise.race([sleep(afterMs), starting.ended]);
			if (what !== 'relay') await killPostgres();
			if (what !== 'postgres') await killRelay();
			else await Promise.race([starting.ready, starting.ended]).catch(() => undefined);
			if (starting.child.exitCode !== null) await ended();
		},
		killBackend: async (choose) => {
			const postmaster = postmasterOf(dataDir);
			const backends = postmaster === undefined ? [] : backendsOf(postmaster);
			const pid = backends[choose(Math.max(1, backends.length))];
			if (pid === undefined) return false;
			kill(pid);
			await gone(pid);
			return true;
		},
		recovered: async () => {
			const deadline = Date.now() + RECOVERED_MS_MAX;
			for (;;) {
				if (program === undefined) await start();
				else if (program.child.exitCode !== null) {
					gaveUp.push(lastWords(program.said()));
					await ended();
				} else if (await isWell()) return;
				if (Date.now() > deadline) throw new Error(`it did not recover: ${said}`);
				await sleep(POLL_MS);
			}
		},
		stop: async () => {
			program?.child.kill('SIGTERM');
			await ended();
			// One that was left behind by a relay that was killed last.
			await killPostgres();
		},
		gaveUp,
		said: () => said + (program?.said() ?? '')
	};
}

/** Its log is long and mostly of what was to be expected. */
function lastWords(said: string): string {
	const lines = said.split('\n').filter((line) => line !== '' && !/^{"level":[1-5]0/.test(line));
	return lines.slice(-WORDS_MAX).join(' | ');
}

async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address() as AddressInfo;
	server.close();
	await once(server, 'close');
	return port;
}

/** The PostgreSQL that runs on this folder, and no other program that has got its number. */
function postmasterOf(dataDir: string): number | undefined {
	const pgdata = path.join(dataDir, 'postgres/data');
	const file = path.join(pgdata, 'postmaster.pid');
	if (!existsSync(file)) return undefined;
	const [first = '', folder] = readFileSync(file, 'utf8').split('\n');
	const pid = Number(first);
	const isOurs = folder === pgdata && commandOf(pid).includes('postgres');
	return Number.isSafeInteger(pid) && pid > 1 && isOurs ? pid : undefined;
}

/** Its processes that serve the relay's connections. */
function backendsOf(postmaster: number): readonly number[] {
	return readdirSync('/proc')
		.map(Number)
		.filter((pid) => Number.isSafeInteger(pid) && parentOf(pid) === postmaster)
		.filter((pid) => commandOf(pid).startsWith('postgres: daftar daftar'));
}

/** The second field behind the program's name, which may hold spaces. */
function parentOf(pid: number): number {
	return Number(
		read(`/proc/${String(pid)}/stat`)
			.split(') ')
			.at(-1)
			?.split(' ')[1]
	);
}

function commandOf(pid: number): string {
	return read(`/proc/${String(pid)}/cmdline`).replaceAll('\0', ' ');
}

function read(file: string): string {
	try {
		return readFileSync(file, 'utf8');
	} catch {
		return '';
	}
}

function kill(pid: number): void {
	try {
		process.kill(pid, 'SIGKILL');
	} catch {
		// It has ended by itself.
	}
}

/** Until nothing runs under the number; a process that nobody collected has no program any more. */
async function gone(pid: number): Promise<void> {
	while (commandOf(pid) !== '') await sleep(POLL_MS);
}
