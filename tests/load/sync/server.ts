import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

export const SERVERS = ['daftar', 'yWebsocket', 'hocuspocus'] as const;
export type ServerName = (typeof SERVERS)[number];

/** One of those that are compared, as a process of its own. */
export interface Server {
	readonly name: ServerName;
	readonly port: number;
	/** What its process has spent and holds; `collected` after the collector ran. */
	ask(how?: 'collected' | 'asItIs'): Promise<Probed>;
	/** `kill -9`. */
	kill(): Promise<void>;
	stop(): Promise<void>;
}

export interface Probed {
	/** User and system time since it started. */
	readonly cpuMicros: number;
	/** Heap in use and what it holds outside of it. */
	readonly heldBytes: number;
	readonly rss: number;
}

export interface ServerParts {
	readonly databaseUrl: string;
	/** Where it may keep what it must. */
	readonly dataDir: string;
	/** Where the processes leave their CPU profiles as they stop; undefined for none. */
	readonly profileDir: string | undefined;
}

const PROBE = import.meta.resolve('./probe.ts');
const PROGRAMS: Readonly<Record<ServerName, string>> = {
	daftar: import.meta.resolve('../../../server/main.ts'),
	yWebsocket: import.meta.resolve('../peers/y-websocket.ts'),
	hocuspocus: import.meta.resolve('../peers/hocuspocus.ts')
};
const READY = / is ready at http:\/\/localhost:(\d+)/;
const READY_MS_MAX = 30_000;
const SECRET = 'a secret of measurements alone, long enough for any';

/** Starts one of them on a free port of this machine and waits until it listens. */
export async function startServer(name: ServerName, parts: ServerParts): Promise<Server> {
	const { databaseUrl, dataDir, profileDir } = parts;
	const profile = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
	const flags = ['--expose-gc', '--import', PROBE, ...profile, '--disable-warning=DEP0060'];
	const child = spawn(process.execPath, [...flags, new URL(PROGRAMS[name]).pathname], {
		cwd: path.resolve(import.meta.dirname, '../../..'),
		env: {
			...process.env,
			PORT: '0',
			HOST: '127.0.0.1',
			DATA_DIR: dataDir,
			DATABASE_URL: databaseUrl,
			DAFTAR_SECRET: SECRET,
			LOG_LEVEL: 'warn'
		},
		stdio: ['ignore', 'pipe', 'inherit', 'ipc']
	});
	const port = await readyAt(child);
	const ended = once(child, 'exit');
	return {
		name,
		port,
		ask: async (how = 'asItIs') => {
			const answered = once(child, 'message');
			child.send(how);
			const [answer] = (await answered) as [Probed];
			return answer;
		},
		kill: async () => {
			child.kill('SIGKILL');
			await ended;
		},
		stop: async () => {
			child.kill('SIGTERM');
			await ended;
		}
	};
}

function readyAt(child: ChildProcess): Promise<number> {
	return new Promise((resolve, reject) => {
		let said = '';
		const fail = (why: string): void => {
			child.kill('SIGKILL');
			reject(new Error(`${why}: ${said}`));
		};
		const late = setTimeout(fail, READY_MS_MAX, 'the server was not ready in time');
		child.once('exit', fail);
		child.stdout?.on('data', (chunk: Buffer) => {
			said += chunk.toString();
			const port = READY.exec(said)?.[1];
			if (port === undefined) return;
			clearTimeout(late);
			child.off('exit', fail);
			resolve(Number(port));
		});
	});
}
