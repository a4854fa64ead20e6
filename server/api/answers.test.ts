import { once } from 'node:events';
import type { Server } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { expect, it } from 'vitest';
import { createAnswers, type AnswerFigures, type Line } from './answers.ts';
import { createReadTurns, inTurn } from './read-turns.ts';

/** More than what two ends of a line keep for each other. */
const LARGE = 24 * 1024 * 1024;
const NEVER_MS = 1_000_000;

function line(): Line & { readonly isCut: () => boolean; readonly end: () => void } {
	let isCut = false;
	const ends: (() => void)[] = [];
	const held = {
		closed: false,
		once: (_name: string, act: () => void) => ends.push(act),
		destroy: () => {
			isCut = true;
		},
		setTimeout: () => held,
		isCut: () => isCut,
		end: () => {
			for (const act of ends) act();
		}
	};
	return held as never;
}

it('[API-54] where too much is unread, the oldest answer of whoever has the most is cut off', () => {
	const answers = createAnswers({ bytes: 10_000_000, stillMs: NEVER_MS });
	const lines = Array.from({ length: 6 }, line);
	const cut = (): readonly number[] => lines.flatMap(({ isCut }, at) => (isCut() ? [at] : []));
	const hold = (at: number, scope: string, bytes: number): void => {
		const one = lines[at];
		if (one !== undefined) answers.hold(scope, bytes, one);
	};
	hold(0, 'honest', 4_000_000);
	hold(1, 'greedy', 3_000_000);
	hold(2, 'greedy', 2_000_000);
	expect(cut()).toEqual([]);
	hold(3, 'other', 1_000_000);
	expect(cut()).toEqual([1]);
	// What was read, or was cut off, weighs nothing any more.
	lines[1]?.end();
	lines[0]?.end();
	hold(4, 'greedy', 6_000_000);
	expect(cut()).toEqual([1]);
	hold(5, 'honest', 2_000_000);
	expect(cut()).toEqual([1, 2]);
});

/** Lines that ask for a large answer and read nothing of it yet. */
async function served(figures: AnswerFigures): Promise<{
	readonly ask: (scope: string) => Promise<net.Socket>;
	readonly connections: () => Promise<number>;
	readonly close: () => Promise<void>;
}> {
	const turns = {
		...createReadTurns({ all: 1, scope: 1, waiting: 9 }),
		answers: createAnswers(figures)
	};
	const app = new Hono<{ Variables: { caller: { scope: string } } }>();
	let made = 0;
	app.use(async (c, next) => {
		c.set('caller', { scope: c.req.path });
		await next();
	});
	app.use(inTurn(() => turns));
	app.get('*', (c) => {
		made += 1;
		return c.text('x'.repeat(c.req.path === '/small' ? 1 : LARGE));
	});
	const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server;
	await once(server, 'listening');
	const { port } = server.address() as AddressInfo;
	return {
		connections: () => promisify(server.getConnections.bind(server))(),
		ask: async (scope) => {
			const socket = net.connect(port, '127.0.0.1');
			socket.on('error', () => undefined);
			socket.pause();
			const before = made;
			socket.write(`GET /${scope} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
			await expect.poll(() => made).toBe(before + 1);
			return socket;
		},
		close: async () => {
			server.closeAllConnections();
			server.close();
			await once(server, 'close');
		}
	};
}

async function read(socket: net.Socket): Promise<number> {
	let bytes = 0;
	socket.on('data', (chunk: Buffer) => {
		bytes += chunk.length;
	});
	socket.resume();
	await once(socket, 'close');
	return bytes;
}

it('[API-54] who does not read keeps nobody from reading, and loses what is beyond the limit', async () => {
	const { ask, close } = await served({ bytes: 2.5 * LARGE, stillMs: NEVER_MS });
	const sockets: net.Socket[] = [];
	// One turn of all, and each is served: an answer that is made has given it back.
	for (const scope of ['greedy', 'greedy', 'honest', 'late']) sockets.push(await ask(scope));
	await ask('small');
	const bytes = await Promise.all(sockets.map(read));
	expect(bytes.map((count) => count > LARGE)).toEqual([false, false, true, true]);
	await close();
});

it('[API-54] an answer of which nothing is read is cut off', async () => {
	const { ask, connections, close } = await served({ bytes: 9 * LARGE, stillMs: 100 });
	const socket = await ask('still');
	await expect.poll(connections, { timeout: 5_000 }).toBe(0);
	expect(await read(socket)).toBeLessThan(LARGE);
	await close();
});
