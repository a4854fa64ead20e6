import { EventEmitter } from 'node:events';
import type { Sql } from 'postgres';
import { expect, it } from 'vitest';
import { encodeBase64url } from '#domain/bytes.ts';
import { CLOSE } from '#sync/close-code.ts';
import { encodeStep1, encodeUpdate, MESSAGE_NACK } from '#sync/frames.ts';
import { HEARTBEAT_MS } from '#sync/limits.ts';
import { handUpdate, textUnder } from '#server/commands/fuzz/hand-update.ts';
import { createRelayStand, ticketFor, until } from '#tests/support/relay-stand.ts';
import type { RelaySocket } from './relay-socket.ts';

/** A socket at hand: what it is sent and asked is noted, and what it is sent may break. */
class HandSocket extends EventEmitter implements RelaySocket {
	readonly OPEN = 1;
	readonly readyState = 1;
	readonly bufferedAmount = 0;
	readonly closes: number[] = [];
	pings = 0;
	sent = 0;
	readonly #breaksAt: number | undefined;

	constructor(breaksAt?: number) {
		super();
		this.#breaksAt = breaksAt;
	}

	send([type]: Uint8Array, sent?: () => void): void {
		if (type === this.#breaksAt) throw new Error('broken');
		this.sent += 1;
		sent?.();
	}
	ping(): void {
		this.pings += 1;
		this.emit('pong');
	}
	close(code: number): void {
		this.closes.push(code);
	}
	terminate(): void {
		this.closes.push(0);
	}
}

it('[RELAY-24] a socket that broke while it was answered is not kept when it has ended', async () => {
	const stand = await createRelayStand();
	await stand.addDevice('A');
	const socket = new HandSocket(MESSAGE_NACK);
	const document = stand.today();
	await stand.relay().accept(socket, { document, ticket: await ticketFor(stand, 'A', document) });
	await until(() => socket.sent >= 2);
	const structs = [textUnder('A-1', '{}')];
	const update = encodeUpdate(handUpdate([{ client: 7, clock: 0, structs }]));
	socket.emit('message', Buffer.from(update), true);
	await until(() => socket.closes.length > 0);
	stand.tick(HEARTBEAT_MS);
	expect(socket.pings).toBe(1);
	socket.emit('close');
	await until(() => {
		const before = socket.pings;
		stand.tick(HEARTBEAT_MS);
		return socket.pings === before;
	});
	expect(stand.faults).toHaveLength(1);
	await stand.close();
});

it('[RELAY-71] an opening that fails is told and ended once, whoever waited for it', async () => {
	const stand = await createRelayStand({
		wrapSql: (sql) =>
			new Proxy(sql, {
				apply: (target, self, given: Parameters<Sql>) => {
					const isHead = String(given[0]).includes('insert into feed_head');
					if (isHead) return Promise.reject(new Error('broken'));
					return Reflect.apply(target, self, given) as unknown;
				}
			})
	});
	await stand.addDevice('A');
	const socket = new HandSocket();
	const document = stand.today();
	const ahead = encodeBase64url(encodeStep1(new Map()));
	const ticket = await ticketFor(stand, 'A', document);
	await stand.relay().accept(socket, { document, ticket, ahead });
	for (const n of [1, 2]) socket.emit('message', Buffer.from(encodeStep1(new Map([[n, 1]]))), true);
	await until(() => socket.closes.length > 0);
	await new Promise((resolve) => setImmediate(resolve));
	expect(socket.closes).toEqual([CLOSE.tryLater]);
	expect(stand.faults).toHaveLength(1);
	await stand.close();
});
