import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { parseDocumentName } from '#documents/document-name.ts';
import { appendFact, readFacts } from '#documents/facts.ts';
import { FACT_KINDS } from '#domain/fact/fact.ts';
import { recordHashOf } from '#domain/confirmation/record-hash.ts';
import type { DeviceCode, LedgerId, PersonId } from '#domain/ids.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { deviceCaller } from '#tests/support/device-caller.ts';
import { nackOf } from '#tests/support/heard.ts';
import { recordFact } from '#tests/support/hostile-facts.ts';
import { createProject } from '#server/projections/project.ts';
import { CLOSE } from '#sync/close-code.ts';
import {
	decodeClientFrame,
	decodeFeedNews,
	decodeHave,
	decodeHello,
	EMPTY_UPDATE,
	encodeStep1,
	encodeStep2,
	encodeUpdate,
	HEARTBEAT_FRAME,
	MESSAGE_FEED,
	MESSAGE_HAVE,
	MESSAGE_HELLO,
	MESSAGE_SYNC
} from '#sync/frames.ts';
import { FRAME_BYTES_MAX, HEARTBEAT_MS, PIECE_BYTES_MAX } from '#sync/limits.ts';
import {
	EPOCH,
	createRelayStand,
	isMessage,
	jsonIn,
	rawSocket,
	settingFact,
	stockProvider,
	synced,
	ticketFor,
	until,
	type RelayStand
} from '#tests/support/relay-stand.ts';
import { makeTrade, TRADE_BRANCH, TRADE_BUSINESS } from '#tests/support/trade.ts';
import { writeBatch } from './batch.ts';
import { checkFact, digestOf } from './check-fact.ts';
import { projectLedgerFacts } from '#server/projections/ledgers.ts';
import { createAppendRelayFacts } from './relay-facts.ts';
import { loadRoom } from './room.ts';
import { parseUpdate } from './update-parser.ts';

let stand: RelayStand;
beforeEach(async () => {
	stand = await createRelayStand({
		wrapProject: (project) => async (sql, facts) => {
			if (facts.some(({ fact }) => fact.kind === 'setting' && fact.fields.name === 'poison')) {
				throw new Error('poison');
			}
			await project(sql, facts);
		}
	});
	await stand.addDevice('A');
	await stand.addDevice('B');
});
afterEach(() => stand.close());

describe('a stock client', () => {
	it('[RELAY-15] gets what is there, gives what is lacking, and hears what comes', async () => {
		const first = stockProvider(stand, 'A');
		appendFact(first.doc, settingFact(stand, 'A-1'));
		appendFact(first.doc, settingFact(stand, 'A-2'));
		await synced(first);
		await until(async () => (await feed()).length === 2);

		const second = stockProvider(stand, 'B');
		await synced(second);
		expect(readFacts(second.doc)).toEqual(readFacts(first.doc));
		appendFact(second.doc, settingFact(stand, 'B-1'));
		await until(() => readFacts(first.doc).length === 3);
		expect(await feed()).toEqual(['1 A-1', '2 A-2', '3 B-1']);
		first.destroy();
		second.destroy();
	});

	it('[RELAY-15] has what it wrote offline taken when it comes back, once', async () => {
		const provider = stockProvider(stand, 'A');
		await synced(provider);
		provider.disconnect();
		for (let n = 1; n <= 300; n += 1) {
			appendFact(provider.doc, settingFact(stand, `A-${String(n)}`));
		}
		for (let cut = 0; cut < 5; cut += 1) {
			provider.connect();
			await new Promise((resolve) => setTimeout(resolve, 10 * cut));
			provider.disconnect();
		}
		provider.connect();
		await until(async () => (await feed()).length === 300);
		await synced(provider);
		expect(new Set((await feed()).map((row) => row.split(' ')[1])).size).toBe(300);
		provider.destroy();
	});

	it('[RELAY-15] gets a long document in small pieces before its step 2', async () => {
		const writer = stockProvider(stand, 'A');
		await synced(writer);
		for (let n = 1; n <= 900; n += 1) appendFact(writer.doc, settingFact(stand, `A-${String(n)}`));
		await until(async () => (await feed()).length === 900);

		const reader = await rawSocket(stand, 'B');
		reader.send(encodeStep1(new Map()));
		await reader.next((bytes) => bytes[0] === MESSAGE_SYNC && bytes[1] === 0);
		const frames = reader.heard
			.filter(isMessage(MESSAGE_SYNC))
			.map((bytes) => decodeClientFrame(bytes));
		expect(frames.map((frame) => frame?.kind)).toEqual([
			...frames.slice(2).map(() => 'update'),
			'step2',
			'step1'
		]);
		const updates = frames.flatMap((frame) =>
			frame?.kind === 'update' || frame?.kind === 'step2' ? [frame.update] : []
		);
		expect(updates.length).toBeGreaterThan(3);
		expect(updates.at(-1)).toEqual(EMPTY_UPDATE);
		const doc = new Y.Doc();
		for (const update of updates) {
			expect(update.byteLength).toBeLessThanOrEqual(PIECE_BYTES_MAX);
			Y.applyUpdate(doc, update);
		}
		expect(readFacts(doc)).toEqual(readFacts(writer.doc));

		// Who has it all is told nothing but that.
		const again = await rawSocket(stand, 'B');
		again.send(encodeStep1(Y.decodeStateVector(Y.encodeStateVector(doc))));
		await again.next((bytes) => bytes[0] === MESSAGE_SYNC && bytes[1] === 0);
		expect(again.heard.filter(isMessage(MESSAGE_SYNC))).toHaveLength(2);
		writer.destroy();
	});
});

describe('a socket', () => {
	it('[RELAY-13] [SYNC-6] is greeted, told what is committed, and kept awake', async () => {
		const socket = await rawSocket(stand, 'A');
		const hello = decodeHello(jsonIn(await socket.next(isMessage(MESSAGE_HELLO))));
		expect(hello).toMatchObject({ epoch: EPOCH, kinds: FACT_KINDS, now: stand.clock.now, s: 0 });
		expect(socket.heard[0]?.[0]).toBe(MESSAGE_HELLO);
		expect(decodeHave(jsonIn(await socket.next(isMessage(MESSAGE_HAVE))))?.ranges).toEqual([]);

		const doc = new Y.Doc();
		const facts = ['A-1', 'A-2', 'A-4'].map((id) => settingFact(stand, id));
		for (const fact of facts) appendFact(doc, fact);
		const before = socket.heard.length;
		socket.send(encodeUpdate(Y.encodeStateAsUpdate(doc)));
		const have = decodeHave(jsonIn(await socket.next(isMessage(MESSAGE_HAVE), before)));
		const [one, two, four] = facts.map(({ text }) => digestOf(text));
		expect(have).toEqual({
			epoch: EPOCH,
			ranges: [
				[1, 2, hex((one ?? 0n) ^ (two ?? 0n))],
				[4, 4, hex(four ?? 0n)]
			]
		});
		const news = await socket.next(isMessage(MESSAGE_FEED));
		expect(decodeFeedNews(jsonIn(news))).toEqual({ s: 3 });
		// Its own update does not come back, and have comes before the feed's news.
		expect(socket.heard.slice(before).map(([type]) => type)).toEqual([MESSAGE_HAVE, MESSAGE_FEED]);

		const later = await rawSocket(stand, 'A');
		expect(decodeHave(jsonIn(await later.next(isMessage(MESSAGE_HAVE))))).toEqual(have);
		stand.tick(HEARTBEAT_MS);
		expect(await later.next(isMessage(1))).toEqual(HEARTBEAT_FRAME);
	});

	it('[RELAY-72] hears first have from where it asks for it, in this epoch', async () => {
		const writer = stockProvider(stand, 'A');
		await synced(writer);
		for (let n = 1; n <= 520; n += 1) appendFact(writer.doc, settingFact(stand, `A-${String(n)}`));
		await until(async () => (await feed()).length === 520);
		writer.destroy();
		const ranges = async (from: string): Promise<unknown> => {
			const ticket = await ticketFor(stand, 'A', stand.today());
			const socket = await rawSocket(stand, 'A', { ticket: `${ticket}${from}` });
			const have = decodeHave(jsonIn(await socket.next(isMessage(MESSAGE_HAVE))));
			return have?.ranges.map(([from, to]) => [from, to]);
		};
		const asked = (epoch: number, n: number): string => `&from=${String(epoch)}.${String(n)}`;
		expect(await ranges(asked(EPOCH, 521))).toEqual([[512, 520]]);
		const all = [
			[1, 511],
			[512, 520]
		];
		expect(await ranges('')).toEqual(all);
		expect(await ranges(asked(EPOCH, 511))).toEqual(all);
		expect(await ranges(asked(EPOCH, 1_024))).toEqual([]);
		for (const other of [asked(EPOCH + 1, 521), '&from=x', `&from=${String(EPOCH)}`]) {
			expect(await ranges(other)).toEqual(all);
		}
	});

	it('[RELAY-24] that gives no sign of life is cut off at the second heartbeat, others are not', async () => {
		const alive = await rawSocket(stand, 'A');
		const dead = await rawSocket(stand, 'B', { autoPong: false });
		await Promise.all([alive, dead].map((each) => each.next(isMessage(MESSAGE_HAVE))));
		stand.tick(HEARTBEAT_MS);
		await Promise.all([alive, dead].map((each) => each.next(isMessage(1))));
		// A pong takes the way that this message takes.
		alive.send(encodeStep1(new Map()));
		await alive.next((bytes) => bytes[0] === MESSAGE_SYNC && bytes[1] === 0);
		stand.tick(HEARTBEAT_MS);
		expect(await dead.closed).toBe(1006);
		expect(alive.socket.readyState).toBe(alive.socket.OPEN);
	});

	it('[RELAY-9] needs a ticket for this document, once', async () => {
		const ticket = await ticketFor(stand, 'A', stand.today());
		await rawSocket(stand, 'A', { ticket });
		const codes = await Promise.all(
			[ticket, 'nonsense', await ticketFor(stand, 'A', 'j/another')].map(
				async (each) => (await rawSocket(stand, 'A', { ticket: each })).closed
			)
		);
		expect(codes).toEqual([CLOSE.ticket, CLOSE.ticket, CLOSE.ticket]);
	});

	it("[RELAY-9] is for the device's own branch and for journals only", async () => {
		const other = '0192f0c1-7a00-4000-8000-0000000000b2';
		const closed = [
			stand.today().replace(TRADE_BRANCH, other),
			stand.today().replace(TRADE_BUSINESS, other),
			stand.today().replace(/^j/, 'o'),
			`s/${other}/2026`,
			'j/nonsense'
		];
		for (const document of closed) {
			expect(await (await rawSocket(stand, 'A', { document })).closed).toBe(CLOSE.rights);
		}
	});

	it('[RELAY-18] is not opened by a page of another origin', async () => {
		const host = new URL(stand.url).host;
		await rawSocket(stand, 'A', { headers: { Origin: `http://${host}` } });
		const large = { Host: 'Shop.Example', Origin: 'https://shop.example' };
		await rawSocket(stand, 'A', { headers: large });
		for (const origin of ['https://evil.example', 'null']) {
			await expect(rawSocket(stand, 'A', { headers: { Origin: origin } })).rejects.toThrow('403');
		}
	});

	it('[RELAY-6] is closed when it sends what is too large, no frame, or text', async () => {
		const large = await rawSocket(stand, 'A');
		large.send(new Uint8Array(FRAME_BYTES_MAX + 1));
		const nonsense = await rawSocket(stand, 'A');
		nonsense.send(Uint8Array.of(0, 9, 9));
		const text = await rawSocket(stand, 'A');
		text.socket.send('hello');
		expect(await Promise.all([large.closed, nonsense.closed, text.closed])).toEqual([
			CLOSE.tooLarge,
			CLOSE.forgery,
			CLOSE.forgery
		]);
	});

	it('[RELAY-16] that reads slowly is not pushed, and catches up when it reads', async () => {
		const reader = await rawSocket(stand, 'B');
		reader.send(encodeStep1(new Map()));
		await reader.next((bytes) => bytes[0] === MESSAGE_SYNC && bytes[1] === 0);
		reader.socket.pause();

		const writer = await rawSocket(stand, 'A');
		const doc = new Y.Doc();
		doc.on('update', (update: Uint8Array) => {
			writer.send(encodeUpdate(update));
		});
		// More than the machine's own buffers take, and more than a socket may leave unread.
		for (let n = 1; n <= 220; n += 1) appendFact(doc, longFact(stand, n));
		await until(async () => (await feed()).length === 220, 30_000);
		// His own facts do not wait until he has read the others'.
		reader.send(encodeUpdate(updateOf(settingFact(stand, 'B-1'))));
		await until(async () => (await feed()).length === 221);
		reader.socket.resume();

		const copy = new Y.Doc();
		await until(() => {
			for (const frame of reader.heard.splice(0).map((bytes) => decodeClientFrame(bytes))) {
				if (frame?.kind === 'update') Y.applyUpdate(copy, frame.update);
			}
			return readFacts(copy).filter(({ id }) => id.startsWith('A-')).length === 220;
		}, 20_000);
		expect(reader.socket.readyState).toBe(reader.socket.OPEN);
	});
});

describe('the four answers', () => {
	it('[RELAY-5] forgery: a nack, an end, and nothing stored', async () => {
		const socket = await rawSocket(stand, 'A');
		socket.send(encodeUpdate(updateOf(settingFact(stand, 'B-1'))));
		expect(await nackOf(socket)).toEqual([['B-1', 'forgery']]);
		expect(await socket.closed).toBe(CLOSE.forgery);
		const garbage = await rawSocket(stand, 'A');
		garbage.send(encodeUpdate(Uint8Array.of(1, 2, 3)));
		expect(await garbage.closed).toBe(CLOSE.forgery);
		expect(await stored()).toEqual({ facts: 0, updates: 0, forks: 0 });
	});

	it('[RELAY-4] gap: nothing applied, our state vector, and then all of it', async () => {
		const doc = new Y.Doc();
		appendFact(doc, settingFact(stand, 'A-1'));
		const before = Y.encodeStateVector(doc);
		appendFact(doc, settingFact(stand, 'A-2'));
		const socket = await rawSocket(stand, 'A');
		socket.send(encodeUpdate(Y.encodeStateAsUpdate(doc, before)));
		const step1 = await socket.next(isMessage(MESSAGE_SYNC));
		expect(decodeClientFrame(step1)).toEqual({ kind: 'step1', stateVector: new Map() });
		expect(await stored()).toEqual({ facts: 0, updates: 0, forks: 0 });
		socket.send(encodeStep2(Y.encodeStateAsUpdate(doc)));
		await until(async () => (await stored()).facts === 2);
	});

	it('[RELAY-4] gap: who answers with the same gap again and again is closed', async () => {
		const doc = new Y.Doc();
		appendFact(doc, settingFact(stand, 'A-1'));
		const before = Y.encodeStateVector(doc);
		appendFact(doc, settingFact(stand, 'A-2'));
		const socket = await rawSocket(stand, 'A');
		for (let i = 0; i < 4; i += 1) {
			socket.send(encodeStep2(Y.encodeStateAsUpdate(doc, before)));
		}
		expect(await socket.closed).toBe(CLOSE.forgery);
	});

	it('[RELAY-20] known: kept as an update so that replicas agree, and counted once', async () => {
		const fact = settingFact(stand, 'A-1');
		const [early, late] = [docOf(fact, 5), docOf(fact, 50)];
		const socket = await rawSocket(stand, 'A');
		socket.send(encodeUpdate(Y.encodeStateAsUpdate(early)));
		await until(async () => (await stored()).facts === 1);
		// The device lost its document and put the fact back before it heard of its own first telling.
		Y.applyUpdate(late, Y.encodeStateAsUpdate(early));
		socket.send(encodeStep2(Y.encodeStateAsUpdate(late)));
		await until(async () => (await stored()).updates === 2);
		expect(await stored()).toEqual({ facts: 1, updates: 2, forks: 0 });

		const reader = stockProvider(stand, 'B');
		await synced(reader);
		expect(readFacts(reader.doc)).toEqual([fact]);
		expect(Y.encodeStateVector(reader.doc)).toEqual(Y.encodeStateVector(late));
		// A stock client tells all deletions each time; they are another device's twins and no forgery.
		appendFact(reader.doc, settingFact(stand, 'B-1'));
		await until(async () => (await stored()).facts === 2);
		expect(socket.socket.readyState).toBe(socket.socket.OPEN);
		reader.destroy();
	});

	it('[RELAY-21] fork: kept apart, never in a document, told, and an end', async () => {
		const socket = await rawSocket(stand, 'A');
		socket.send(encodeUpdate(updateOf(settingFact(stand, 'A-1'))));
		await until(async () => (await stored()).facts === 1);
		const other = settingFact(stand, 'A-1', 'another');
		const doc = docOf(other, 77);
		appendFact(doc, settingFact(stand, 'A-2'));
		socket.send(encodeUpdate(Y.encodeStateAsUpdate(doc)));
		expect(await nackOf(socket)).toEqual([['A-1', 'fork']]);
		expect(await socket.closed).toBe(CLOSE.fork);
		expect(await stored()).toEqual({ facts: 1, updates: 1, forks: 1 });
		const [row] = await stand.database.sql`select text from fork`;
		expect(row?.['text']).toBe(other.text);
	});
});

describe('a fact', () => {
	it('[RELAY-6] is of the form, under its own id; one that is not refuses its whole update', async () => {
		const socket = await rawSocket(stand, 'A');
		const doc = docOf(settingFact(stand, 'A-1'), 9);
		appendFact(doc, { id: 'A-2', text: '["A-2","setting"]' });
		appendFact(doc, { id: 'A-3', text: settingFact(stand, 'A-4').text });
		appendFact(doc, { id: 'A-5', text: settingFact(stand, 'A-5').text.replace('{', '{ ') });
		socket.send(encodeUpdate(Y.encodeStateAsUpdate(doc)));
		expect(await nackOf(socket)).toEqual([
			['A-2', 'badHead'],
			['A-3', 'keyIsAnother'],
			['A-5', 'notCompact']
		]);
		expect(await stored()).toEqual({ facts: 0, updates: 0, forks: 0 });
		socket.send(encodeUpdate(updateOf(settingFact(stand, 'A-1'))));
		await until(async () => (await stored()).facts === 1);
	});

	it('[RELAY-8] is of a kind for this member, by this member, not beyond tomorrow', async () => {
		const socket = await rawSocket(stand, 'A');
		const { text } = settingFact(stand, 'A-1');
		socket.send(encodeUpdate(updateOf({ id: 'A-1', text: text.replace(',1,{', ',2,{') })));
		expect(await nackOf(socket)).toEqual([['A-1', 'notYourMember']]);
		const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10).replaceAll('-', '');
		const [tomorrow, after] = [1, 2].map((days) =>
			stand.today().replace(/\d+$/, day(stand.clock.now + days * 86_400_000))
		);
		const early = await rawSocket(stand, 'A', { document: after ?? '' });
		early.send(encodeUpdate(updateOf(settingFact(stand, 'A-1'))));
		expect(await nackOf(early)).toEqual([['A-1', 'beyondTomorrow']]);
		const inTime = await rawSocket(stand, 'A', { document: tomorrow ?? '' });
		inTime.send(encodeUpdate(updateOf(settingFact(stand, 'A-1'))));
		await until(async () => (await stored()).facts === 1);
	});

	it('[RELAY-7] with a record is signed by its device, and the record is of the fact', async () => {
		const signer = await stand.addDevice('C');
		const crypto = createNodeCrypto();
		const codes = ['C'] as DeviceCode[];
		const trade = await makeTrade({ seed: 7, count: 60, codes, signers: [signer], crypto });
		const address = parseDocumentName(stand.today());
		if (!address.ok || !('business' in address.value)) throw new Error('no journal');
		const caller = deviceCaller('C', signer.publicKey);
		const parts = { caller, address: address.value, crypto, now: stand.clock.now };
		const signed = trade.facts.find(({ text }) => text.includes('"C"'));
		if (signed === undefined) throw new Error('a trade without a record');
		const verdict = async (text: string, given = parts): Promise<string> => {
			const checked = await checkFact(text, given);
			return checked.ok ? 'ok' : checked.error;
		};
		expect(await verdict(signed.text)).toBe('ok');
		// Another day, another number, another branch: the record was written for something else.
		const [, n = ''] = /^\["C-(\d+)"/.exec(signed.text) ?? [];
		for (const id of ['C-9999', `D-${n}`]) {
			expect(await verdict(signed.text.replace(`C-${n}`, id))).toBe('recordOfAnother');
		}
		const elsewhere = { ...caller, branch: '0192f0c1-7a00-4000-8000-0000000000b2' as never };
		expect(await verdict(signed.text, { ...parts, caller: elsewhere })).toBe('recordOfAnother');
		const stranger = { ...caller, publicKey: (await stand.addDevice('D')).publicKey };
		expect(await verdict(signed.text, { ...parts, caller: stranger })).toBe('recordUnsigned');
		const flipped = signed.text.replace(
			/"on":"2026-11-2(\d)"/,
			(_, digit: string) => `"on":"2026-11-2${String((Number(digit) + 1) % 10)}"`
		);
		expect(await verdict(flipped)).toBe('recordWrong');
	});

	it('[RELAY-7] with a statement lists what its record names, and nothing else', async () => {
		const signer = await stand.addDevice('C');
		const address = parseDocumentName(stand.today());
		if (!address.ok) throw new Error('no journal');
		const caller = deviceCaller('C', signer.publicKey);
		const parts = { caller, address: address.value, crypto: createNodeCrypto() };
		const person = '0192f0c1-7a00-4000-8000-0000000000e1' as PersonId;
		const ledger = '8d3c1f52-5b1e-4c38-9a57-1f0c2e9b7a10' as LedgerId;
		const author = { ...caller, signer, clock: stand.clock, n: 0, person };
		const [one, two, three] = [1, 2, 3].map((n) => recordHashOf(new Uint8Array(32).fill(n)));
		if (one === undefined || two === undefined || three === undefined) throw new Error('three');
		const { text } = await recordFact(author, { ledger, kind: 'statement', list: [one, two] });
		const verdict = async (given: string): Promise<string> => {
			const checked = await checkFact(given, { ...parts, now: stand.clock.now });
			return checked.ok ? 'ok' : checked.error;
		};
		expect(await verdict(text)).toBe('ok');
		expect(await verdict(text.replace(two, three))).toBe('recordOfAnother');
		expect(await verdict(text.replace(`,"${two}"`, ''))).toBe('recordOfAnother');
		expect(await verdict(text.replace(`"${two}"`, `"${two}","${three}"`))).toBe('recordOfAnother');
	});
});

describe('writing', () => {
	it('[RELAY-12] two sockets at once: a feed without a gap, each fact once', async () => {
		const pair = [stockProvider(stand, 'A'), stockProvider(stand, 'B')];
		await Promise.all(pair.map(synced));
		for (let n = 1; n <= 200; n += 1) {
			pair.forEach(({ doc }, at) => {
				appendFact(doc, settingFact(stand, `${at === 0 ? 'A' : 'B'}-${String(n)}`));
			});
			if (n % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
		}
		await until(async () => (await feed()).length === 400);
		const numbers = (await feed()).map((row) => Number(row.split(' ')[0]));
		expect(numbers).toEqual(Array.from({ length: 400 }, (_, at) => at + 1));
		await until(() => pair.every(({ doc }) => readFacts(doc).length === 400));
		for (const provider of pair) provider.destroy();
	});

	it('[RELAY-14] a fact that cannot be stored stops nobody else', async () => {
		const [good, bad] = [await rawSocket(stand, 'A'), await rawSocket(stand, 'B')];
		bad.send(encodeUpdate(updateOf(settingFact(stand, 'B-1', 'poison'))));
		for (const id of ['A-1', 'A-2', 'A-3']) {
			good.send(encodeUpdate(updateOf(settingFact(stand, id))));
		}
		expect(await nackOf(bad)).toEqual([['B-1', 'fault']]);
		await until(async () => (await feed()).length === 3);
		expect(await feed()).toEqual(['1 A-1', '2 A-2', '3 A-3']);
		expect(stand.faults.length).toBeGreaterThan(0);
		bad.send(encodeUpdate(updateOf(settingFact(stand, 'B-1'))));
		await until(async () => (await feed()).length === 4);
	});

	it('[RELAY-11] killed between commit and have: nothing lost, nothing doubled', async () => {
		const fact = settingFact(stand, 'A-1');
		const update = updateOf(fact);
		await commitAndDie(update, fact.text);
		expect(await feed()).toEqual(['1 A-1']);

		// The device never heard; it comes again, to a relay that knows of nothing but its database.
		const socket = await rawSocket(stand, 'A');
		const greeting = decodeHave(jsonIn(await socket.next(isMessage(MESSAGE_HAVE))));
		expect(greeting?.ranges).toEqual([[1, 1, hex(digestOf(fact.text))]]);
		socket.send(encodeStep2(update));
		socket.send(encodeUpdate(updateOf(settingFact(stand, 'A-2'))));
		await until(async () => (await feed()).length === 2);
		expect(await stored()).toEqual({ facts: 2, updates: 2, forks: 0 });
	});

	it('[RELAY-10] a room that is behind its database catches up under the lock', async () => {
		const socket = await rawSocket(stand, 'A');
		const doc = docOf(settingFact(stand, 'A-1'), 9);
		const first = Y.encodeStateAsUpdate(doc);
		const before = Y.encodeStateVector(doc);
		await socket.next(isMessage(MESSAGE_HAVE));
		// As another relay would: the row is there, and this relay's room does not know.
		await commitAndDie(first, settingFact(stand, 'A-1').text);
		appendFact(doc, settingFact(stand, 'A-2'));
		socket.send(encodeUpdate(Y.encodeStateAsUpdate(doc, before)));
		await until(async () => (await feed()).length === 2);
		expect(await stored()).toEqual({ facts: 2, updates: 2, forks: 0 });
	});

	it('[RELAY-22] a device that was removed meanwhile is refused under the lock', async () => {
		const socket = await rawSocket(stand, 'A');
		await socket.next(isMessage(MESSAGE_HAVE));
		await stand.database.sql`update device set removed_at = 1 where code = 'A'`;
		socket.send(encodeUpdate(updateOf(settingFact(stand, 'A-1'))));
		expect(await socket.closed).toBe(CLOSE.rights);
		expect(await stored()).toEqual({ facts: 0, updates: 0, forks: 0 });
	});

	it('[RELAY-23] a relay that starts anew knows what was there', async () => {
		const provider = stockProvider(stand, 'A');
		appendFact(provider.doc, settingFact(stand, 'A-1'));
		await until(async () => (await feed()).length === 1);
		await stand.restart();
		appendFact(provider.doc, settingFact(stand, 'A-2'));
		await until(async () => (await feed()).length === 2);
		expect((await stored()).updates).toBe(2);
		provider.destroy();
	});
});

describe("the relay's own facts", () => {
	it('[RELAY-19] are numbered on, in the feed without a gap, and gone with their transaction', async () => {
		const append = createAppendRelayFacts({
			clock: () => stand.clock.now,
			epoch: EPOCH,
			projectLedgerFacts
		});
		const drafts = [
			{ kind: 'member', member: 1, fields: { name: 'Asha', role: 'owner' }, branch: null },
			{ kind: 'device', device: 'A' as DeviceCode, fields: { member: 1 }, branch: TRADE_BRANCH }
		] as const;
		const socket = await rawSocket(stand, 'A');
		socket.send(encodeUpdate(updateOf(settingFact(stand, 'A-1'))));
		await until(async () => (await feed()).length === 1);
		const undone = stand.database.orm.transaction(async (transaction) => {
			await append(transaction, TRADE_BUSINESS, drafts);
			throw new Error('undone');
		});
		await expect(undone).rejects.toThrow('undone');
		await stand.database.orm.transaction((transaction) =>
			append(transaction, TRADE_BUSINESS, drafts)
		);
		socket.send(encodeUpdate(updateOf(settingFact(stand, 'A-2'))));
		await until(async () => (await feed()).length === 4);
		expect(await feed()).toEqual([
			'1 A-1',
			`2 0.${String(EPOCH)}-1`,
			`3 0.${String(EPOCH)}-2`,
			'4 A-2'
		]);

		await stand.database.orm.transaction((transaction) =>
			append(transaction, TRADE_BUSINESS, drafts)
		);
		stand.tick(5_000);
		await socket.next((bytes) => bytes[0] === MESSAGE_FEED && jsonIn(bytes) === '{"s":6}');
	});
});

/** A fact of about 60 kB: an import of products. */
function longFact(
	{ clock }: RelayStand,
	n: number
): { readonly id: string; readonly text: string } {
	const id = `A-${String(n)}`;
	const rows = Array.from({ length: 270 }, () => [0, { name: 'x'.repeat(200) }]);
	const day = Math.floor(clock.now / 86_400_000);
	return { id, text: JSON.stringify([id, 'product', clock.now, n, day, 1, rows]) };
}

function hex(digest: bigint): string {
	return digest.toString(16).padStart(16, '0');
}

function docOf(fact: { readonly id: string; readonly text: string }, client: number): Y.Doc {
	const doc = new Y.Doc();
	doc.clientID = client;
	appendFact(doc, fact);
	return doc;
}

/** As a page load of its own writes it. */
function updateOf(fact: { readonly id: string; readonly text: string }): Uint8Array {
	const doc = new Y.Doc();
	appendFact(doc, fact);
	return Y.encodeStateAsUpdate(doc);
}

/** `{s} {id}` of every fact, in the feed's order. */
async function feed(): Promise<readonly string[]> {
	const rows = await stand.database.sql<{ s: string; code: string; n: string }[]>`
		select s, code, n from fact order by s`;
	return rows.map(({ s, code, n }) => `${s} ${code}-${n}`);
}

async function stored(): Promise<{ facts: number; updates: number; forks: number }> {
	const [row] = await stand.database.sql<{ facts: number; updates: number; forks: number }[]>`
		select (select count(*)::int from fact) as facts,
			(select count(*)::int from document_update) as updates,
			(select count(*)::int from fork) as forks`;
	if (row === undefined) throw new Error('no row');
	return { ...row };
}

/** What a relay does up to and with COMMIT, and nothing after. */
async function commitAndDie(update: Uint8Array, text: string): Promise<void> {
	const { sql } = stand.database;
	const address = parseDocumentName(stand.today());
	const parsed = parseUpdate(update);
	if (!address.ok || !('business' in address.value) || !parsed.ok) throw new Error('not as meant');
	const room = await loadRoom(sql, stand.today(), address.value);
	const caller = deviceCaller('A');
	const crypto = createNodeCrypto();
	const check = await checkFact(text, {
		caller,
		address: address.value,
		crypto,
		now: stand.clock.now
	});
	const checks = new Map(parsed.value.items.map((item) => [item, check]));
	await writeBatch({ sql, project: createProject(crypto), clock: () => stand.clock.now }, [
		{ room, caller, update: parsed.value, checks, sender: {} }
	]);
}
