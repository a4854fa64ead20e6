import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { parseDocumentName } from '#documents/document-name.ts';
import { appendFact, readFacts } from '#documents/facts.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { createProject } from '#server/projections/project.ts';
import { decodeClientFrame, MESSAGE_FEED, MESSAGE_HAVE, MESSAGE_SYNC } from '#sync/frames.ts';
import { deviceCaller } from '#tests/support/device-caller.ts';
import {
	createRelayStand,
	EPOCH,
	settingFact,
	until,
	type RelayStand
} from '#tests/support/relay-stand.ts';
import { TRADE_BUSINESS } from '#tests/support/trade.ts';
import { writeBatch } from './batch.ts';
import { checkFact } from './check-fact.ts';
import { createConnection, type Connection } from './connection.ts';
import type { RelaySocket } from './relay-socket.ts';
import type { Submission } from './submission.ts';
import { createHaveShelf } from './have.ts';
import { createHub, type Hub } from './hub.ts';
import { catchUp, type Room } from './room.ts';
import { parseUpdate } from './update-parser.ts';

const crypto = createNodeCrypto();
const caller = deviceCaller('A');

let stand: RelayStand;
let hub: Hub;
let room: Room;
beforeEach(async () => {
	stand = await createRelayStand();
	await stand.addDevice('A');
	const { sql } = stand.database;
	hub = createHub({ sql, epoch: EPOCH, shelf: createHaveShelf(sql) });
	const address = parseDocumentName(stand.today());
	if (!address.ok) throw new Error('not as meant');
	room = await hub.hold(stand.today(), address.value);
});
afterEach(() => stand.close());

it('[RELAY-25] a room that was caught up between commit and telling takes nothing twice', async () => {
	const doc = new Y.Doc();
	// Two updates of one client in one batch, the second behind the first.
	const first = changeOf(doc, 'A-1');
	const second = changeOf(doc, 'A-2');
	const batch = [await submissionOf(first, 'A-1'), await submissionOf(second, 'A-2')];
	const { sql } = stand.database;
	const written = await writeBatch(parts(), batch);
	await catchUp(sql, room);
	const ahead = room.sequence;
	hub.tell(batch, written);
	expect(room.sequence).toBe(ahead);
	expect(room.state.stateVector()).toEqual(new Map([[doc.clientID, 2]]));

	// What the same client says next is neither taken for known nor for a gap.
	const third = [await submissionOf(changeOf(doc, 'A-3'), 'A-3')];
	const next = await writeBatch(parts(), third);
	expect(next.decisions.map(({ kind }) => kind)).toEqual(['accepted']);
	hub.tell(third, next);
	expect(room.state.stateVector()).toEqual(new Map([[doc.clientID, 3]]));
	expect(await storedFacts()).toEqual(readFacts(doc));
});

it('[RELAY-25] a room that was caught up beyond the batch does not go back', async () => {
	const doc = new Y.Doc();
	const batch = [await submissionOf(changeOf(doc, 'A-1'), 'A-1')];
	const written = await writeBatch(parts(), batch);
	// Another relay goes on in the same document before this one tells.
	const other = new Y.Doc();
	const own = await submissionOf(changeOf(other, 'A-9'), 'A-9');
	await catchUp(stand.database.sql, room);
	const elsewhere = createHub({
		sql: stand.database.sql,
		epoch: EPOCH,
		shelf: createHaveShelf(stand.database.sql)
	});
	const copy = await elsewhere.hold(stand.today(), room.address);
	await writeBatch(parts(), [{ ...own, room: copy }]);
	await catchUp(stand.database.sql, room);
	expect(room.sequence).toBe(2);
	hub.tell(batch, written);
	expect(room.sequence).toBe(2);
	await catchUp(stand.database.sql, room);
	expect(room.state.stateVector()).toEqual(
		new Map([
			[doc.clientID, 1],
			[other.clientID, 1]
		])
	);
});

it('[RELAY-13] who has left is told nothing, and those who stay are', async () => {
	const said: string[] = [];
	const shelf = createHaveShelf(stand.database.sql);
	await shelf.open(caller);
	const own = createHub({ sql: stand.database.sql, epoch: EPOCH, shelf });
	const connect = (name: string): Connection => {
		const socket = {
			...{ OPEN: 1, readyState: 1, bufferedAmount: 0, on: () => undefined },
			send: ([type]: Uint8Array) => said.push(`${name} ${String(type)}`)
		} as unknown as RelaySocket;
		const connection = createConnection({ caller, room, socket });
		// It has all that is there.
		connection.reading.stateVector = new Map();
		connection.reading.sequence = room.sequence;
		own.join(connection);
		return connection;
	};
	const [first, second] = [connect('first'), connect('second')];
	const doc = new Y.Doc();
	const tell = async (id: string): Promise<readonly string[]> => {
		said.length = 0;
		const batch = [await submissionOf(changeOf(doc, id), id)];
		own.tell(batch, await writeBatch(parts(), batch));
		return [...said];
	};
	const all = [MESSAGE_HAVE, MESSAGE_SYNC, MESSAGE_FEED];
	expect(await tell('A-1')).toEqual(
		all.flatMap((type) => ['first', 'second'].map((name) => `${name} ${String(type)}`))
	);
	own.leave(first);
	expect(await tell('A-2')).toEqual(all.map((type) => `second ${String(type)}`));
	expect([...own.connections(), ...own.inScope(caller.scope)]).toEqual([second, second]);
	own.leave(second);
	expect(await tell('A-3')).toEqual([]);
	expect([...own.connections(), ...own.inScope(caller.scope)]).toEqual([]);
});

it('[RELAY-16] who has less than his document holds here catches up at a look', async () => {
	const doc = new Y.Doc();
	const batch = [await submissionOf(changeOf(doc, 'A-1'), 'A-1')];
	await writeBatch(parts(), batch);
	await catchUp(stand.database.sql, room);
	const said: number[] = [];
	const socket = {
		...{ OPEN: 1, readyState: 1, bufferedAmount: 0, on: () => undefined },
		send: ([type = -1]: Uint8Array, sent?: () => void) => {
			said.push(type);
			sent?.();
		}
	} as unknown as RelaySocket;
	const connection = createConnection({ caller, room, socket });
	hub.join(connection);
	hub.passOnHeld();
	expect(connection.reading.isCatchingUp).toBe(false);
	// Asked by now what it has.
	connection.reading.stateVector = new Map();
	hub.passOnHeld();
	await until(() => !connection.reading.isCatchingUp);
	expect([said, connection.reading.sequence]).toEqual([[MESSAGE_SYNC], room.sequence]);
});

describe('a reader of a document', () => {
	interface Reader {
		readonly connection: Connection;
		readonly doc: Y.Doc;
		readonly frames: number;
		/** Of the items of each frame. */
		readonly clocks: readonly (readonly number[])[];
	}

	/** Somebody who has all that the room knows of, and what he is sent. */
	function reader(): Reader {
		const clocks: (readonly number[])[] = [];
		const read = { doc: new Y.Doc(), frames: 0, clocks };
		const socket = {
			...{ OPEN: 1, readyState: 1, bufferedAmount: 0, on: () => undefined },
			close: () => undefined,
			send: (frame: Uint8Array, sent?: () => void) => {
				const told = decodeClientFrame(frame);
				if (told?.kind === 'update') {
					read.frames += 1;
					clocks.push(Y.decodeUpdate(told.update).structs.map(({ id }) => id.clock));
					Y.applyUpdate(read.doc, told.update);
				}
				sent?.();
			}
		} as unknown as RelaySocket;
		const connection = createConnection({ caller, room, socket });
		connection.reading.stateVector = new Map();
		connection.reading.sequence = room.sequence;
		hub.join(connection);
		return Object.assign(read, { connection });
	}

	async function commit(doc: Y.Doc, id: string, sender: object = {}): Promise<() => void> {
		const batch = [{ ...(await submissionOf(changeOf(doc, id), id)), sender }];
		const written = await writeBatch(parts(), batch);
		return () => {
			hub.tell(batch, written);
		};
	}

	const idsOf = (doc: Y.Doc): readonly string[] => Array.from(doc.getMap('f').keys()).toSorted();

	it('[RELAY-16] is told once what another says, and nothing that he said himself', async () => {
		const [first, second] = [reader(), reader()];
		const tell = await commit(new Y.Doc(), 'A-1', first.connection);
		tell();
		// He has it by then, as who caught up from the database has it.
		tell();
		await until(() => !second.connection.reading.isCatchingUp);
		expect([first, second].map(({ frames, doc }) => [frames, idsOf(doc)])).toEqual([
			[0, []],
			[1, ['A-1']]
		]);
	});

	it('[RELAY-16] loses nothing that another relay wrote before it', async () => {
		const one = reader();
		const shelf = createHaveShelf(stand.database.sql);
		const elsewhere = createHub({ sql: stand.database.sql, epoch: EPOCH, shelf });
		const copy = await elsewhere.hold(stand.today(), room.address);
		const other = await submissionOf(changeOf(new Y.Doc(), 'A-8'), 'A-8');
		await writeBatch(parts(), [{ ...other, room: copy }]);
		const tell = await commit(new Y.Doc(), 'A-9');
		tell();
		await until(() => one.connection.reading.sequence === 2);
		await until(() => !one.connection.reading.isCatchingUp);
		expect(idsOf(one.doc)).toEqual(['A-8', 'A-9']);
	});

	it('[RELAY-15] is sent what he lacks, once, in pieces of 32 kB', async () => {
		const one = reader();
		const doc = new Y.Doc();
		for (let sequence = 1; sequence <= 7; sequence += 1) {
			const before = Y.encodeStateVector(doc);
			doc.getMap('f').set(`A-${String(sequence)}`, 'x'.repeat(9_500));
			const update = Buffer.from(Y.encodeStateAsUpdate(doc, before));
			await stand.database.sql`
				insert into document_update (business, document, sequence, update)
				values (${TRADE_BUSINESS}, ${room.name}, ${sequence}, ${update})`;
		}
		await catchUp(stand.database.sql, room);
		one.connection.reading.stateVector = new Map([[doc.clientID, 1]]);
		hub.passOnHeld();
		await until(() => !one.connection.reading.isCatchingUp);
		expect(one.clocks).toEqual([
			[1, 2, 3],
			[4, 5, 6]
		]);
	});

	it('[RELAY-16] starts anew where the database goes away while he is sent what is there', async () => {
		const one = reader();
		const tell = await commit(new Y.Doc(), 'A-1');
		tell();
		const away = (): Promise<never> => Promise.reject(new Error('away'));
		const sql = away as unknown as Parameters<typeof catchUp>[0];
		const shelf = createHaveShelf(sql);
		const failing = createHub({ sql, epoch: EPOCH, shelf });
		failing.join(one.connection);
		one.connection.reading.sequence = 0;
		failing.passOnHeld();
		await until(() => one.connection.isEnded);
		expect(one.connection.reading.isCatchingUp).toBe(false);
	});

	it('[RELAY-16] hears what is new behind what he is being sent', async () => {
		const one = reader();
		one.connection.reading.isCatchingUp = true;
		const tell = await commit(new Y.Doc(), 'A-1');
		tell();
		expect([one.frames, one.connection.reading.sequence]).toEqual([0, 0]);
		one.connection.reading.isCatchingUp = false;
		hub.passOnHeld();
		await until(() => one.connection.reading.sequence === 1);
		expect(idsOf(one.doc)).toEqual(['A-1']);
	});
});

function parts(): Parameters<typeof writeBatch>[0] {
	const { sql } = stand.database;
	return { sql, project: createProject(crypto), clock: () => stand.clock.now };
}

/** What one more fact changes in the document. */
function changeOf(doc: Y.Doc, id: string): Uint8Array {
	const before = Y.encodeStateVector(doc);
	appendFact(doc, settingFact(stand, id));
	return Y.encodeStateAsUpdate(doc, before);
}

async function submissionOf(bytes: Uint8Array, id: string): Promise<Submission> {
	const parsed = parseUpdate(bytes);
	if (!parsed.ok) throw new Error('not as meant');
	const given = { caller, address: room.address, crypto, now: stand.clock.now };
	const check = await checkFact(settingFact(stand, id).text, given);
	const checks = new Map(parsed.value.items.map((item) => [item, check]));
	return { room, caller, update: parsed.value, checks, sender: {} };
}

/** What a reader makes of the stored updates. */
async function storedFacts(): Promise<ReturnType<typeof readFacts>> {
	const rows = await stand.database.sql<{ update: Uint8Array }[]>`
		select update from document_update order by sequence`;
	const doc = new Y.Doc();
	for (const { update } of rows) Y.applyUpdate(doc, new Uint8Array(update));
	return readFacts(doc);
}
