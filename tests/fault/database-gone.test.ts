import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { formatDocumentName, parseDocumentName } from '#documents/document-name.ts';
import { appendFact } from '#documents/facts.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { connectDatabase, openDatabase } from '#server/database/connect.ts';
import { createProject } from '#server/projections/project.ts';
import { checkFact } from '#server/relay/check-fact.ts';
import { loadRoom } from '#server/relay/room.ts';
import { parseUpdate } from '#server/relay/update-parser.ts';
import { createWritePath } from '#server/relay/write-path.ts';
import { CLOSE } from '#sync/close-code.ts';
import {
	decodeHave,
	encodeStep2,
	encodeUpdate,
	MESSAGE_HAVE,
	MESSAGE_NACK,
	type HaveRange
} from '#sync/frames.ts';
import { createTestDatabase } from '#tests/support/database.ts';
import { deviceCaller } from '#tests/support/device-caller.ts';
import { createFailingSql, type Break, type FailingSql } from '#tests/support/failing-sql.ts';
import { rangesIn } from '#tests/support/heard.ts';
import {
	createRelayStand,
	isMessage,
	jsonIn,
	rawSocket,
	settingFact,
	until,
	type RelayStand
} from '#tests/support/relay-stand.ts';

const LOOK_MS = 5_000;
/** More statements than a batch has, however it grows. */
const STATEMENTS_MAX = 40;

let failing: FailingSql;
let stand: RelayStand;
beforeEach(async () => {
	failing = createFailingSql();
	stand = await createRelayStand({ wrapSql: failing.wrap });
	await stand.addDevice('A');
});
afterEach(() => stand.close());

describe('a database that goes away', () => {
	it('[RELAY-60] wherever a batch breaks, nothing of it is kept and nothing refused; it comes in once', async () => {
		let broken = 0;
		for (let n = 1; n <= STATEMENTS_MAX; n += 1) {
			const fact = `A-${String(n)}`;
			const outcome = await sendInto({ at: 'statement', n, code: '53100' }, fact);
			// Beyond the last statement nothing breaks.
			if (outcome === 'kept') break;
			expect(outcome).toEqual({ closed: CLOSE.tryLater, nacks: [] });
			expect((await stored())?.facts).toBe(n - 1);
			broken += 1;
			expect(await sendInto(undefined, fact)).toBe('kept');
		}
		expect([failing.broken, broken > 5, broken < STATEMENTS_MAX]).toEqual([broken, true, true]);
		const facts = broken + 1;
		expect(await stored()).toEqual({ facts, last: facts, feed: facts, updates: facts });
		const [setting] = await stand.database.sql<{ fields: unknown }[]>`select fields from setting`;
		expect(setting?.fields).toEqual({ name: `Shop A-${String(facts)}` });
	});

	it.each<Break>([
		{ at: 'begin', code: 'CONNECTION_CLOSED' },
		{ at: 'begin', code: 'ECONNREFUSED' },
		{ at: 'begin', code: '53300' },
		{ at: 'begin', code: '57P03' },
		{ at: 'readOnly' },
		{ at: 'statement', n: 6, code: '40P01' },
		{ at: 'statement', n: 6, code: '58030' }
	])('[RELAY-60] refuses no fact for the database’s sake: %o', async (plan) => {
		expect(await sendInto(plan, 'A-1')).toEqual({ closed: CLOSE.tryLater, nacks: [] });
		expect([failing.broken, (await stored())?.facts]).toEqual([1, 0]);
		expect(await sendInto(undefined, 'A-1')).toBe('kept');
		expect(await stored()).toEqual({ facts: 1, last: 1, feed: 1, updates: 1 });
	});

	it('[RELAY-61] a COMMIT whose answer was lost is told, and what comes again counts once', async () => {
		// The device keeps another document open all the while, and with it what the relay knows of it.
		const other = await rawSocket(stand, 'A', { document: yesterday() });
		await other.next(isMessage(MESSAGE_HAVE));
		const doc = docOf('A-1');
		expect(await sendInto({ at: 'answer', code: 'CONNECTION_CLOSED' }, 'A-1', doc)).toEqual({
			closed: CLOSE.tryLater,
			nacks: []
		});
		expect((await stored())?.facts).toBe(1);

		const again = await rawSocket(stand, 'A');
		again.send(encodeStep2(Y.encodeStateAsUpdate(doc)));
		stand.tick(LOOK_MS);
		for (const socket of [other, again]) await until(() => rangesIn(socket).some(isOf(1)));
		expect(await stored()).toEqual({ facts: 1, last: 1, feed: 1, updates: 1 });
		// And the document goes on behind it.
		const before = Y.encodeStateVector(doc);
		appendFact(doc, settingFact(stand, 'A-2'));
		again.send(encodeUpdate(Y.encodeStateAsUpdate(doc, before)));
		await until(() => rangesIn(again).some(isOf(2)));
		expect(await stored()).toEqual({ facts: 2, last: 2, feed: 2, updates: 2 });
	});

	it('[RELAY-60] waits where every connection is in use', async () => {
		const socket = await rawSocket(stand, 'A');
		await socket.next(isMessage(MESSAGE_HAVE));
		const { sql } = stand.database;
		const held = await Promise.all(Array.from({ length: 5 }, () => sql.reserve()));
		const heard = socket.heard.length;
		socket.send(encodeUpdate(Y.encodeStateAsUpdate(docOf('A-1'))));
		const [first] = held;
		if (first === undefined) throw new Error('no connection was held');
		const [row] = await first`select count(*)::int as facts from fact`;
		expect([row?.['facts'], socket.heard.length]).toEqual([0, heard]);
		for (const connection of held) connection.release();
		await until(() => rangesIn(socket).some(isOf(1)));
		expect(socket.heard.some(isMessage(MESSAGE_NACK))).toBe(false);
	});

	it('[SYNC-8] an update that brings nothing new is answered too', async () => {
		const socket = await rawSocket(stand, 'A');
		socket.send(encodeUpdate(Y.encodeStateAsUpdate(docOf('A-1'))));
		await until(() => rangesIn(socket).some(isOf(1)));
		const heard = socket.heard.length;
		socket.send(encodeUpdate(Y.encodeStateAsUpdate(docOf('A-1'))));
		const have = await socket.next(isMessage(MESSAGE_HAVE), heard);
		expect(decodeHave(jsonIn(have))?.ranges).toEqual([]);
	});
});

it('[RELAY-62] a commit stays one, whatever goes wrong in telling of it', async () => {
	const { sql } = stand.database;
	const address = parseDocumentName(stand.today());
	if (!address.ok) throw new Error('not as meant');
	const crypto = createNodeCrypto();
	const room = await loadRoom(sql, stand.today(), address.value);
	const failed: unknown[] = [];
	const broken = new Error('a socket broke');
	const writePath = createWritePath({
		sql,
		project: createProject(crypto),
		clock: () => stand.clock.now,
		committed: () => {
			throw broken;
		},
		failed: (fault) => failed.push(fault)
	});
	const caller = deviceCaller('A');
	const update = parseUpdate(Y.encodeStateAsUpdate(docOf('A-1')));
	if (!update.ok) throw new Error('not as meant');
	const given = { caller, address: address.value, crypto, now: stand.clock.now };
	const check = await checkFact(settingFact(stand, 'A-1').text, given);
	const checks = new Map(update.value.items.map((item) => [item, check]));
	const outcome = await writePath.submit({
		...{ room, caller, checks, sender: {} },
		update: update.value
	});
	expect([outcome.kind, failed]).toEqual(['accepted', [broken]]);
	expect(await stored()).toEqual({ facts: 1, last: 1, feed: 1, updates: 1 });
});

it('waits for the disk at each COMMIT, though the database by itself would not', async () => {
	const database = await createTestDatabase();
	try {
		const commits = async (given: typeof database.sql): Promise<unknown> => {
			const [row] = await given`select current_setting('synchronous_commit') as commit`;
			return row?.['commit'];
		};
		const plain = connectDatabase(database.url, { connectionsMax: 1 });
		const opened = await openDatabase(database.url);
		expect([await commits(plain.sql), await commits(opened.sql)]).toEqual(['off', 'on']);
		await Promise.all([plain.close(), opened.close()]);
	} finally {
		await database.close();
	}
});

type Sent = 'kept' | { readonly closed: number; readonly nacks: readonly string[] };

/** Sends one fact over a socket of its own, into a transaction that breaks as planned. */
async function sendInto(plan: Break | undefined, id: string, doc = docOf(id)): Promise<Sent> {
	const socket = await rawSocket(stand, 'A');
	await socket.next(isMessage(MESSAGE_HAVE));
	failing.next = plan;
	socket.send(encodeUpdate(Y.encodeStateAsUpdate(doc)));
	const n = Number(id.split('-')[1]);
	let closed = 0;
	void socket.closed.then((code) => {
		closed = code;
	});
	await until(() => closed !== 0 || rangesIn(socket).some(isOf(n)));
	failing.next = undefined;
	if (closed === 0) {
		socket.socket.close();
		await socket.closed;
		return 'kept';
	}
	return { closed, nacks: socket.heard.filter(isMessage(MESSAGE_NACK)).map(jsonIn) };
}

function docOf(id: string): Y.Doc {
	const doc = new Y.Doc();
	appendFact(doc, settingFact(stand, id));
	return doc;
}

function yesterday(): string {
	const address = parseDocumentName(stand.today());
	if (!address.ok || !('day' in address.value)) throw new Error('not as meant');
	return formatDocumentName({ ...address.value, day: '20261119' });
}

function isOf(n: number): (range: HaveRange) => boolean {
	return ([from, to]) => from <= n && n <= to;
}

interface Stored {
	readonly facts: number;
	/** The highest place of a fact, and what the feed's head says of it. */
	readonly last: number;
	readonly feed: number;
	readonly updates: number;
}

async function stored(): Promise<Stored | undefined> {
	const [row] = await stand.database.sql<Stored[]>`
		select (select count(*)::int from fact) as facts,
			(select coalesce(max(s), 0)::int from fact) as last,
			(select coalesce(max(s), 0)::int from feed_head) as feed,
			(select count(*)::int from document_update) as updates`;
	return row;
}
