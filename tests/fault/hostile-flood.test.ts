import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { appendFact, readFacts } from '#documents/facts.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { recordHashOf } from '#domain/confirmation/record-hash.ts';
import type { LedgerId, PersonId } from '#domain/ids.ts';
import { AMOUNT_MINOR_MAX } from '#domain/money.ts';
import { CLOSE } from '#sync/close-code.ts';
import {
	decodeClientFrame,
	decodeHello,
	decodeNack,
	encodeStep1,
	encodeUpdate,
	MESSAGE_HAVE,
	MESSAGE_HELLO,
	MESSAGE_NACK,
	MESSAGE_SYNC
} from '#sync/frames.ts';
import {
	BUFFERED_BYTES_CLOSE,
	BUFFERED_BYTES_PAUSE,
	DEVICE_SOCKETS_MAX,
	PENDING_BYTES_PAUSE,
	PHONE_DAY_FACTS_MAX,
	RECORD_ANSWERS_MAX
} from '#sync/limits.ts';
import { handUpdate, textUnder } from '#server/commands/fuzz/hand-update.ts';
import { nackOf } from '#tests/support/heard.ts';
import { handFact, replyFact, type Author, type HandFact } from '#tests/support/hostile-facts.ts';
import { createTestKey } from '#tests/support/people-stand.ts';
import {
	createRelayStand,
	isMessage,
	jsonIn,
	rawSocket,
	settingFact,
	until,
	type RawSocket,
	type RelayStand
} from '#tests/support/relay-stand.ts';
import { TRADE_BRANCH, TRADE_BUSINESS } from '#tests/support/trade.ts';
import { openWatched } from '#tests/support/watched-document.ts';

/** Too much of what one of it would be right: it costs its sender, and nobody else. */
let stand: RelayStand;
let document = '';
let victim: WebsocketProvider;
let watcher: WebsocketProvider;
let day = 0;
let n = 0;
let client = 8_000_000_000;
const MB = 1024 * 1024;

beforeAll(async () => {
	stand = await createRelayStand();
	for (const code of ['A', 'B', 'C']) await stand.addDevice(code);
});
afterAll(async () => {
	await stand.close();
	expect(stand.faults).toEqual([]);
});
beforeEach(async () => {
	day += 1;
	const watched = await openWatched(stand, day);
	({ document, victim, watcher } = watched);
	return watched.close;
});

function next(code: string): HandFact {
	n += 1;
	return settingFact(stand, `${code}-${String(n)}`);
}

/** As a page load of its own writes them. */
function updateOf(...facts: readonly HandFact[]): Uint8Array {
	client += 1;
	const structs = facts.map(({ id, text }) => textUnder(id, text));
	return handUpdate([{ client, clock: 0, structs }]);
}

/** A writes a fact, and the watcher has it soon. */
async function stillSyncs(timeoutMs = 8_000): Promise<void> {
	const fact = next('A');
	appendFact(victim.doc, fact);
	await until(() => readFacts(watcher.doc).some(({ id }) => id === fact.id), timeoutMs);
}

async function countOf(code: string): Promise<number> {
	const [row] = await stand.database.sql<{ count: number }[]>`
		select count(*)::int as count from fact where code = ${code}`;
	return row?.count ?? 0;
}

function mostUnread(): number {
	return Math.max(0, ...Array.from(stand.sockets(), ({ bufferedAmount }) => bufferedAmount));
}

describe('amounts', () => {
	it('[RELAY-11] 1,025 at the limit are summed to the last unit, and fold on', async () => {
		const socket = await rawSocket(stand, 'B', { document });
		const date = Math.floor(stand.clock.now / 86_400_000);
		const sales = Array.from({ length: 1_025 }, (_none, at) => {
			n += 1;
			const id = `B-${String(n)}`;
			const line = [0, 'Gold', 1_000, AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX];
			const body = [at + 1, [line], [['cash', AMOUNT_MINOR_MAX]]];
			return { id, text: JSON.stringify([id, 'sale', stand.clock.now, n, date, 1, ...body]) };
		});
		socket.send(encodeUpdate(updateOf(...sales)));
		await until(() => readFacts(watcher.doc).length >= 1_025);
		expect(Number.isSafeInteger(1_025 * AMOUNT_MINOR_MAX)).toBe(false);
		const [total] = await stand.database.sql`
			select sales_minor::text, cash_in_minor::text, sales_count::text from day_total`;
		const all = String(1_025n * BigInt(AMOUNT_MINOR_MAX));
		expect({ ...total }).toEqual({ sales_minor: all, cash_in_minor: all, sales_count: '1025' });
		await stillSyncs();
		// One beyond the limit is no fact.
		const [first] = sales;
		if (first === undefined) throw new Error('no sale');
		n += 1;
		const id = `B-${String(n)}`;
		const text = first.text
			.replace(first.id, id)
			.replaceAll(String(AMOUNT_MINOR_MAX), String(AMOUNT_MINOR_MAX + 1));
		const before = socket.heard.length;
		socket.send(encodeUpdate(updateOf({ id, text })));
		expect(await nackOf(socket, before)).toEqual([[id, 'badBody']]);
		socket.socket.terminate();
	});
});

describe('a reader', () => {
	it('[RELAY-16] that does not read is not pushed to beyond 1 MB, and has all when he reads', async () => {
		const slow = await rawSocket(stand, 'B', { document });
		slow.send(encodeStep1(new Map()));
		await slow.next(isMessage(MESSAGE_SYNC));
		slow.socket.pause();
		let most = 0;
		for (let at = 0; at < 200; at += 1) {
			appendFact(victim.doc, longFact('A'));
			if (at % 10 === 9) {
				const wanted = readFacts(victim.doc).length;
				await until(() => readFacts(watcher.doc).length === wanted);
				most = Math.max(most, mostUnread());
			}
		}
		expect(most).toBeGreaterThan(BUFFERED_BYTES_PAUSE / 2);
		// A frame over, of those that were let through when there was room.
		expect(most).toBeLessThan(BUFFERED_BYTES_PAUSE + 128 * 1024);
		await stillSyncs();
		slow.socket.resume();
		const copy = new Y.Doc();
		await until(() => {
			for (const frame of slow.heard.splice(0).map((bytes) => decodeClientFrame(bytes))) {
				if (frame?.kind === 'update') Y.applyUpdate(copy, frame.update);
			}
			return readFacts(copy).length === readFacts(victim.doc).length;
		});
		expect(slow.socket.readyState).toBe(slow.socket.OPEN);
		slow.socket.terminate();
	});

	it('[RELAY-16] that asks on without reading the answers is cut off at 8 MB', async () => {
		const slow = await rawSocket(stand, 'B', { document });
		await slow.next(isMessage(MESSAGE_HAVE));
		slow.socket.pause();
		const bad = Array.from({ length: 3_000 }, (_none, at) => ({
			id: `B-${String(1e14 + at)}`,
			text: '{}'
		}));
		let most = 0;
		const isCut = (): boolean =>
			Array.from(stand.sockets()).some(({ readyState, CLOSING }) => readyState === CLOSING);
		for (let at = 0; at < 2_000 && !isCut(); at += 1) {
			slow.send(encodeUpdate(updateOf(...bad)));
			// Lets what was sent leave this process, and the relay have its turn.
			if (at % 10 === 9) await factCount(stand);
			most = Math.max(most, mostUnread());
		}
		await until(isCut);
		expect(most).toBeGreaterThan(BUFFERED_BYTES_CLOSE / 2);
		expect(most).toBeLessThan(BUFFERED_BYTES_CLOSE + 1024 * 1024);
		await stillSyncs();
		slow.socket.resume();
		expect(await slow.closed).toBe(CLOSE.tryLater);
	});
});

describe('sockets', () => {
	it('[RELAY-52] 1,000 of one device: it has its share, the others are told to try later', async () => {
		const opened: RawSocket[] = [];
		for (let at = 0; at < 20; at += 1) {
			const some = Array.from({ length: 50 }, () => rawSocket(stand, 'B', { document }));
			opened.push(...(await Promise.all(some)));
		}
		const closed: number[] = [];
		for (const { closed: each } of opened) {
			void each.then((code) => {
				closed.push(code);
			});
		}
		await until(() => closed.length >= 1_000 - DEVICE_SOCKETS_MAX);
		await stillSyncs();
		expect(closed).toEqual(closed.map(() => CLOSE.tryLater));
		const alive = opened.filter(({ socket }) => socket.readyState === socket.OPEN);
		expect(alive).toHaveLength(DEVICE_SOCKETS_MAX);
		await Promise.all(alive.map((each) => each.next(isMessage(MESSAGE_HELLO))));
		// Who was turned away was told nothing of the document.
		const away = opened.filter(({ socket }) => socket.readyState !== socket.OPEN);
		expect(away.flatMap(({ heard }) => heard)).toEqual([]);

		for (const { socket } of alive) socket.terminate();
		await until(() => stand.sockets().size <= 2);
		const again = await rawSocket(stand, 'B', { document });
		await again.next(isMessage(MESSAGE_HELLO));
		again.socket.terminate();
	});

	it('[RELAY-52] 1,000 of as many devices: each is served, and hears what is written', async () => {
		const codes = Array.from({ length: 1_000 }, (_none, at) => codeOf(at));
		await stand.database.sql`
			insert into device (business, code, branch, member, sight, public_key, joined_at)
			select ${TRADE_BUSINESS}::uuid, code, ${TRADE_BRANCH}::uuid, 1, 'office', decode(key, 'hex'), 0
			from unnest(${codes}::text[], ${codes.map(() => randomBytes(65).toString('hex'))}::text[])
				as given (code, key)`;
		const opened: RawSocket[] = [];
		for (let at = 0; at < codes.length; at += 50) {
			const some = codes.slice(at, at + 50).map((code) => rawSocket(stand, code, { document }));
			opened.push(...(await Promise.all(some)));
		}
		for (const socket of opened) socket.send(encodeStep1(new Map()));
		await Promise.all(opened.map((each) => each.next(isStep1)));
		const before = opened.map(({ heard }) => heard.length);
		await stillSyncs();
		await Promise.all(opened.map((each, at) => each.next(isUpdate, before[at])));
		for (const { socket } of opened) socket.terminate();
		await until(() => stand.sockets().size <= 2);
	});
});

describe('a stream', () => {
	it('[RELAY-15] of state vectors is answered one at a time, the last of those that wait', async () => {
		for (let at = 0; at < 10; at += 1) appendFact(victim.doc, longFact('A'));
		await until(() => readFacts(watcher.doc).length === readFacts(victim.doc).length);
		const socket = await rawSocket(stand, 'B', { document });
		const many = new Map(Array.from({ length: 20_000 }, (_none, at) => [at + 1, 1]));
		for (let at = 0; at < 2_000; at += 1)
			socket.send(encodeStep1(at % 40 === 0 ? many : new Map()));
		await stillSyncs();
		await socket.next(isStep1);
		socket.send(encodeStep1(new Map()));
		await until(() => socket.heard.filter(isStep1).length > 1);
		expect(socket.heard.filter(isStep1).length).toBeLessThan(50);
		socket.socket.terminate();
	});

	it('[RELAY-52] of updates faster than the database takes them is not read on, and others are', async () => {
		const flood = await rawSocket(stand, 'B', { document });
		await flood.next(isMessage(MESSAGE_HAVE));
		const ids: string[] = [];
		const { promise: held, resolve: letGo } = Promise.withResolvers<undefined>();
		const locked = Promise.withResolvers<undefined>();
		const stalled = stand.database.sql.begin(async (tx) => {
			await tx`select s from feed_head where business = ${TRADE_BUSINESS} for update`;
			locked.resolve(undefined);
			await held;
		});
		await locked.promise;
		const sent = 4 * PENDING_BYTES_PAUSE;
		for (let bytes = 0; bytes < sent;) {
			const { id } = next('B');
			const update = updateOf({ id, text: 'x'.repeat(60_000) });
			bytes += update.byteLength;
			ids.push(id);
			flood.send(encodeUpdate(update));
		}
		await until(() => Array.from(stand.sockets()).some(({ isPaused }) => isPaused));
		const own = settingFact(stand, `A-${String((n += 1))}`);
		appendFact(victim.doc, own);
		expect(Array.from(stand.sockets()).filter(({ isPaused }) => isPaused)).toHaveLength(1);
		letGo(undefined);
		await stalled;
		await until(() => readFacts(watcher.doc).some(({ id }) => id === own.id));
		// All of it was heard in the end, and each answered for.
		const named = new Set<string>();
		await until(() => {
			for (const frame of flood.heard.splice(0).filter(isMessage(MESSAGE_NACK))) {
				for (const [id] of decodeNack(jsonIn(frame))?.refused ?? []) named.add(id);
			}
			return named.size === ids.length;
		}, 20_000);
		expect(flood.socket.readyState).toBe(flood.socket.OPEN);
		flood.socket.terminate();
	});

	it('[RELAY-95] of messages that never end lies no more in memory than all may have, and others are heard', async () => {
		const bytes = new Uint8Array(15 * MB).fill(1);
		const floods: RawSocket[] = [];
		for (let sockets = 0; sockets < 12; sockets += 1) {
			const flood = await rawSocket(stand, 'B', { document });
			await flood.next(isMessage(MESSAGE_HAVE));
			floods.push(flood);
			// In two pieces, between which a sign of life has its place, and without the last.
			flood.socket.send(bytes.subarray(0, MB), { fin: false });
			flood.socket.pong();
			await new Promise((resolve) => {
				flood.socket.send(bytes.subarray(MB), { fin: false }, resolve);
			});
			flood.socket.ping();
		}
		await stillSyncs();
		const isOpen = ({ socket }: RawSocket): boolean => socket.readyState === socket.OPEN;
		await until(() => floods.filter(isOpen).length * bytes.byteLength <= 128 * MB);
		// No more than that took, and none of who has little.
		expect(floods.filter(isOpen).length).toBeGreaterThan(6);
		await stillSyncs();
		for (const { socket } of floods) socket.terminate();
	}, 30_000);

	it('[RELAY-50] of 10,000 refused updates leaves nothing in memory', async () => {
		const socket = await rawSocket(stand, 'B', { document });
		await socket.next(isMessage(MESSAGE_HAVE));
		setFlagsFromString('--expose-gc');
		const collect = runInNewContext('gc') as () => void;
		const grown: number[] = [];
		for (const count of [2_000, 2_000, 10_000]) {
			await refuse(socket, count);
			collect();
			grown.push(process.memoryUsage().heapUsed);
		}
		const [, second = 0, third = 0] = grown;
		// What one refused update weighs, 10,000 times, would be 8 MB.
		expect(third - second).toBeLessThan(1_000_000);
		await stillSyncs();
		socket.socket.terminate();
	});

	/** Sends so many updates that are refused one by one, and waits until all are answered. */
	async function refuse(socket: RawSocket, count: number): Promise<void> {
		let answered = 0;
		const text = `{"a":"${'x'.repeat(500)}"}`;
		for (let sent = 0; answered < count;) {
			for (const until = Math.min(count, sent + 500); sent < until; sent += 1) {
				const doubtful = { id: `B-${String(1e6 + (sent % 1_000))}`, text };
				socket.send(encodeUpdate(updateOf(doubtful)));
			}
			await until(() => {
				answered += socket.heard.splice(0).filter(isMessage(MESSAGE_NACK)).length;
				return answered === sent;
			});
		}
	}
});

describe('a day', () => {
	const PERSON = '0192f0c1-7a00-4000-8000-0000000000f1' as PersonId;
	let phone: Author;

	beforeAll(async () => {
		const signer = await createTestKey();
		phone = { code: 'p1', n: 0, signer, clock: stand.clock };
		const { sql } = stand.database;
		await sql`
			insert into account (account, username, kind, name, email, password_hash, person, created_at)
			values (${PERSON}, 'amina', 'customer', 'Amina', 'amina@example.org', '-', ${PERSON}, 0)`;
		await sql`insert into person (person, account, created_at) values (${PERSON}, ${PERSON}, 0)`;
		await sql`
			insert into phone (person, code, number, public_key, kid, joined_at)
			values (${PERSON}, 'p1', 1, ${Buffer.from(signer.publicKey)}, ${Buffer.from(signer.kid)}, 0)`;
	});

	function phoneSocket(): Promise<RawSocket> {
		const name = `c/${PERSON}/${String(new Date(stand.clock.now).getUTCFullYear())}`;
		return stand.tickets
			.create({ sort: 'phone', scope: PERSON, code: 'p1' }, name)
			.then((ticket) => rawSocket(stand, 'p1', { document: name, ticket }));
	}

	it('[RELAY-51] of a customer who writes a fact a second: his share is kept, nobody waits for him', async () => {
		const socket = await phoneSocket();
		const hello = decodeHello(jsonIn(await socket.next(isMessage(MESSAGE_HELLO))));
		expect(hello?.limits).toMatchObject({ phoneDayFacts: PHONE_DAY_FACTS_MAX });
		const start = stand.clock.now;
		let refused = 0;
		for (let minute = 0; minute < 24 * 60; minute += 1) {
			stand.clock.now = start - (start % 86_400_000) + minute * 60_000;
			const facts = Array.from({ length: 60 }, () => handFact(phone, 'seen', stand.clock.now));
			socket.send(encodeUpdate(updateOf(...facts)));
			if (minute % 60 === 59) await stillSyncs();
			refused += countRefused(socket);
		}
		await until(() => {
			refused += countRefused(socket);
			return refused >= 86_400 - PHONE_DAY_FACTS_MAX;
		}, 20_000);
		const kept = await countOf('p1');
		expect(kept).toBeLessThanOrEqual(PHONE_DAY_FACTS_MAX);
		expect(kept).toBeGreaterThan(PHONE_DAY_FACTS_MAX - 60);
		expect(kept + refused).toBe(86_400);

		// The next day there is room again, for what was refused too.
		stand.clock.now = start - (start % 86_400_000) + 86_400_000;
		socket.send(encodeUpdate(updateOf(handFact(phone, 'seen', stand.clock.now))));
		await until(async () => (await countOf('p1')) === kept + 1);
		stand.clock.now = start;
		socket.socket.terminate();
	});

	function countRefused(socket: RawSocket): number {
		return socket.heard
			.splice(0)
			.filter(isMessage(MESSAGE_NACK))
			.flatMap((frame) => decodeNack(jsonIn(frame))?.refused ?? [])
			.filter(([, reason]) => reason === 'tooMany').length;
	}

	it('[RELAY-51] of a customer who answers one record again and again', async () => {
		stand.clock.now += 5 * 86_400_000;
		const socket = await phoneSocket();
		await socket.next(isMessage(MESSAGE_HAVE));
		const before = await countOf('p1');
		const answer = (h: RecordHash): Promise<HandFact> =>
			replyFact(phone, {
				business: TRADE_BUSINESS,
				ledger: '8d3c1f52-5b1e-4c38-9a57-1f0c2e9b7a10' as LedgerId,
				h,
				decision: 'accept'
			});
		const [one, other] = [1, 2].map((byte) => recordHashOf(new Uint8Array(32).fill(byte)));
		if (one === undefined || other === undefined) throw new Error('two records');
		for (let at = 0; at < RECORD_ANSWERS_MAX - 1; at += 1) {
			socket.send(encodeUpdate(updateOf(await answer(one))));
		}
		const [last, beyond] = [await answer(one), await answer(one)];
		socket.send(encodeUpdate(updateOf(last, beyond)));
		expect(await nackOf(socket)).toEqual([[beyond.id, 'tooMany']]);
		socket.send(encodeUpdate(updateOf(last)));
		socket.send(encodeUpdate(updateOf(await answer(other))));
		await until(async () => (await countOf('p1')) === before + RECORD_ANSWERS_MAX + 1);
		stand.clock.now += 86_400_000;
		socket.send(encodeUpdate(updateOf(beyond)));
		await until(async () => (await countOf('p1')) === before + RECORD_ANSWERS_MAX + 2);
		stand.clock.now -= 6 * 86_400_000;
		socket.socket.terminate();
	});
});

it('[RELAY-51] a device beyond its day is told so by name, and others are not', async () => {
	const small = await createRelayStand({
		relay: { dayLimits: { device: 5, phone: 1, carried: 1, phoneCarried: 1 } }
	});
	try {
		for (const code of ['A', 'B']) await small.addDevice(code);
		const facts = Array.from({ length: 8 }, (_none, at) =>
			settingFact(small, `B-${String(at + 1)}`)
		);
		const [full, more] = [facts.slice(0, 5), facts.slice(5)];
		const socket = await rawSocket(small, 'B');
		socket.send(encodeUpdate(updateOf(...facts.slice(0, 3))));
		await socket.next(isMessage(MESSAGE_HAVE), 2);
		socket.send(encodeUpdate(updateOf(...facts.slice(3))));
		const nack = facts.slice(3).map(({ id }) => [id, 'tooMany']);
		expect(await nackOf(socket)).toEqual(nack);
		socket.send(encodeUpdate(updateOf(...full.slice(3))));
		await until(async () => (await factCount(small)) === 5);
		// The same again under a fresh client is stored, and so it needs room too.
		const before = socket.heard.length;
		socket.send(encodeUpdate(updateOf(...full.slice(0, 1))));
		expect(await nackOf(socket, before)).toEqual([[full[0]?.id, 'tooMany']]);
		const forking = await rawSocket(small, 'B');
		forking.send(encodeUpdate(updateOf(settingFact(small, 'B-1', 'another'))));
		expect(await nackOf(forking)).toEqual([['B-1', 'fork']]);
		expect(await forking.closed).toBe(CLOSE.fork);
		const [kept] = await small.database.sql`select count(*)::int as count from fork`;
		expect(kept?.['count']).toBe(0);
		const other = await rawSocket(small, 'A');
		other.send(encodeUpdate(updateOf(settingFact(small, 'A-1'))));
		await until(async () => (await factCount(small)) === 6);
		// A long one counts for each 4 kB.
		const long = settingFact(small, 'A-2', 'x'.repeat(100));
		other.send(encodeUpdate(updateOf(long)));
		await until(async () => (await factCount(small)) === 7);
		const longest = longFact('A');
		const heard = other.heard.length;
		other.send(encodeUpdate(updateOf(longest)));
		expect(await nackOf(other, heard)).toEqual([[longest.id, 'tooMany']]);
		// The relay's count is in its database.
		await small.restart();
		const later = await rawSocket(small, 'B');
		later.send(encodeUpdate(updateOf(...more)));
		expect(await nackOf(later)).toEqual(more.map(({ id }) => [id, 'tooMany']));
		small.clock.now += 86_400_000;
		later.send(encodeUpdate(updateOf(...more)));
		await until(async () => (await factCount(small)) === 10);
	} finally {
		await small.close();
	}
});

async function factCount({ database: { sql } }: RelayStand): Promise<number> {
	const [row] = await sql<{ count: number }[]>`select count(*)::int as count from fact`;
	return row?.count ?? 0;
}

/** A fact of about 60 kB: an import of products. */
function longFact(code: string): HandFact {
	n += 1;
	const id = `${code}-${String(n)}`;
	const rows = Array.from({ length: 270 }, () => [0, { name: 'x'.repeat(200) }]);
	const date = Math.floor(stand.clock.now / 86_400_000);
	return { id, text: JSON.stringify([id, 'product', stand.clock.now, n, date, 1, rows]) };
}

/** Three letters, none of them a code of the stand. */
function codeOf(at: number): string {
	const letters = [at / 676, (at / 26) % 26, at % 26].map((each) => Math.floor(each));
	return String.fromCharCode(...letters.map((each) => 0x41 + each));
}

function isStep1(bytes: Uint8Array): boolean {
	return bytes[0] === MESSAGE_SYNC && bytes[1] === 0;
}

function isUpdate(bytes: Uint8Array): boolean {
	return bytes[0] === MESSAGE_SYNC && bytes[1] === 2;
}
