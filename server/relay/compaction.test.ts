import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { parseDocumentName, utcDay } from '#documents/document-name.ts';
import { appendFact, readFacts } from '#documents/facts.ts';
import { createExchange } from '#server/bus/process-bus.ts';
import { encodeStep1, encodeUpdate, MESSAGE_SYNC } from '#sync/frames.ts';
import { PIECE_BYTES_MAX } from '#sync/limits.ts';
import {
	createRelayStand,
	isMessage,
	rawSocket,
	settingFact,
	stockProvider,
	synced,
	until,
	type RelayStand
} from '#tests/support/relay-stand.ts';
import { seeded } from '#tests/support/seeded.ts';
import { TRADE_BUSINESS } from '#tests/support/trade.ts';
import { COMPACT_MS, compactDocument, createCompaction } from './compaction.ts';
import { catchUp, loadRoom, readUpdates, type Room } from './room.ts';

const DAY_MS = 86_400_000;

let stand: RelayStand;
beforeEach(async () => {
	stand = await createRelayStand();
	for (const code of ['A', 'B']) await stand.addDevice(code);
});
afterEach(async () => {
	await stand.close();
	expect(stand.faults).toEqual([]);
});

/** Facts of one device, each an update of its own; the last number written. */
async function write(from: number, to: number, name = 'x'.repeat(50)): Promise<void> {
	const socket = await rawSocket(stand, 'A');
	const doc = new Y.Doc();
	for (let n = from; n <= to; n += 1) {
		const before = Y.encodeStateVector(doc);
		appendFact(doc, settingFact(stand, `A-${String(n)}`, `${name} ${String(n)}`));
		socket.send(encodeUpdate(Y.encodeStateAsUpdate(doc, before)));
	}
	await until(async () => (await facts()) === to);
	socket.socket.close();
}

async function facts(): Promise<number> {
	const rows = await stand.database.sql`select 1 from fact`;
	return rows.length;
}

interface StoredRow {
	readonly sequence: number;
	readonly bytes: Uint8Array;
}

async function stored(): Promise<readonly StoredRow[]> {
	const rows = await stand.database.sql<{ sequence: string; update: Uint8Array }[]>`
		select sequence, update from document_update order by sequence`;
	return rows.map(({ sequence, update }) => ({
		sequence: Number(sequence),
		bytes: new Uint8Array(update)
	}));
}

function documentOf(rows: readonly StoredRow[]): Y.Doc {
	const doc = new Y.Doc();
	for (const { bytes } of rows) Y.applyUpdate(doc, bytes);
	return doc;
}

function compact(): Promise<void> {
	return compactDocument(stand.database.sql, {
		business: TRADE_BUSINESS,
		document: stand.today()
	});
}

async function roomNow(): Promise<Room> {
	const address = parseDocumentName(stand.today());
	if (!address.ok) throw new Error('not as meant');
	return loadRoom(stand.database.sql, stand.today(), address.value);
}

describe('a document with many small updates', () => {
	it('[RELAY-32] becomes few of 32 kB and says the same, however often and whatever came later', async () => {
		await write(1, 600);
		const before = await stored();
		expect(before).toHaveLength(600);
		const states = documentOf(before);
		await compact();
		const after = await stored();
		expect(after.length).toBeLessThan(10);
		expect(after.at(-1)?.sequence).toBe(600);
		for (const { bytes } of after) expect(bytes.byteLength).toBeLessThanOrEqual(PIECE_BYTES_MAX);
		expect(readFacts(documentOf(after))).toEqual(readFacts(states));
		expect(Y.encodeStateVector(documentOf(after))).toEqual(Y.encodeStateVector(states));

		await compact();
		expect(await stored()).toEqual(after);
		await write(601, 605);
		await compact();
		// What came later joins the last piece, where there is room in it.
		expect((await stored()).length).toBeLessThanOrEqual(after.length + 1);
		expect(readFacts(documentOf(await stored()))).toHaveLength(605);
		const room = await roomNow();
		expect(room.sequence).toBe(605);
	});

	it('[RELAY-32] goes on from any number that a reader or a relay has come to', async () => {
		await write(1, 120);
		const rows = await stored();
		const whole = readFacts(documentOf(rows));
		const rooms = new Map<number, Room>();
		// Relays that stopped looking after so many updates.
		for (const place of [0, 1, 50, 119, 120]) {
			const room = await roomNow();
			rooms.set(place, room);
		}
		const partly = new Map([0, 1, 50, 119, 120].map((at) => [at, documentOf(rows.slice(0, at))]));
		await compact();
		for (const [place, doc] of partly) {
			for await (const { after, bytes } of readUpdates(
				stand.database.sql,
				rooms.get(place) ?? (await roomNow()),
				place
			)) {
				expect(after).toBeGreaterThanOrEqual(place);
				Y.applyUpdate(doc, bytes);
			}
			expect(readFacts(doc)).toEqual(whole);
		}
	});

	it('[RELAY-32] is caught up by a relay that stood in the middle of a piece', async () => {
		await write(1, 40);
		const behind = await roomNow();
		await write(41, 80);
		await compact();
		expect((await stored()).map(({ sequence }) => sequence)).toEqual([80]);
		await catchUp(stand.database.sql, behind);
		expect(behind.sequence).toBe(80);
		expect(behind.state.stateVector()).toEqual((await roomNow()).state.stateVector());
	});

	it('[RELAY-32] reaches readers who are in the middle of it, at every relay, and the writer goes on', async () => {
		const exchange = createExchange();
		const other = await createRelayStand({ beside: stand, bus: exchange.join() });
		const draw = seeded(7);
		const readers = [stockProvider(stand, 'B'), stockProvider(other, 'B')];
		const writer = stockProvider(stand, 'A');
		await Promise.all([...readers, writer].map(synced));
		for (let n = 1; n <= 300; n += 1) {
			appendFact(writer.doc, settingFact(stand, `A-${String(n)}`));
			if (draw(20) === 0) await compact();
			if (draw(20) === 0) readers[draw(2)]?.disconnect();
			if (draw(20) === 0) for (const reader of readers) reader.connect();
			if (draw(5) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
		}
		for (const reader of readers) reader.connect();
		await until(async () => (await facts()) === 300);
		await compact();
		await until(() => {
			other.tick(5_000);
			return readers.every(({ doc }) => readFacts(doc).length === 300);
		});
		for (const { doc } of readers) expect(readFacts(doc)).toEqual(readFacts(writer.doc));
		expect(other.faults).toEqual([]);
		for (const provider of [...readers, writer]) provider.destroy();
		await other.close();
	});

	it('[RELAY-32] keeps twins of one fact, and shows the same one', async () => {
		const fact = settingFact(stand, 'A-1');
		for (const clientID of [9, 5, 7]) {
			const doc = new Y.Doc();
			doc.clientID = clientID;
			appendFact(doc, fact);
			const socket = await rawSocket(stand, 'A');
			socket.send(encodeStep1(new Map()));
			await socket.next(isMessage(MESSAGE_SYNC));
			socket.send(encodeUpdate(Y.encodeStateAsUpdate(doc)));
			await until(async () => (await stored()).some((row) => hasClient(row, clientID)));
			socket.socket.close();
		}
		const before = documentOf(await stored());
		await compact();
		expect(await stored()).toHaveLength(1);
		const after = documentOf(await stored());
		expect(readFacts(after)).toEqual(readFacts(before));
		expect(Y.encodeStateAsUpdate(after)).toEqual(Y.encodeStateAsUpdate(before));
		expect((await roomNow()).state.twinsOf('A-1').count).toBe(3);
	});
});

function hasClient({ bytes }: StoredRow, client: number): boolean {
	return Y.decodeUpdate(bytes).structs.some(({ id }) => id.client === client);
}

describe('which documents, and when', () => {
	it('[RELAY-33] those of days that are over, by themselves, a little where somebody writes', async () => {
		await write(1, 30);
		stand.tick(COMPACT_MS);
		await stand.relay().close();
		expect(await stored()).toHaveLength(30);

		stand.clock.now += DAY_MS;
		await stand.restart();
		stand.tick(COMPACT_MS);
		await until(async () => (await stored()).length === 1);
		const [head] = await stand.database.sql<{ compacted: string }[]>`
			select compacted from document_head`;
		expect(Number(head?.compacted)).toBe(30);
	});

	it('[RELAY-33] one that grew by a thousand updates, of whatever day', async () => {
		const day = utcDay(stand.clock.now + DAY_MS);
		const name = `${stand.today().slice(0, -8)}${day}`;
		await write(1, 3);
		const [row] = await stored();
		// Rows that no reader reads: how long a document is, its head says.
		await stand.database.sql`
			insert into document_head (business, document, sequence) values
				(${TRADE_BUSINESS}, ${name}, 1000), (${TRADE_BUSINESS}, ${`o${name.slice(1)}`}, 999)`;
		await stand.database.sql`
			insert into document_update (business, document, sequence, update)
			values (${TRADE_BUSINESS}, ${name}, 1000, ${Buffer.from(row?.bytes ?? [])})`;
		stand.tick(COMPACT_MS);
		await until(async () => {
			const [head] = await stand.database.sql<{ compacted: string }[]>`
				select compacted from document_head where document = ${name}`;
			return Number(head?.compacted) === 1_000;
		});
		const left = await stand.database.sql`select 1 from document_head where compacted = 0`;
		expect(left).toHaveLength(2);
	});

	/** Documents of two updates each, put together up to one. */
	async function addDocuments(names: readonly string[], upTo = 0): Promise<void> {
		const [row] = await stored();
		const hex = Buffer.from(row?.bytes ?? []).toString('hex');
		await stand.database.sql`
			insert into document_head (business, document, sequence, compacted)
			select ${TRADE_BUSINESS}, name, 2, ${upTo} from unnest(${[...names]}::text[]) as name`;
		await stand.database.sql`
			insert into document_update (business, document, sequence, update)
			select ${TRADE_BUSINESS}, name, sequence, decode(${hex}, 'hex')
			from unnest(${[...names]}::text[]) as name, generate_series(1, 2) as sequence`;
	}

	/** Days that are over, each of two updates; a compaction that takes half a second for each. */
	async function manyDays(count: number): Promise<ReturnType<typeof createCompaction>> {
		await write(1, 1);
		const days = Array.from({ length: count }, (_none, at) => 20_250_101 + at);
		await addDocuments(days.map((day) => `${stand.today().slice(0, -8)}${String(day)}`));
		let now = stand.clock.now;
		const clock = (): number => (now += 500);
		const { sql } = stand.database;
		return createCompaction({ sql, clock, fault: (fault) => stand.faults.push(fault) });
	}

	it('[RELAY-33] the office’s days too, and both sides of a customer’s years, once they are over', async () => {
		const compaction = await manyDays(0);
		const branch = stand.today().slice(1, -8);
		const person = `/${TRADE_BUSINESS}/`;
		const over = [`j${branch}20251231`, `o${branch}20251231`, `s${person}2025`, `c${person}2025`];
		const now = [`o${stand.today().slice(1)}`, `s${person}2026`, `c${person}2026`];
		await addDocuments([...over, ...now]);
		await compaction.run();
		const rows = await stand.database.sql<{ document: string }[]>`
			select document from document_head where compacted = 2`;
		expect(rows.map(({ document }) => document).toSorted()).toEqual(over.toSorted());
	});

	it('[RELAY-33] however many there are of which nothing is left to do', async () => {
		const compaction = await manyDays(0);
		const days = Array.from({ length: 520 }, (_none, at) => String(19_990_101 + at));
		await addDocuments(
			days.map((day) => `${stand.today().slice(0, -8)}${day}`),
			2
		);
		await addDocuments([`${stand.today().slice(0, -8)}20250101`]);
		await compaction.run();
		expect(await compacted()).toBe(521);
	});

	it('[RELAY-33] one in which the database went away is put together at the next look', async () => {
		await manyDays(2);
		let isAway = true;
		const sql = new Proxy(stand.database.sql, {
			get: (target, name): unknown => {
				if (name !== 'begin' || !isAway) return Reflect.get(target, name);
				isAway = false;
				const gone = Object.assign(new Error('gone'), { code: 'CONNECTION_CLOSED' });
				return () => Promise.reject(gone);
			}
		});
		const { clock } = stand;
		const compaction = createCompaction({
			...{ sql, clock: () => clock.now, fault: (fault) => stand.faults.push(fault) }
		});
		await compaction.run();
		expect(await compacted()).toBe(1);
		expect(stand.faults.splice(0)).toHaveLength(1);
		await compaction.run();
		expect(await compacted()).toBe(2);
	});

	async function compacted(): Promise<number> {
		const rows = await stand.database.sql`select 1 from document_head where compacted = 2`;
		return rows.length;
	}

	it('[RELAY-33] for a fifth of the time where somebody writes, else for all of it', async () => {
		const compaction = await manyDays(30);
		compaction.noteWrite();
		await compaction.run();
		expect(await compacted()).toBe(COMPACT_MS / 5 / 500);
		await compaction.run();
		expect(await compacted()).toBe(COMPACT_MS / 5 / 500 + COMPACT_MS / 500);
		await compaction.run();
		expect(await compacted()).toBe(30);
	});

	it('[RELAY-33] goes on behind one that cannot be, and tells of that once', async () => {
		const compaction = await manyDays(5);
		await stand.database.sql`
			update document_update set update = '\\xff' where document like '%20250101'`;
		await compaction.run();
		expect(await compacted()).toBe(4);
		await compaction.run();
		expect(stand.faults.splice(0)).toHaveLength(1);
	});

	it('[RELAY-33] passes over one that somebody has in hand', async () => {
		await write(1, 10);
		await stand.database.sql.begin(async (tx) => {
			await tx`select 1 from document_head for update`;
			await compact();
		});
		expect(await stored()).toHaveLength(10);
		await compact();
		expect(await stored()).toHaveLength(1);
	});
});
