import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { appendFact, readFacts } from '#documents/facts.ts';
import type { Bus, BusNews } from '#server/bus/bus.ts';
import { createExchange, type Exchange } from '#server/bus/process-bus.ts';
import type { Project } from '#server/projections/effected.ts';
import { projectLedgerFacts } from '#server/projections/ledgers.ts';
import { CLOSE } from '#sync/close-code.ts';
import {
	decodeFeedNews,
	encodeStep1,
	encodeUpdate,
	MESSAGE_FEED,
	MESSAGE_HAVE,
	MESSAGE_HELLO,
	MESSAGE_NACK,
	MESSAGE_SYNC
} from '#sync/frames.ts';
import { rangesIn } from '#tests/support/heard.ts';
import { createHeldSql } from '#tests/support/held-sql.ts';
import {
	createRelayStand,
	EPOCH,
	isMessage,
	jsonIn,
	rawSocket,
	settingFact,
	stockProvider,
	synced,
	until,
	type RawSocket,
	type RelayStand
} from '#tests/support/relay-stand.ts';
import { TRADE_BRANCH, TRADE_BUSINESS } from '#tests/support/trade.ts';
import { createAppendRelayFacts } from './relay-facts.ts';

const LOOK_MS = 5_000;

let exchange: Exchange;
let one: RelayStand;
let two: RelayStand;
let heard: BusNews[];
/** What the second relay asks the database. */
let statements: string[];
let isDeaf = false;

/** Hears nothing while the test says so. */
function deafable(bus: Bus): Bus {
	return {
		...bus,
		subscribe: (listener) =>
			bus.subscribe((news) => {
				if (!isDeaf) listener(news);
			})
	};
}

beforeEach(async () => {
	isDeaf = false;
	heard = [];
	exchange = createExchange();
	one = await createRelayStand({ bus: exchange.join() });
	statements = [];
	two = await createRelayStand({
		beside: one,
		bus: deafable(exchange.join()),
		onStatement: (statement) => statements.push(statement)
	});
	exchange.join().subscribe((news) => heard.push(news));
	for (const code of ['A', 'B']) await one.addDevice(code);
});
afterEach(async () => {
	await two.close();
	await one.close();
	expect([...one.faults, ...two.faults]).toEqual([]);
});

describe('two relays', () => {
	it('[RELAY-26] [RELAY-27] pass on what a device of the other writes: update, have, feed', async () => {
		const elsewhere = await rawSocket(two, 'A');
		elsewhere.send(encodeStep1(new Map()));
		await elsewhere.next(isMessage(MESSAGE_SYNC));
		const reader = stockProvider(two, 'B');
		await synced(reader);

		const writer = stockProvider(one, 'A');
		await synced(writer);
		for (let n = 1; n <= 5; n += 1) appendFact(writer.doc, settingFact(one, `A-${String(n)}`));
		await until(() => readFacts(reader.doc).length === 5);
		expect(readFacts(reader.doc)).toEqual(readFacts(writer.doc));
		// The same device's socket at the other relay learns that its facts are kept, and how far all is.
		await until(() => rangesIn(elsewhere).some(([, to]) => to === 5));
		await until(() => numbersIn(elsewhere).includes(5));
		expect(heard.every(({ scope }) => scope === TRADE_BUSINESS)).toBe(true);
		expect(heard.at(-1)).toEqual({ scope: TRADE_BUSINESS, document: one.today(), s: 5 });

		// And back, behind what the first relay holds in memory.
		appendFact(reader.doc, settingFact(two, 'B-1'));
		await until(() => readFacts(writer.doc).length === 6);
		appendFact(writer.doc, settingFact(one, 'A-6'));
		await until(() => readFacts(reader.doc).length === 7);
		writer.destroy();
		reader.destroy();
	});

	it('[RELAY-28] make good what nobody told them at their next look: facts, twins, numbers', async () => {
		isDeaf = true;
		const elsewhere = await rawSocket(two, 'A');
		elsewhere.send(encodeStep1(new Map()));
		await elsewhere.next(isMessage(MESSAGE_SYNC));
		const reader = stockProvider(two, 'B');
		await synced(reader);
		const writer = stockProvider(one, 'A');
		await synced(writer);
		const facts = [1, 2, 3].map((n) => settingFact(one, `A-${String(n)}`));
		for (const fact of facts) appendFact(writer.doc, fact);
		await until(async () => (await storedFacts(one)) === 3);
		await until(() => heard.length > 0);
		expect(readFacts(reader.doc)).toEqual([]);
		two.tick(LOOK_MS);
		await until(() => readFacts(reader.doc).length === 3);
		await until(() => rangesIn(elsewhere).some(([, to]) => to === 3));
		await until(() => numbersIn(elsewhere).includes(3));

		// A known fact under a fresh client moves the document and not the feed.
		writer.destroy();
		const again = stockProvider(one, 'A');
		const [first] = facts;
		if (first !== undefined) appendFact(again.doc, first);
		await synced(again);
		await until(async () => (await storedUpdates(one)) === 4);
		two.tick(LOOK_MS);
		await until(() => reader.doc.store.clients.has(again.doc.clientID));
		expect(await storedFacts(one)).toBe(3);
		again.destroy();
		reader.destroy();
	});

	it('[RELAY-27] pass on what a batch met of the other’s, whether it brought something itself or not', async () => {
		isDeaf = true;
		const reader = stockProvider(two, 'B');
		await synced(reader);
		const writer = stockProvider(one, 'A');
		await synced(writer);
		appendFact(writer.doc, settingFact(one, 'A-1'));
		await until(async () => (await storedFacts(one)) === 1);
		// A device tells what it had from the first relay: known there, and new to the second.
		const teller = await rawSocket(two, 'B');
		teller.send(encodeUpdate(Y.encodeStateAsUpdate(writer.doc)));
		await until(() => readFacts(reader.doc).length === 1);
		expect(await storedUpdates(one)).toBe(1);
		writer.destroy();
		reader.destroy();
	});

	it('[RELAY-28] make good at their next look what a batch met that failed', async () => {
		const fails: Project = () => Promise.reject(new Error('the disk of this test is broken'));
		const third = await createRelayStand({ beside: one, wrapProject: () => fails });
		const reader = stockProvider(third, 'B');
		await synced(reader);
		const writer = stockProvider(one, 'A');
		await synced(writer);
		appendFact(writer.doc, settingFact(one, 'A-1'));
		await until(async () => (await storedFacts(one)) === 1);
		const teller = await rawSocket(third, 'B');
		teller.send(encodeUpdate(updateOf(settingFact(one, 'B-1'))));
		await teller.next(isMessage(MESSAGE_NACK));
		expect(third.faults).toHaveLength(1);
		expect(readFacts(reader.doc)).toEqual([]);
		third.tick(LOOK_MS);
		await until(() => readFacts(reader.doc).length === 1);
		writer.destroy();
		reader.destroy();
		await third.close();
	});

	it('[RELAY-28] make good at their next look what the other wrote before a batch of their own', async () => {
		isDeaf = true;
		const elsewhere = await opened(two, 'A');
		const writer = stockProvider(one, 'A');
		await synced(writer);
		appendFact(writer.doc, settingFact(one, 'A-1'));
		await until(async () => (await storedFacts(one)) === 1);
		const teller = await opened(two, 'B');
		teller.send(encodeUpdate(updateOf(settingFact(one, 'B-1'))));
		await until(() => numbersIn(elsewhere).includes(2));
		expect(rangesIn(elsewhere)).toEqual([]);
		two.tick(LOOK_MS);
		await until(() => rangesIn(elsewhere).some(([, to]) => to === 1));
		writer.destroy();
	});

	it('[RELAY-27] tell a device that came while they asked for others, and whose own was not asked for', async () => {
		const held = createHeldSql(/left join fact on/);
		const third = await createRelayStand({ beside: one, bus: exchange.join(), wrapSql: held.wrap });
		const [writer, other] = [stockProvider(one, 'A'), stockProvider(one, 'B')];
		await Promise.all([synced(writer), synced(other)]);
		await opened(third, 'B');
		held.isHolding = true;
		appendFact(other.doc, settingFact(one, 'B-1'));
		await until(() => held.waiting === 1);
		// What it has is read before that is asked, and before its next is written.
		const elsewhere = await opened(third, 'A');
		await elsewhere.next(isMessage(MESSAGE_HAVE));
		appendFact(writer.doc, settingFact(one, 'A-1'));
		await until(async () => (await storedFacts(one)) === 2);
		held.isHolding = false;
		await until(() => numbersIn(elsewhere).includes(2));
		third.tick(LOOK_MS);
		await until(() => rangesIn(elsewhere).some(([, to]) => to === 1));
		writer.destroy();
		other.destroy();
		await third.close();
	});

	it('[RELAY-28] load no document that nobody here has open', async () => {
		const writer = stockProvider(one, 'A', { document: dayBefore(one.today()) });
		await synced(writer);
		const reader = await rawSocket(two, 'B');
		reader.send(encodeStep1(new Map()));
		await reader.next(isMessage(MESSAGE_SYNC));
		const before = statements.length;
		appendFact(writer.doc, settingFact(one, 'A-1'));
		await until(() => numbersIn(reader).includes(1));
		expect(statements.slice(before).filter(isOfUpdates)).toEqual([]);
		expect(statements.length).toBeGreaterThan(before);
		writer.destroy();
	});

	it('[RELAY-29] pass on the relay’s own facts of an act at the other', async () => {
		const reader = stockProvider(two, 'B');
		await synced(reader);
		const append = createAppendRelayFacts({
			clock: () => one.clock.now,
			epoch: EPOCH,
			projectLedgerFacts
		});
		await one.database.orm.transaction((transaction) =>
			append(transaction, TRADE_BUSINESS, [
				{ kind: 'device', device: 'A' as never, fields: { member: 1 }, branch: TRADE_BRANCH }
			])
		);
		await one.relay().feedMoved(TRADE_BUSINESS);
		await until(() => readFacts(reader.doc).length === 1);
		reader.destroy();
	});
});

describe('whose access ends', () => {
	it('[RELAY-30] loses the sockets at every relay at once, told of it or not', async () => {
		const [here, there, other] = [
			await opened(one, 'A'),
			await opened(two, 'A'),
			await opened(two, 'B')
		];
		await remove('A');
		const at = performance.now();
		await one.relay().revoked(TRADE_BUSINESS);
		expect(await Promise.all([here.closed, there.closed])).toEqual([CLOSE.rights, CLOSE.rights]);
		expect(performance.now() - at).toBeLessThan(1_000);
		expect(other.socket.readyState).toBe(other.socket.OPEN);

		isDeaf = true;
		await remove('B');
		await one.relay().revoked(TRADE_BUSINESS);
		two.tick(LOOK_MS);
		expect(await other.closed).toBe(CLOSE.rights);
	});

	it('[RELAY-30] loses a socket that was just opening', async () => {
		const opening = await two.database.sql.begin(async (tx) => {
			// Whoever loads the document waits for this table.
			await tx`lock table document_update in access exclusive mode`;
			const socket = await rawSocket(one, 'A');
			await remove('A');
			return socket;
		});
		expect(await opening.closed).toBe(CLOSE.rights);
	});

	it('[RELAY-30] loses what a session opened with the session, and may prove its key instead', async () => {
		const session = await openSession();
		const document = one.today();
		const holder = { sort: 'device', scope: TRADE_BUSINESS, code: 'A' as never } as const;
		const ticket = await one.tickets.create({ ...holder, session }, document);
		const later = await one.tickets.create({ ...holder, session }, document);
		const bySession = await rawSocket(two, 'A', { ticket });
		await bySession.next(isMessage(MESSAGE_HELLO));
		const byKey = await opened(two, 'A');
		await one.database.sql`delete from session where id = ${session}`;
		await one.relay().revoked(TRADE_BUSINESS);
		expect(await bySession.closed).toBe(CLOSE.ticket);
		expect(byKey.socket.readyState).toBe(byKey.socket.OPEN);
		const late = await rawSocket(two, 'A', { ticket: later });
		expect(await late.closed).toBe(CLOSE.ticket);
	});
});

function isOfUpdates(statement: string): boolean {
	return statement.includes('document_update');
}

async function opened(stand: RelayStand, code: string): Promise<RawSocket> {
	const socket = await rawSocket(stand, code);
	await socket.next(isMessage(MESSAGE_HELLO));
	return socket;
}

async function remove(code: string): Promise<void> {
	await one.database.sql`update device set removed_at = ${one.clock.now} where code = ${code}`;
}

async function openSession(): Promise<string> {
	const id = randomUUID();
	const [owner] = await one.database.sql<{ account: string }[]>`select account from account`;
	await one.database.sql`
		insert into session (token_hash, id, account, user_agent, created_at, seen_at, expires_at)
		values (${Buffer.from(id)}, ${id}, ${String(owner?.account)}, '', 0, 0,
			${one.clock.now + 1_000})`;
	return id;
}

async function storedFacts({ database: { sql } }: RelayStand): Promise<number> {
	const [row] = await sql<{ count: string }[]>`select count(*) from fact`;
	return Number(row?.count);
}

/** An update of one fact under a fresh client. */
function updateOf(fact: Parameters<typeof appendFact>[1]): Uint8Array {
	const doc = new Y.Doc();
	appendFact(doc, fact);
	return Y.encodeStateAsUpdate(doc);
}

async function storedUpdates({ database: { sql } }: RelayStand): Promise<number> {
	const [row] = await sql<{ count: string }[]>`select count(*) from document_update`;
	return Number(row?.count);
}

function numbersIn({ heard: frames }: RawSocket): readonly number[] {
	return frames
		.filter(isMessage(MESSAGE_FEED))
		.flatMap((frame) => decodeFeedNews(jsonIn(frame))?.s ?? []);
}

function dayBefore(name: string): string {
	return `${name.slice(0, -8)}${String(Number(name.slice(-8)) - 1)}`;
}
