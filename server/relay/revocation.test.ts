import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { appendFact } from '#documents/facts.ts';
import { CLOSE } from '#sync/close-code.ts';
import { encodeUpdate, MESSAGE_HELLO } from '#sync/frames.ts';
import {
	createRelayStand,
	isMessage,
	rawSocket,
	settingFact,
	ticketFor,
	type RawSocket,
	type RelayStand
} from '#tests/support/relay-stand.ts';
import { TRADE_BUSINESS } from '#tests/support/trade.ts';

let stand: RelayStand;
beforeEach(async () => {
	stand = await createRelayStand();
	await stand.addDevice('A');
});
afterEach(() => stand.close());

describe('a ticket', () => {
	it('[RELAY-9] opens one of two sockets that bring it at once', async () => {
		for (let round = 0; round < 5; round += 1) {
			const ticket = await ticketFor(stand, 'A', stand.today());
			const both = await Promise.all([1, 2].map(() => rawSocket(stand, 'A', { ticket })));
			const outcomes = both.map((socket) =>
				Promise.race([socket.next(isMessage(MESSAGE_HELLO)).then(() => 'open'), socket.closed])
			);
			expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['open', CLOSE.ticket]));
			for (const { socket } of both) socket.close();
		}
	});
});

describe('a session that has ended', () => {
	async function bySession(): Promise<{ readonly id: string; readonly socket: RawSocket }> {
		const id = randomUUID();
		const [owner] = await stand.database.sql<{ account: string }[]>`select account from account`;
		await stand.database.sql`
			insert into session (token_hash, id, account, user_agent, created_at, seen_at, expires_at)
			values (${Buffer.from(id)}, ${id}, ${String(owner?.account)}, '', 0, 0,
				${stand.clock.now + 1_000})`;
		const caller = { sort: 'device', scope: TRADE_BUSINESS, code: 'A' as never } as const;
		const ticket = await stand.tickets.create({ ...caller, session: id }, stand.today());
		const socket = await rawSocket(stand, 'A', { ticket });
		await socket.next(isMessage(MESSAGE_HELLO));
		return { id, socket };
	}
	const ends = {
		'was ended': async (id: string) => stand.database.sql`delete from session where id = ${id}`,
		'is too old': () => Promise.resolve((stand.clock.now += 2_000))
	};

	it.each(['was ended', 'is too old'] as const)(
		'[RELAY-22] writes nothing more: it %s',
		async (how) => {
			const { id, socket } = await bySession();
			await ends[how](id);
			const doc = new Y.Doc();
			appendFact(doc, settingFact(stand, 'A-1'));
			socket.send(encodeUpdate(Y.encodeStateAsUpdate(doc)));
			expect(await socket.closed).toBe(CLOSE.ticket);
			expect(await stand.database.sql`select 1 from fact`).toHaveLength(0);
		}
	);
});
