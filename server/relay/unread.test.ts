import { expect, it } from 'vitest';
import { createRelayStand, ticketFor } from '#tests/support/relay-stand.ts';
import { TRADE_BUSINESS } from '#tests/support/trade.ts';
import type { RelaySocket } from './relay-socket.ts';
import { createUnread, type UnreadLine } from './unread.ts';

const MB = 1024 * 1024;

interface Deaf extends RelaySocket {
	bufferedAmount: number;
	isCut: boolean;
}

/** A socket whose other side takes nothing. */
function deaf(): Deaf {
	const socket: Deaf = {
		OPEN: 1,
		readyState: 1,
		bufferedAmount: 0,
		isCut: false,
		send: (frame) => {
			socket.bufferedAmount += frame.byteLength;
		},
		ping: () => undefined,
		close: () => undefined,
		terminate: () => {
			socket.isCut = true;
			socket.bufferedAmount = 0;
		},
		on: () => undefined
	};
	return socket;
}

it('[RELAY-93] of all that is sent and not read so much lies in memory, however many sockets a device opens', async () => {
	const stand = await createRelayStand();
	await stand.addDevice('A');
	// Every second number, so that none is in a range with another.
	await stand.database.sql`
		insert into fact (business, code, n, kind, wall, counter, on_day, member, text, digest, s)
		select ${TRADE_BUSINESS}, 'A', 2 * i, 'setting', 0, 0, '2026-11-20', 1, '', 1, i
		from generate_series(1, 50000) as i`;
	const sockets: Deaf[] = [];
	for (let n = 0; n < 120; n += 1) {
		const socket = deaf();
		sockets.push(socket);
		const document = stand.today();
		const ticket = await ticketFor(stand, 'A', document);
		await stand.relay().accept(socket, { document, ticket });
		await expect
			.poll(() => socket.isCut || socket.bufferedAmount > MB, { timeout: 10_000, interval: 5 })
			.toBe(true);
	}
	const held = sockets.reduce((sum, { bufferedAmount }) => sum + bufferedAmount, 0);
	expect(held).toBeLessThanOrEqual(128 * MB);
	expect(sockets.filter(({ isCut }) => isCut).length).toBeGreaterThan(0);
	await stand.close();
}, 60_000);

it('[RELAY-93] the fullest sockets of whoever has the most are cut off, and none that has little', () => {
	const cut: string[] = [];
	const unread = createUnread(10 * MB);
	const line = (scope: string, name: string, bytes: number): UnreadLine => {
		let isCut = false;
		return {
			caller: { scope },
			unreadBytes: () => (isCut ? 0 : bytes),
			cut: () => {
				isCut = true;
				cut.push(name);
			}
		};
	};
	unread.sent(line('honest', 'large', 4 * MB));
	unread.sent(line('greedy', 'first', 2 * MB));
	unread.sent(line('greedy', 'second', 3 * MB));
	unread.sent(line('little', 'till', MB / 8));
	expect(cut).toEqual([]);
	unread.sent(line('other', 'one', 2 * MB));
	expect(cut).toEqual(['second']);
	unread.sent(line('honest', 'more', MB));
	unread.sent(line('little', 'till', MB / 8));
	expect(cut).toEqual(['second']);
	unread.sent(line('other', 'two', 2 * MB));
	expect(cut).toEqual(['second', 'large']);
});

it('[RELAY-93] [RELAY-95] however many sockets have little, what one has over all of them counts', () => {
	const cut: string[] = [];
	const unread = createUnread(10 * MB);
	const tell = (scope: string, bytes: number): void => {
		let isCut = false;
		unread.sent({
			caller: { scope },
			unreadBytes: () => (isCut ? 0 : bytes),
			cut: () => {
				isCut = true;
				cut.push(scope);
			}
		});
	};
	for (let n = 0; n < 30; n += 1) tell('shop', MB / 4);
	for (let n = 0; n < 100; n += 1) tell('greedy', MB / 8);
	for (let n = 0; n < 30; n += 1) tell('another', MB / 4);
	expect(new Set(cut)).toEqual(new Set(['greedy']));
	expect(cut).toHaveLength(20);
});
