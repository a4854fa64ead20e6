import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

const READY = /Daftar is ready at (http:\/\/localhost:\d+)/;
const READY_WITHIN_MS = 60_000;
const CLOCK = import.meta.resolve('./clock-behind.ts');
/** One for all servers of one database: what a relay sealed, the next one has to open. */
const SECRET = 'a secret of tests alone, long enough for any';

export interface ServerProcess {
	readonly url: string;
	/** Its clock goes right from now on. */
	setClockRight(): void;
	stop(): Promise<void>;
}

export interface ServerOptions {
	readonly databaseUrl: string;
	/** How far its clock is behind, ms. */
	readonly behindMs?: number;
}

/** Starts the real server on a free port of this machine, as `npm start` would. */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
	const { databaseUrl, behindMs } = options;
	const dataDir = await mkdtemp(path.join(os.tmpdir(), 'daftar-e2e-server-'));
	const clock = behindMs === undefined ? [] : ['--import', CLOCK];
	const server = spawn(process.execPath, [...clock, 'server/main.ts'], {
		env: {
			...process.env,
			PORT: '0',
			HOST: '127.0.0.1',
			DATA_DIR: dataDir,
			DATABASE_URL: databaseUrl,
			DAFTAR_SECRET: SECRET,
			LOG_LEVEL: 'warn',
			DAFTAR_BEHIND_MS: String(behindMs ?? 0)
		},
		stdio: ['ignore', 'pipe', 'inherit']
	});
	return {
		url: await readyAt(server),
		setClockRight: () => {
			server.kill('SIGUSR2');
		},
		stop: async () => {
			const ended = new Promise((resolve) => server.once('exit', resolve));
			server.kill('SIGTERM');
			await ended;
			await rm(dataDir, { recursive: true, force: true });
		}
	};
}

function readyAt(server: ChildProcess): Promise<string> {
	return new Promise((resolve, reject) => {
		let said = '';
		const late = setTimeout(() => {
			server.kill('SIGKILL');
			reject(new Error(`the server was not ready in time: ${said}`));
		}, READY_WITHIN_MS);
		server.once('exit', (code) => {
			clearTimeout(late);
			reject(new Error(`the server ended with ${String(code)}: ${said}`));
		});
		server.stdout?.on('data', (chunk: Buffer) => {
			said += chunk.toString();
			const url = READY.exec(said)?.[1];
			if (url === undefined) return;
			clearTimeout(late);
			resolve(url);
		});
	});
}
