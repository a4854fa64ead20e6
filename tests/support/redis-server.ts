import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'redis';

/** A Redis of one test, on a free port of this machine, that keeps nothing. */
export interface TestRedis {
	readonly url: string;
	readonly publish: (message: string) => Promise<void>;
	/** On the port it had. */
	readonly start: () => Promise<void>;
	readonly stop: () => Promise<void>;
}

const PROGRAM = 'redis-server';
const CHANNEL = 'daftar:news';

export function hasRedis(): boolean {
	return spawnSync(PROGRAM, ['--version'], { stdio: 'ignore' }).status === 0;
}

export async function startRedis(): Promise<TestRedis> {
	const port = await freePort();
	const url = `redis://127.0.0.1:${String(port)}`;
	let child: ChildProcess | undefined;
	const start = async (): Promise<void> => {
		const given = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', '/'];
		child = spawn(PROGRAM, [...given, '--appendonly', 'no'], { stdio: 'ignore' });
		await answers(url);
	};
	await start();
	return {
		url,
		publish: async (message) => {
			const client = createClient({ url });
			await client.connect();
			await client.publish(CHANNEL, message);
			client.destroy();
		},
		start,
		stop: async () => {
			if (child === undefined) return;
			const ended = once(child, 'exit');
			child.kill('SIGKILL');
			await ended;
			child = undefined;
		}
	};
}

async function answers(url: string): Promise<void> {
	for (;;) {
		const client = createClient({ url, socket: { reconnectStrategy: false } });
		client.on('error', () => undefined);
		try {
			await client.connect();
			client.destroy();
			return;
		} catch {
			await sleep(20);
		}
	}
}

async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address() as AddressInfo;
	server.close();
	await once(server, 'close');
	return port;
}
