import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import type { RelaySocket } from './relay-socket.ts';
import { watchUnfinished } from './unfinished.ts';
import { createUnread } from './unread.ts';

const MB = 1024 * 1024;

/** A socket that hears what it is told to, and the line from which it would have it. */
function watched(): { socket: EventEmitter; line: PassThrough; isCut: () => boolean } {
	const socket = new EventEmitter();
	const line = new PassThrough();
	let isCut = false;
	const terminate = (): void => {
		isCut = true;
	};
	watchUnfinished(
		Object.assign(socket, { line, terminate }) as unknown as RelaySocket,
		'someone',
		createUnread(MB)
	);
	return { socket, line, isCut: () => isCut };
}

it('[RELAY-95] counts a piece of one byte as what it weighs, until its message is whole', () => {
	const { socket, line, isCut } = watched();
	for (let rounds = 0; rounds < 10; rounds += 1) {
		for (let pieces = 0; pieces < 4_000; pieces += 1) line.emit('data', new Uint8Array(1));
		socket.emit('message');
	}
	expect(isCut()).toBe(false);
	for (let pieces = 0; pieces < 5_000; pieces += 1) line.emit('data', new Uint8Array(1));
	expect(isCut()).toBe(true);
});

it('[RELAY-95] takes a sign of life for no piece, and no message for ended by it', () => {
	const { socket, line, isCut } = watched();
	const live = (): void => {
		line.emit('data', new Uint8Array(6));
		socket.emit('pong', new Uint8Array(0));
	};
	for (let beats = 0; beats < 10_000; beats += 1) live();
	expect(isCut()).toBe(false);
	for (let pieces = 0; pieces < 20; pieces += 1) {
		line.emit('data', new Uint8Array(64 * 1024));
		live();
	}
	expect(isCut()).toBe(true);
});
