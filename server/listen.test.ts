import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import net from 'node:net';
import { upgradeWebSocket } from '@hono/node-server';
import { Hono } from 'hono';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '#tests/support/relay-stand.ts';
import { listen } from './listen.ts';

let running: AsyncDisposableStack;
let port: number;
/** The server's ends of the lines that strangers made, and what went wrong with them that nobody heard. */
let lines: net.Socket[];
let unheard: unknown[];
beforeEach(async () => {
	running = new AsyncDisposableStack();
	const app = new Hono();
	app.get('/', (c) => c.text('here'));
	app.get(
		'/sync',
		upgradeWebSocket(() => ({}))
	);
	port = await listen(app, { port: 0, host: '127.0.0.1' }, running);
	lines = [];
	unheard = [];
	const note = (message: unknown): void => {
		const { socket } = message as { readonly socket: net.Socket };
		lines.push(socket);
		const emit = socket.emit.bind(socket);
		socket.emit = (event: string | symbol, ...given: unknown[]): boolean => {
			if (event !== 'error' || socket.listenerCount('error') > 0) return emit(event, ...given);
			unheard.push(given[0]);
			return false;
		};
	};
	subscribe('net.server.socket', note);
	running.defer(() => {
		unsubscribe('net.server.socket', note);
	});
});
afterEach(async () => {
	for (const line of lines) line.destroy();
	await running.disposeAsync();
});

async function ask(path: string, protocol: string): Promise<net.Socket> {
	const line = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
	line.on('error', () => undefined);
	await once(line, 'connect');
	line.write(
		`GET ${path} HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`
	);
	return line;
}

it('[RELAY-92] refuses a line that asks for a protocol it does not speak, and lets go of it', async () => {
	const line = await ask('/', 'h2c');
	const [answer] = (await once(line, 'data')) as [Buffer];
	expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 /);
	await until(() => lines.every(({ destroyed }) => destroyed));
});

it('[RELAY-92] hears of the fault of such a line, which is else the end of the whole process', async () => {
	const line = await ask('/', 'h2c');
	line.resetAndDestroy();
	await until(() => lines.length === 1 && lines.every(({ destroyed }) => destroyed));
	expect(unheard).toEqual([]);
});

it('[RELAY-92] gives a line that asks for a WebSocket the time of a request, and one that has it any', async () => {
	// Refused, and never closed by the other side.
	const refused = await ask('/nowhere', 'websocket');
	await once(refused, 'data');
	expect(lines.map(({ timeout }) => timeout)).toEqual([90_000]);
	const socket = new WebSocket(`ws://127.0.0.1:${String(port)}/sync`);
	await once(socket, 'open');
	expect(lines.map(({ timeout }) => timeout)).toEqual([90_000, 0]);
	lines[0]?.emit('timeout');
	await until(() => lines[0]?.destroyed === true);
	expect(lines[1]?.destroyed).toBe(false);
	socket.terminate();
	refused.destroy();
});
