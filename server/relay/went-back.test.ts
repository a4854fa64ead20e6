import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WebsocketProvider } from 'y-websocket';
import { appendFact, readFacts } from '#documents/facts.ts';
import { CLOSE } from '#sync/close-code.ts';
import { encodeUpdate, MESSAGE_HAVE, MESSAGE_NACK } from '#sync/frames.ts';
import { projectLedgerFacts } from '#server/projections/ledgers.ts';
import { TRADE_BUSINESS } from '#tests/support/trade.ts';
import { handUpdate, textUnder } from '#server/commands/fuzz/hand-update.ts';
import {
	createRelayStand,
	EPOCH,
	isMessage,
	rawSocket,
	settingFact,
	stockProvider,
	synced,
	until,
	type RawSocket,
	type RelayStand
} from '#tests/support/relay-stand.ts';
import { createAppendRelayFacts } from './relay-facts.ts';

const LOOK_MS = 5_000;
const LEAVE_MS = 200;

let stand: RelayStand;
let ended: string[];
let shop: WebsocketProvider;
let socket: RawSocket;
beforeEach(async () => {
	ended = [];
	stand = await createRelayStand({ relay: { wentBack: ({ message }) => ended.push(message) } });
	for (const code of ['A', 'B']) await stand.addDevice(code);
	shop = stockProvider(stand, 'A');
	await synced(shop);
	for (const n of [1, 2, 3]) {
		appendFact(shop.doc, settingFact(stand, `A-${String(n)}`));
		await until(async () => (await feed()).length === n);
	}
	socket = await rawSocket(stand, 'B');
	await socket.next(isMessage(MESSAGE_HAVE));
});
afterEach(async () => {
	shop.destroy();
	await stand.close();
	expect(stand.faults).toEqual([]);
});

async function feed(): Promise<readonly string[]> {
	const rows = await stand.database.sql<{ s: string; code: string; n: string }[]>`
		select s, code, n from fact order by s`;
	return rows.map(({ s, code, n }) => `${s} ${code}-${n}`);
}

/** An older copy takes over: the last fact was not in it. */
async function goBack(): Promise<void> {
	await stand.database.sql.begin(async (tx) => {
		await tx`delete from fact where s = 3`;
		await tx`delete from document_update where sequence = 3`;
		await tx`update document_head set sequence = 2`;
		await tx`update feed_head set s = 2`;
	});
}

function write(name: string): void {
	const { id, text } = settingFact(stand, name);
	socket.send(encodeUpdate(handUpdate([{ client: 77, clock: 0, structs: [textUnder(id, text)] }])));
}

/** One look may be under way already when the next is asked for. */
async function lookUntil(ends: number): Promise<void> {
	await until(() => {
		stand.tick(LOOK_MS);
		return ended.length === ends;
	});
}

async function everybodyGone(): Promise<void> {
	shop.disconnect();
	socket.socket.close();
	await until(() => stand.sockets().size === 0);
	// The relay lets go of what a socket held once all that it said was dealt with.
	await setTimeout(LEAVE_MS);
}

/** Everybody is sent away to come again, nothing is refused, and what there is to be done is said once. */
async function expectEnd(): Promise<void> {
	expect(await socket.closed).toBe(CLOSE.tryLater);
	expect(socket.heard.some(isMessage(MESSAGE_NACK))).toBe(false);
	await until(() => ended.length > 0);
	expect(ended).toHaveLength(1);
	expect(ended[0]).toMatch(/went back/);
}

describe('a database that went back', () => {
	it('[RELAY-63] ends the relay at its next batch; the one after it has all again', async () => {
		await goBack();
		write('B-1');
		await expectEnd();
		expect(await feed()).toEqual(['1 A-1', '2 A-2']);
		// Whoever comes before the process ends brings nothing in either.
		const late = await rawSocket(stand, 'B');
		socket = late;
		write('B-1');
		expect(await late.closed).toBe(CLOSE.tryLater);
		expect(await feed()).toEqual(['1 A-1', '2 A-2']);
		await stand.restart();
		await until(async () => (await feed()).length === 3, 20_000);
		expect(await feed()).toEqual(['1 A-1', '2 A-2', '3 A-3']);
		const reader = stockProvider(stand, 'B');
		await synced(reader);
		expect(readFacts(reader.doc)).toHaveLength(3);
		reader.destroy();
	});

	it('[RELAY-63] ends it at its next look, whether its documents or its feed are behind', async () => {
		await goBack();
		await lookUntil(1);
		await expectEnd();
		await stand.restart();
		await until(async () => (await feed()).length === 3, 20_000);
		socket = await rawSocket(stand, 'B');
		await socket.next(isMessage(MESSAGE_HAVE));
		await stand.database.sql`update feed_head set s = 2`;
		await lookUntil(2);
	});

	it('[RELAY-63] ends it where others wrote on in the copy, and what they wrote does not stand on what it read', async () => {
		// As far as it had come by its numbers, so that nothing else tells.
		const { id, text } = settingFact(stand, 'B-1');
		const items = [{ client: 88, clock: 5, structs: [textUnder(id, text)] }];
		await stand.database.sql`
			insert into document_update (business, document, sequence, update)
			select business, document, 4, ${Buffer.from(handUpdate(items))} from document_head`;
		await stand.database.sql`update document_head set sequence = 4`;
		await lookUntil(1);
		await expectEnd();
	});

	it.each(['socket', 'look'])(
		'[RELAY-63] ends it at its next %s too where all who had heard of it are gone',
		async (when) => {
			await everybodyGone();
			await goBack();
			if (when === 'look') await lookUntil(1);
			else await rawSocket(stand, 'B');
			await until(() => ended.length === 1);
			expect(ended[0]).toMatch(/went back/);
		}
	);

	it.each(['batch', 'look'])('[RELAY-63] in another epoch ends it at its next %s', async (when) => {
		await stand.database.sql`
			insert into database_epoch (epoch, started_at) values (${EPOCH}, 0), (${EPOCH + 9}, 1)`;
		if (when === 'look') stand.tick(LOOK_MS);
		else write('B-1');
		await expectEnd();
		expect(await feed()).toHaveLength(3);
	});

	it("[RELAY-63] takes none of the relay's own facts of an epoch that ended", async () => {
		await stand.database.sql`
			insert into database_epoch (epoch, started_at) values (${EPOCH}, 0), (${EPOCH + 9}, 1)`;
		await expect(appendOwn(() => 0)).rejects.toThrow(/went back/);
		expect(await feed()).toHaveLength(3);
	});

	it("[RELAY-63] takes none of the relay's own facts into a feed that went back", async () => {
		await goBack();
		await expect(appendOwn(() => 3)).rejects.toThrow(/went back/);
		expect(await feed()).toEqual(['1 A-1', '2 A-2']);
		await appendOwn(() => 2);
		expect(await feed()).toHaveLength(3);
	});
});

function appendOwn(cameTo: () => number): Promise<void> {
	const { orm } = stand.database;
	const clock = (): number => stand.clock.now;
	const append = createAppendRelayFacts({ clock, epoch: EPOCH, cameTo, projectLedgerFacts });
	const fields = { name: 'Asha', role: 'owner' } as const;
	const drafts = [{ kind: 'member', member: 1, fields, branch: null }] as const;
	return orm.transaction((tx) => append(tx, TRADE_BUSINESS, drafts));
}
