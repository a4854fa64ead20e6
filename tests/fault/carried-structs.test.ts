import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { appendFact, readFacts, type DocumentFact } from '#documents/facts.ts';
import { CLOSE } from '#sync/close-code.ts';
import { decodeHave, encodeStep2, encodeUpdate, MESSAGE_HAVE, MESSAGE_NACK } from '#sync/frames.ts';
import { nackOf } from '#tests/support/heard.ts';
import {
	EPOCH,
	createRelayStand,
	isMessage,
	jsonIn,
	rawSocket,
	settingFact,
	stockProvider,
	synced,
	until,
	type RawSocket,
	type RelayStand,
	type RelayStandOptions
} from '#tests/support/relay-stand.ts';
import { handUpdate, textUnder } from '#server/commands/fuzz/hand-update.ts';

/** A relay whose database was restored, and devices whose documents still hold what it forgot. */
let stand: RelayStand;

async function open(relay: RelayStandOptions['relay']): Promise<void> {
	stand = await createRelayStand(relay === undefined ? {} : { relay });
	for (const code of ['A', 'B', 'C']) await stand.addDevice(code);
}
beforeEach(() => open({ isRestored: true }));
afterEach(async () => {
	await stand.close();
	expect(stand.faults).toEqual([]);
});

/** As its author wrote it in that document once, under a client of his. */
function writtenBy(doc: Y.Doc, client: number, facts: readonly DocumentFact[]): void {
	const his = new Y.Doc();
	his.clientID = client;
	for (const fact of facts) appendFact(his, fact);
	Y.applyUpdate(doc, Y.encodeStateAsUpdate(his));
}

/** `{id} {carrier}` of every fact, in the feed's order. */
async function feed(): Promise<readonly string[]> {
	const rows = await stand.database.sql<{ id: string; by: string | null }[]>`
		select code || '-' || n as id, carried_by as by from fact order by s`;
	return rows.map(({ id, by }) => (by === null ? id : `${id} by ${by}`));
}

const facts = (...ids: readonly string[]): readonly DocumentFact[] =>
	ids.map((id) => settingFact(stand, id));

describe('a step 2 at a restored relay', () => {
	it("[RELAY-53] that holds brothers' structs is taken, each once, for its author", async () => {
		const doc = new Y.Doc();
		doc.clientID = 500;
		writtenBy(doc, 900, facts('A-1', 'A-2', 'A-3'));
		writtenBy(doc, 100, facts('C-1'));
		// The relay's own of an epoch that has ended.
		const link = JSON.stringify(relayFact(`0.${String(EPOCH - 1)}-7`));
		writtenBy(doc, 300, [{ id: `0.${String(EPOCH - 1)}-7`, text: link }]);
		for (const fact of facts('B-1', 'B-2')) appendFact(doc, fact);
		const author = await rawSocket(stand, 'A');
		await author.next(isMessage(MESSAGE_HAVE));
		const watcher = stockProvider(stand, 'C');
		await synced(watcher);

		const socket = await rawSocket(stand, 'B');
		socket.send(encodeStep2(Y.encodeStateAsUpdate(doc)));
		await until(async () => (await feed()).length === 7);
		expect((await feed()).toSorted()).toEqual([
			`0.${String(EPOCH - 1)}-7 by B`,
			'A-1 by B',
			'A-2 by B',
			'A-3 by B',
			'B-1',
			'B-2',
			'C-1 by B'
		]);
		await until(() => readFacts(watcher.doc).length === 7);
		expect(Y.encodeStateVector(watcher.doc)).toEqual(Y.encodeStateVector(doc));
		const had = decodeHave(jsonIn(await author.next(isMessage(MESSAGE_HAVE), 2)));
		expect(had?.ranges.map(([from, to]) => [from, to])).toEqual([[1, 3]]);

		// Who comes after with the same brings nothing new, and the author writes on under his client.
		const again = await rawSocket(stand, 'C');
		again.send(encodeStep2(Y.encodeStateAsUpdate(doc)));
		author.send(
			encodeUpdate(
				handUpdate([
					{
						client: 900,
						clock: 3,
						structs: facts('A-4').map(({ id, text }) => textUnder(id, text))
					}
				])
			)
		);
		await until(async () => (await feed()).length === 8);
		expect(await feed()).toContain('A-4');
		for (const each of [socket, again, author]) {
			expect(each.socket.readyState).toBe(each.socket.OPEN);
			expect(each.heard.some(isMessage(MESSAGE_NACK))).toBe(false);
		}
		watcher.destroy();
	});

	it('[SYNC-8] [RELAY-53] that holds brothers’ structs alone is answered, and with its own it names those', async () => {
		const socket = await rawSocket(stand, 'B');
		await socket.next(isMessage(MESSAGE_HAVE));
		const send = async (doc: Y.Doc): Promise<unknown> => {
			const heard = socket.heard.length;
			socket.send(encodeUpdate(Y.encodeStateAsUpdate(doc)));
			const have = decodeHave(jsonIn(await socket.next(isMessage(MESSAGE_HAVE), heard)));
			return have?.ranges.map(([from, to]) => [from, to]);
		};
		const doc = new Y.Doc();
		writtenBy(doc, 900, facts('A-1', 'A-2'));
		expect(await send(doc)).toEqual([]);
		const both = new Y.Doc();
		writtenBy(both, 901, facts('A-3'));
		appendFact(both, settingFact(stand, 'B-1'));
		expect(await send(both)).toEqual([[1, 1]]);
		expect((await feed()).toSorted()).toEqual(['A-1 by B', 'A-2 by B', 'A-3 by B', 'B-1']);
	});

	it('[RELAY-54] one brother that forks, one that is unknown, one that is wrong: the rest is taken', async () => {
		const author = await rawSocket(stand, 'A');
		const [kept] = facts('A-2');
		if (kept === undefined) throw new Error('no fact');
		author.send(
			encodeUpdate(handUpdate([{ client: 77, clock: 0, structs: [textUnder(kept.id, kept.text)] }]))
		);
		await until(async () => (await feed()).length === 1);

		const doc = new Y.Doc();
		doc.clientID = 500;
		writtenBy(doc, 901, [...facts('A-1'), settingFact(stand, 'A-2', 'other'), ...facts('A-3')]);
		writtenBy(doc, 902, facts('Z-1', 'Z-2'));
		writtenBy(doc, 903, [...facts('C-1'), { id: 'C-2', text: '["C-2","setting"]' }]);
		writtenBy(doc, 904, facts('C-5'));
		for (const fact of facts('B-1')) appendFact(doc, fact);
		const socket = await rawSocket(stand, 'B');
		socket.send(encodeStep2(Y.encodeStateAsUpdate(doc)));
		const nack = (await nackOf(socket)) as (readonly [string, string])[];
		expect(nack.toSorted()).toEqual([
			['A-2', 'conflict'],
			['C-2', 'badHead'],
			['Z-1', 'authorUnknown']
		]);
		expect((await feed()).toSorted()).toEqual(['A-1 by B', 'A-2', 'B-1', 'C-1 by B', 'C-5 by B']);
		const [fork] = await stand.database.sql`select code, n::int from fork`;
		expect({ ...fork }).toEqual({ code: 'A', n: 2 });
		expect(socket.socket.readyState).toBe(socket.socket.OPEN);

		// What it writes on is taken, and what everybody sees is what the relay has.
		const own = Y.encodeStateVector(doc);
		for (const fact of facts('B-2')) appendFact(doc, fact);
		socket.send(encodeUpdate(Y.encodeStateAsUpdate(doc, own)));
		await until(async () => (await feed()).includes('B-2'));
		const reader = stockProvider(stand, 'C');
		await synced(reader);
		const shown = new Map(readFacts(reader.doc).map(({ id, text }) => [id, text]));
		expect([...shown.keys()].toSorted()).toEqual(['A-1', 'A-2', 'B-1', 'B-2', 'C-1', 'C-5']);
		expect(shown.get('A-2')).toBe(kept.text);
		reader.destroy();
	});

	it("[RELAY-53] is no way to another's client, to the current epoch, or to what is the relay's", async () => {
		const current = `0.${String(EPOCH)}-9`;
		const author = await rawSocket(stand, 'A');
		const [one, two] = facts('A-1', 'A-2');
		if (one === undefined || two === undefined) throw new Error('two');
		author.send(
			encodeUpdate(handUpdate([{ client: 77, clock: 0, structs: [textUnder(one.id, one.text)] }]))
		);
		await until(async () => (await feed()).length === 1);
		const [c1] = facts('C-1');
		const [b1] = facts('B-1');
		const forgeries = [
			[77, 1, c1],
			[77, 1, b1],
			[88, 0, { id: current, text: JSON.stringify(relayFact(current)) }],
			[89, 0, { id: 'p1-1', text: '""' }]
		] as const;
		for (const [client, clock, fact] of forgeries) {
			if (fact === undefined) throw new Error('no fact');
			const structs = [textUnder(fact.id, fact.text)];
			const socket = await rawSocket(stand, 'B');
			socket.send(encodeUpdate(handUpdate([{ client, clock, structs }])));
			expect(await nackOf(socket)).toEqual([[fact.id, 'forgery']]);
			expect(await socket.closed).toBe(CLOSE.forgery);
		}
		// A verdict spends codes: it counts with the relay's signature and nothing less.
		const old = `0.${String(EPOCH - 1)}-9`;
		for (const [body, reason] of [
			[
				['verdict', LEDGER, VERDICT_CLAIM, verdictBytes(), 'A'.repeat(86), 'A'.repeat(11), 0],
				'verdictUnsigned'
			],
			[['setting', { name: 'x' }], 'badBody'],
			[['told', LEDGER, LEDGER, ['promise', 20_000, 7, 'KES', 2]], 'notYourKind']
		] as const) {
			const text = JSON.stringify(relayFact(old, body));
			const socket = await rawSocket(stand, 'B');
			socket.send(
				encodeUpdate(handUpdate([{ client: 90, clock: 0, structs: [textUnder(old, text)] }]))
			);
			expect(await nackOf(socket)).toEqual([[old, reason]]);
			expect(socket.socket.readyState).toBe(socket.socket.OPEN);
			socket.socket.terminate();
		}
		expect(await feed()).toEqual(['A-1']);
	});

	it('[RELAY-56] [RELAY-57] [RELAY-21] is no way to write on for a device that is back', async () => {
		const author = await rawSocket(stand, 'A');
		const say = (
			socket: RawSocket,
			[client, clock]: readonly [number, number],
			{ id, text }: DocumentFact
		): void => {
			socket.send(encodeUpdate(handUpdate([{ client, clock, structs: [textUnder(id, text)] }])));
		};
		const [one, two, three, ahead] = facts('A-7', 'A-8', 'A-9', 'A-5001');
		if (one === undefined || two === undefined) throw new Error('two');
		if (three === undefined || ahead === undefined) throw new Error('four');
		say(author, [77, 0], one);
		await until(async () => (await feed()).length === 1);

		// Its live client, with a number of its own; its future numbers under another; its last fact twice.
		const other = settingFact(stand, 'A-7', 'other');
		for (const [client, clock, fact, reason] of [
			[77, 1, ahead, 'clientTaken'],
			[77, 1, settingFact(stand, 'A-3'), 'clientTaken'],
			[77, 1, two, 'clientTaken'],
			[88, 0, ahead, 'authorBack'],
			[88, 0, two, 'authorBack'],
			[88, 0, other, 'conflict']
		] as const) {
			const socket = await rawSocket(stand, 'B');
			say(socket, [client, clock], fact);
			expect(await nackOf(socket)).toEqual([[fact.id, reason]]);
			expect(socket.socket.readyState).toBe(socket.socket.OPEN);
			socket.socket.terminate();
		}
		// What is known already takes no clock of it either, nor what does not fit on what is there.
		const quiet = await rawSocket(stand, 'B');
		say(quiet, [77, 1], one);
		say(quiet, [77, 9], ahead);
		say(quiet, [77, 0], other);
		say(quiet, [500, 0], settingFact(stand, 'B-1'));
		await until(async () => (await feed()).includes('B-1'));
		expect(quiet.heard.some(isMessage(MESSAGE_NACK))).toBe(false);

		say(author, [77, 1], two);
		say(author, [77, 2], three);
		await until(async () => (await feed()).length === 4);
		expect(await feed()).toEqual(['A-7', 'B-1', 'A-8', 'A-9']);
		expect(author.heard.some(isMessage(MESSAGE_NACK))).toBe(false);
		// What it wrote before that, its brothers tell for it.
		say(quiet, [99, 0], settingFact(stand, 'A-3'));
		await until(async () => (await feed()).includes('A-3 by B'));
	});

	it("[RELAY-21] that tells another text under a silent device's place is found out when it is back", async () => {
		const place = { client: 77, clock: 0 };
		const forged = settingFact(stand, 'A-2', 'other');
		const own = settingFact(stand, 'A-2');
		const socket = await rawSocket(stand, 'B');
		socket.send(
			encodeUpdate(handUpdate([{ ...place, structs: [textUnder(forged.id, forged.text)] }]))
		);
		await until(async () => (await feed()).length === 1);
		const author = await rawSocket(stand, 'A');
		author.send(encodeUpdate(handUpdate([{ ...place, structs: [textUnder(own.id, own.text)] }])));
		expect(await nackOf(author)).toEqual([['A-2', 'fork']]);
		expect(await author.closed).toBe(CLOSE.fork);
		expect(await stand.database.sql`select code, n, text from fork`).toEqual([
			{ code: 'A', n: '2', text: own.text }
		]);
	});

	it('[RELAY-51] brings so much of others a day, beside its own', async () => {
		await stand.close();
		await open({
			isRestored: true,
			dayLimits: { device: 2, phone: 1, carried: 2, phoneCarried: 1 }
		});
		const doc = new Y.Doc();
		doc.clientID = 500;
		writtenBy(doc, 901, facts('A-1', 'A-2', 'A-3'));
		for (const fact of facts('B-1', 'B-2')) appendFact(doc, fact);
		const socket = await rawSocket(stand, 'B');
		socket.send(encodeStep2(Y.encodeStateAsUpdate(doc)));
		expect(await nackOf(socket)).toEqual([['A-3', 'tooMany']]);
		expect((await feed()).toSorted()).toEqual(['A-1 by B', 'A-2 by B', 'B-1', 'B-2']);
		stand.clock.now += 86_400_000;
		const today = stand.today();
		const rest = new Y.Doc();
		writtenBy(rest, 901, facts('A-3'));
		const later = await rawSocket(stand, 'B', { document: today });
		later.send(encodeStep2(Y.encodeStateAsUpdate(rest)));
		await until(async () => (await feed()).includes('A-3 by B'));
	});
});

it('[RELAY-53] a relay that was never restored takes nothing for another', async () => {
	await stand.close();
	await open(undefined);
	const doc = new Y.Doc();
	doc.clientID = 500;
	writtenBy(doc, 900, facts('A-1'));
	const socket = await rawSocket(stand, 'B');
	socket.send(encodeStep2(Y.encodeStateAsUpdate(doc)));
	expect(await nackOf(socket)).toEqual([['A-1', 'forgery']]);
	expect(await socket.closed).toBe(CLOSE.forgery);
	expect(await feed()).toEqual([]);
});

const LEDGER = '8d3c1f52-5b1e-4c38-9a57-1f0c2e9b7a10';
const VERDICT_CLAIM = '019aa000-0000-7000-8000-000000000001';

/** 118 bytes that read as a verdict. */
function verdictBytes(): string {
	const bytes = new Uint8Array(118);
	bytes[0] = 1;
	return Buffer.from(bytes).toString('base64url');
}

function relayFact(id: string, body: readonly unknown[] = ['saw', LEDGER, 5]): readonly unknown[] {
	const [kind, ...rest] = body;
	const date = Math.floor(stand.clock.now / 86_400_000);
	return [id, kind, stand.clock.now, 0, date, 0, ...rest];
}
