import { expect, it } from 'vitest';
import type { Caller } from '#server/auth/phone-auth.ts';
import { createConnection } from './connection.ts';
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

it('[RELAY-24] who is held back may be silent for as long, and is heard before he is cut', () => {
	let ended = 0;
	const socket = {
		...DEAF,
		isPaused: true,
		terminate: () => {
			ended += 1;
		}
	};
	const connection = createConnection({ caller: {} as Caller, room: {} as Room, socket });
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
