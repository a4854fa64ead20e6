import { expect, it } from 'vitest';
import type { Caller } from '#server/auth/phone-auth.ts';
import { CLOSE } from '#sync/close-code.ts';
import { BUFFERED_BYTES_CLOSE, BUFFERED_BYTES_PAUSE } from '#sync/limits.ts';
import { createConnection, type Connection } from './connection.ts';
import type { RelaySocket } from './relay-socket.ts';
import type { Room } from './room.ts';

const DEAF: RelaySocket = {
	OPEN: 1,
	readyState: 1,
	bufferedAmount: 0,
	send: () => undefined,
	ping: () => undefined,
	close: () => undefined,
	terminate: () => undefined,
	on: () => undefined
};

interface Spied {
	readonly connection: Connection;
	readonly socket: { readyState: number; bufferedAmount: number };
	/** What became of the socket, in order. */
	readonly acts: unknown[];
	/** Tells the relay what the socket hears. */
	readonly hears: (event: string) => void;
}

/** A connection whose socket tells what is done with it, and says at once that a frame has left. */
function spied(): Spied {
	const acts: unknown[] = [];
	const listeners = new Map<string, () => void>();
	const socket = {
		...DEAF,
		readyState: 1,
		bufferedAmount: 0,
		send: ([byte]: Uint8Array, left?: () => void) => {
			acts.push(byte);
			left?.();
		},
		ping: () => acts.push('ping'),
		close: (code: number) => acts.push(code),
		terminate: () => acts.push('end'),
		on: (event: string, listener: () => void) => listeners.set(event, listener)
	};
	const connection = createConnection({
		...{ caller: {} as Caller, room: {} as Room },
		socket: socket as unknown as RelaySocket
	});
	return { connection, socket, acts, hears: (event) => listeners.get(event)?.() };
}

it('[RELAY-16] a reader is pushed no more above one limit, and closed above another', async () => {
	for (const say of ['send', 'sendPaced'] as const) {
		const { connection, socket, acts } = spied();
		socket.bufferedAmount = BUFFERED_BYTES_PAUSE;
		expect(connection.hasRoom()).toBe(true);
		socket.bufferedAmount += 1;
		expect(connection.hasRoom()).toBe(false);
		socket.bufferedAmount = BUFFERED_BYTES_CLOSE;
		await connection[say](Uint8Array.of(1));
		expect([connection.isEnded, acts]).toEqual([false, [1]]);
		socket.bufferedAmount += 1;
		await connection[say](Uint8Array.of(2));
		expect([connection.isEnded, acts]).toEqual([true, [1, CLOSE.tryLater]]);
	}
});

it('[RELAY-16] nothing is said to a socket that is gone, and nobody waits for it', async () => {
	const { connection, socket, acts } = spied();
	socket.readyState = 3;
	connection.send(Uint8Array.of(1));
	await connection.sendPaced(Uint8Array.of(2));
	connection.beat();
	expect([connection.isOpen, acts]).toEqual([false, []]);
});

it('[RELAY-24] who answers, or says anything, is asked again; who does not is cut off', () => {
	const { connection, acts, hears } = spied();
	for (const sign of ['pong', 'message']) {
		connection.beat();
		hears(sign);
	}
	connection.beat();
	expect(acts).toEqual(['ping', 'ping', 'ping']);
	connection.beat();
	expect(acts).toContain('end');
});

it('[RELAY-24] who is held back may be silent for as long, and is heard before he is cut', () => {
	let ended = 0;
	const socket = {
		...DEAF,
		isPaused: false,
		terminate: () => {
			ended += 1;
		}
	};
	const connection = createConnection({ caller: {} as Caller, room: {} as Room, socket });
	// Asked while he was heard still, and held back before he answered.
	connection.beat();
	socket.isPaused = true;
	for (let at = 0; at < 5; at += 1) connection.beat();
	expect(ended).toBe(0);
	socket.isPaused = false;
	connection.beat();
	expect(ended).toBe(0);
	connection.beat();
	expect(ended).toBe(1);
});

it('[RELAY-70] what is said in one turn of the loop leaves in one write', async () => {
	const said: string[] = [];
	const line = {
		cork: () => said.push('['),
		uncork: () => said.push(']')
	} as unknown as NonNullable<RelaySocket['line']>;
	const socket: RelaySocket = { ...DEAF, line, send: ([byte]) => said.push(String(byte)) };
	// Neither is looked at.
	const connection = createConnection({ caller: {} as Caller, room: {} as Room, socket });
	for (const byte of [1, 2, 3]) connection.send(Uint8Array.of(byte));
	expect(said.join('')).toBe('[123');
	await new Promise((resolve) => setImmediate(resolve));
	expect(said.join('')).toBe('[123]');
	connection.send(Uint8Array.of(4));
	await new Promise((resolve) => setImmediate(resolve));
	expect(said.join('')).toBe('[123][4]');
});
