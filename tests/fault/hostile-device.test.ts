import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import type { WebsocketProvider } from 'y-websocket';
import { appendFact, readFacts } from '#documents/facts.ts';
import { CLOSE } from '#sync/close-code.ts';
import {
	decodeClientFrame,
	encodeStep1,
	encodeStep2,
	encodeUpdate,
	MESSAGE_FEED,
	MESSAGE_HAVE,
	MESSAGE_NACK,
	MESSAGE_SYNC
} from '#sync/frames.ts';
import { FRAME_BYTES_MAX, FRAME_FACTS_MAX, GAPS_MAX } from '#sync/limits.ts';
import { afterNack } from '#sync/nack-reason.ts';
import {
	bytesUnder,
	deletedUnder,
	gc,
	handUpdate,
	nestedMaps,
	nestedUnder,
	skip,
	textBehind,
	textUnder,
	type HandStruct
} from '#server/commands/fuzz/hand-update.ts';
import { nackOf } from '#tests/support/heard.ts';
import {
	createRelayStand,
	isMessage,
	rawSocket,
	settingFact,
	stockProvider,
	synced,
	ticketFor,
	until,
	type RelayStand
} from '#tests/support/relay-stand.ts';
import { TRADE_BRANCH } from '#tests/support/trade.ts';
import { openWatched } from '#tests/support/watched-document.ts';

/** What no honest device says, each on a document of its own: device B means A and C no good. */
let stand: RelayStand;
let document = '';
let victim: WebsocketProvider;
let watcher: WebsocketProvider;
let day = 0;
let n = 0;
/** A Yjs client of B's own. */
const OWN = 7_000_000_001;

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
	await writeHonestly(victim, 'A');
	return watched.close;
});

function next(code: string): { readonly id: string; readonly text: string } {
	n += 1;
	return settingFact(stand, `${code}-${String(n)}`);
}

/** Writes a fact and waits until the watcher has it. */
async function writeHonestly({ doc }: WebsocketProvider, code: string): Promise<string> {
	const fact = next(code);
	appendFact(doc, fact);
	await until(() => readFacts(watcher.doc).some(({ id }) => id === fact.id));
	return fact.id;
}

function shown({ doc }: WebsocketProvider): string {
	return JSON.stringify(readFacts(doc).toSorted((a, b) => (a.id < b.id ? -1 : 1)));
}

interface Attack {
	/** Of the client, at its clock 0. */
	readonly structs?: readonly HandStruct[];
	readonly update?: Uint8Array;
	/** What the sender hears of it. */
	readonly nack?: readonly (readonly [string, string])[];
	/** How its socket ends; stays open where it is absent. */
	readonly close?: number;
}

/** Attacks, sees what the sender hears, and that for everybody else it was as if nothing had been. */
async function attack({ structs, update, nack, close }: Attack): Promise<void> {
	const before = shown(watcher);
	const rows = await countRows();
	const hostile = await rawSocket(stand, 'B', { document });
	await hostile.next(isMessage(MESSAGE_HAVE));
	hostile.send(
		encodeUpdate(update ?? handUpdate([{ client: OWN, clock: 0, structs: structs ?? [] }]))
	);
	if (nack !== undefined) expect(await nackOf(hostile)).toEqual(nack);
	// A close says something of the update; alone a reason says it of the fact.
	for (const [, reason] of nack ?? []) {
		expect([reason, afterNack(reason) === 'closes']).toEqual([reason, close !== undefined]);
	}
	if (close !== undefined) expect(await hostile.closed).toBe(close);
	else expect(hostile.socket.readyState).toBe(hostile.socket.OPEN);
	if (nack === undefined) expect(hostile.heard.some(isMessage(MESSAGE_NACK))).toBe(false);
	await stillSyncs({ before, rows });
	hostile.socket.terminate();
}

/** Everybody sees what he saw, A writes on, and so does B as soon as it is honest. */
async function stillSyncs(was: {
	readonly before: string;
	readonly rows: Awaited<ReturnType<typeof countRows>>;
}): Promise<void> {
	expect(shown(watcher)).toBe(was.before);
	expect(shown(victim)).toBe(was.before);
	expect(await countRows()).toEqual(was.rows);
	await writeHonestly(victim, 'A');
	const honest = stockProvider(stand, 'B', { document });
	await writeHonestly(honest, 'B');
	await until(() => shown(honest) === shown(watcher) && shown(victim) === shown(watcher));
	honest.destroy();
	expect(stand.faults).toEqual([]);
}

async function countRows(): Promise<object> {
	const [row] = await stand.database.sql`
		select (select count(*)::int from fact) as facts,
			(select count(*)::int from document_update) as updates`;
	return { ...row };
}

/** The victim's Yjs client in this document, and how far it is. */
function victimAt(): { readonly client: number; readonly clock: number; readonly key: string } {
	const { clientID: client } = victim.doc;
	const clock = Y.decodeStateVector(Y.encodeStateVector(victim.doc)).get(client) ?? 0;
	return { client, clock, key: readFacts(victim.doc)[0]?.id ?? '' };
}

describe("in another's name", () => {
	it("[RELAY-1] garbage under another's client id", async () => {
		const { client, clock } = victimAt();
		for (const struct of [gc(1), skip(1)]) {
			const update = handUpdate([{ client, clock, structs: [struct] }]);
			await attack({ update, close: CLOSE.forgery });
		}
	});

	it("[RELAY-3] another's next clock, forged", async () => {
		const { client, clock } = victimAt();
		const { id, text } = next('A');
		const update = handUpdate([{ client, clock, structs: [textUnder(id, text)] }]);
		await attack({ update, nack: [[id, 'forgery']], close: CLOSE.forgery });
	});

	it("[RELAY-3] an own key under another's client id, be it his next clock or a lower one", async () => {
		const { client, clock } = victimAt();
		const { id, text } = next('B');
		const update = handUpdate([{ client, clock, structs: [textUnder(id, text)] }]);
		await attack({ update, nack: [[id, 'forgery']], close: CLOSE.forgery });
		const low = handUpdate([{ client, clock: 0, structs: [textUnder(id, text)] }]);
		await attack({ update: low, nack: [[id, 'forgery']], close: CLOSE.forgery });
	});

	it("[RELAY-3] a foreign device's code, the relay's, a phone's, or none", async () => {
		for (const code of ['C', '0.4', 'p1', 'AAA']) {
			const { id, text } = next(code === 'C' ? 'C' : 'B');
			const key = id.replace(/^[A-Z]+/, code);
			const structs = [textUnder(key, text.replace(id, key))];
			await attack({ structs, nack: [[key, 'forgery']], close: CLOSE.forgery });
		}
		for (const key of [
			'',
			'B-0',
			'b-1',
			'B-1e3',
			'B-9999999999999999',
			'__proto__',
			'constructor'
		]) {
			await attack({ structs: [textUnder(key, '"x"')], close: CLOSE.forgery });
		}
	});

	it('[RELAY-3] deletes what another wrote, or what nobody did', async () => {
		const { client, key } = victimAt();
		const update = handUpdate([], [[client, 0, 1]]);
		expect(update.byteLength).toBeLessThan(16);
		await attack({ update, nack: [[key, 'forgery']], close: CLOSE.forgery });
		await attack({ update: handUpdate([], [[client, 0, 5_000]]), close: CLOSE.forgery });
		await attack({ update: handUpdate([], [[OWN, 0, 1]]), close: CLOSE.forgery });
	});

	it('[RELAY-3] writes over what another wrote, with a text or with nothing', async () => {
		const { client, key } = victimAt();
		const { text } = next('A');
		const refusal = { nack: [[key, 'forgery']], close: CLOSE.forgery } as const;
		await attack({ structs: [textBehind([client, 0], text)], ...refusal });
		await attack({ structs: [textUnder(key, text)], ...refusal });
		await attack({ structs: [deletedUnder(key)], ...refusal });
	});

	it('[RELAY-21] writes over what it wrote itself', async () => {
		const mine = next('B');
		const hostile = await rawSocket(stand, 'B', { document });
		const first = handUpdate([{ client: 99, clock: 0, structs: [textUnder(mine.id, mine.text)] }]);
		hostile.send(encodeUpdate(first));
		await until(() => readFacts(watcher.doc).some(({ id }) => id === mine.id));
		await until(() => shown(victim) === shown(watcher));
		const other = settingFact(stand, mine.id, 'another');
		const structs = [textBehind([99, 0], other.text)];
		await attack({ structs, nack: [[mine.id, 'fork']], close: CLOSE.fork });
		await attack({
			structs: [textUnder(mine.id, other.text)],
			nack: [[mine.id, 'fork']],
			close: CLOSE.fork
		});
		await attack({
			update: handUpdate([], [[99, 0, 1]]),
			nack: [[mine.id, 'forgery']],
			close: CLOSE.forgery
		});
	});

	it("[RELAY-3] takes another's client id in a document that he did not open yet", async () => {
		const { client } = victimAt();
		const later = stand.today();
		const hostile = await rawSocket(stand, 'B', { document: later });
		const mine = next('B');
		hostile.send(
			encodeUpdate(handUpdate([{ client, clock: 0, structs: [textUnder(mine.id, mine.text)] }]))
		);
		await hostile.next(isMessage(MESSAGE_HAVE), 1);
		// He is told which of his facts did not come in, and with a fresh client they do.
		const his = next('A');
		const robbed = await rawSocket(stand, 'A', { document: later });
		const doc = new Y.Doc();
		doc.clientID = client;
		appendFact(doc, his);
		robbed.send(encodeUpdate(Y.encodeStateAsUpdate(doc)));
		expect(await nackOf(robbed)).toEqual([[his.id, 'forgery']]);
		expect(await robbed.closed).toBe(CLOSE.forgery);
		const fresh = stockProvider(stand, 'A', { document: later });
		await synced(fresh);
		appendFact(fresh.doc, his);
		await until(async () => (await textOf(his.id)) === his.text);
		fresh.destroy();
		hostile.socket.terminate();
	});
});

async function textOf(id: string): Promise<string | undefined> {
	const [code = '', number] = id.split('-');
	const [row] = await stand.database.sql<{ text: string }[]>`
		select text from fact where code = ${code} and n = ${Number(number)}`;
	return row?.text;
}

describe('in another form', () => {
	it('[RELAY-1] [RELAY-50] nested types, other contents, another root: refused by name', async () => {
		const forms: ((doc: Y.Doc, key: string) => unknown)[] = [
			(doc, key) => doc.getMap('f').set(key, new Y.Map([['a', 'b']])),
			(doc, key) => doc.getMap('f').set(key, new Y.Array()),
			(doc, key) => doc.getMap('f').set(key, new Y.Text('a')),
			(doc, key) => doc.getMap('f').set(key, new Y.XmlElement('a')),
			(doc, key) => doc.getMap('f').set(key, new Y.Doc()),
			(doc, key) => doc.getMap('f').set(key, new Uint8Array(3)),
			(doc, key) => doc.getMap('f').set(key, { a: [1, 2.5, 'c', null, { d: true }] }),
			(doc, key) => doc.getMap('g').set(key, 'text'),
			(doc, key) => doc.getMap('__proto__').set(key, 'text')
		];
		for (const form of forms) {
			const doc = new Y.Doc();
			const [mine, last] = [next('B'), next('B')];
			appendFact(doc, mine);
			form(doc, last.id.replace('B-', 'B-9'));
			appendFact(doc, last);
			const names = [mine.id, last.id.replace('B-', 'B-9'), last.id];
			const nack = names.map((id) => [id, 'malformed'] as const);
			await attack({ update: Y.encodeStateAsUpdate(doc), nack, close: CLOSE.forgery });
		}
	});

	it('[RELAY-1] 400 kB of nesting, in types and in values', async () => {
		const { id } = next('B');
		const nack = [[id, 'malformed']] as const;
		const maps = nestedMaps(id, OWN, FRAME_FACTS_MAX);
		const update = handUpdate([{ client: OWN, clock: 0, structs: maps }]);
		expect(update.byteLength).toBeGreaterThan(200_000);
		await attack({ update, nack, close: CLOSE.forgery });
		await attack({ structs: [nestedUnder(id, 200_000)], nack, close: CLOSE.forgery });
		// Behind so much nothing more is looked for; behind a little it is.
		const after = next('B');
		const behind = textUnder(after.id, after.text);
		await attack({ structs: [nestedUnder(id, 200_000), behind], nack, close: CLOSE.forgery });
		const both = [...nack, [after.id, 'malformed']] as const;
		await attack({ structs: [nestedUnder(id, 60), behind], nack: both, close: CLOSE.forgery });
	});

	it('[RELAY-6] 400 kB of nesting in the JSON of a fact, wherever it stands', async () => {
		const deep = (bytes: number): string => '['.repeat(bytes / 2) + ']'.repeat(bytes / 2);
		const head = (kind: string): string =>
			next('B').text.replace(/"setting",(.*),\{.*$/, `"${kind}",$1`);
		for (const [body, reason] of [
			[`{"name":${deep(400_000)}}`, 'tooLarge'],
			[`{"name":${deep(64_000)}}`, undefined],
			[deep(64_000), undefined]
		] as const) {
			for (const kind of ['setting', 'sale', 'claim', 'record', 'entry', 'product', 'return']) {
				const text = `${head(kind)},${body}]`;
				const id = /B-\d+/.exec(text)?.[0] ?? '';
				expect(await refusalOf(id, text)).toEqual(
					reason ?? expect.stringMatching(/^(notJson|badBody|badHead)$/)
				);
			}
		}
		// As deep as can be written and read again, at each place of a signed record.
		for (const depth of [1_000, 2_000, 6_000]) {
			const record = `["${'A'.repeat(152)}",{"x":${deep(depth)}},"kid","sig"]`;
			for (const body of [
				`[${record}]`,
				`[${record}],{"list":${deep(depth)}}`,
				`{"x":${deep(depth)}},""`
			]) {
				const text = `${head(body.startsWith('[') ? 'record' : 'claim')},${body}]`;
				expect(await refusalOf(/B-\d+/.exec(text)?.[0] ?? '', text)).toBe('badBody');
			}
		}
		await stillSyncs({ before: shown(watcher), rows: await countRows() });
	});

	/** The reason that the sender hears for one text. */
	async function refusalOf(id: string, text: string): Promise<string | undefined> {
		const socket = await rawSocket(stand, 'B', { document });
		socket.send(
			encodeUpdate(handUpdate([{ client: OWN + n, clock: 0, structs: [textUnder(id, text)] }]))
		);
		const [[named, reason] = []] = (await nackOf(socket)) as (readonly [string, string])[];
		socket.socket.terminate();
		expect(named).toBe(id);
		return reason;
	}

	it('[RELAY-6] `__proto__` among the fields, as a kind, as a code', async () => {
		const { id, text } = next('B');
		const bodies = [
			['{"name"', '{"__proto__":{"name":"x"},"name"'],
			['{"name"', '{"constructor":{"prototype":{}},"name"'],
			['"setting"', '"__proto__"'],
			['"setting"', '"constructor"']
		] as const;
		for (const [from, to] of bodies) {
			const reason = from === '{"name"' ? 'badBody' : 'unknownKind';
			const structs = [textUnder(id, text.replace(from, to))];
			await attack({ structs, nack: [[id, reason]] });
		}
		const proto = text.replace(`"${id}"`, '"__proto__-1"');
		await attack({ structs: [textUnder(id, proto)], nack: [[id, 'badHead']] });
		expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('name');
	});

	it('[RELAY-6] an emoji cut in half, in a text and in a key, as bytes and as an escape', async () => {
		const { id, text } = next('B');
		const half = JSON.stringify('\ud83d').slice(1, -1);
		await attack({
			structs: [textUnder(id, text.replace('Shop', half))],
			nack: [[id, 'badText']]
		});
		const bytes = new TextEncoder().encode(text.replace('Shop', '####'));
		const cut = bytes.map((byte, at) =>
			byte === 0x23 ? ([0xed, 0xa0, 0xbd, 0x20][at % 4] ?? 0x20) : byte
		);
		await attack({
			structs: [bytesUnder(id, cut)],
			nack: [[id, 'malformed']],
			close: CLOSE.forgery
		});
		await attack({ structs: [textUnder(`${id}\ud83d`, text)], close: CLOSE.forgery });
		await attack({
			structs: [textUnder(id, text.replace('Shop', '\\u0000'))],
			nack: [[id, 'badText']]
		});
	});

	it('[RELAY-1] the second version of the encoding', async () => {
		const doc = new Y.Doc();
		for (let at = 0; at < 3; at += 1) appendFact(doc, next('B'));
		await attack({ update: Y.encodeStateAsUpdateV2(doc), close: CLOSE.forgery });
	});

	it('[RELAY-6] no frame at all, and a text', async () => {
		for (const bytes of [[], [0], [0, 0], [0, 2, 255], [0, 9, 0], [0, 0, 1, 255], [255, 255]]) {
			const before = shown(watcher);
			const rows = await countRows();
			const hostile = await rawSocket(stand, 'B', { document });
			hostile.send(Uint8Array.from(bytes));
			expect(await hostile.closed).toBe(CLOSE.forgery);
			await stillSyncs({ before, rows });
		}
		const text = await rawSocket(stand, 'B', { document });
		text.socket.send('["B-1"]');
		expect(await text.closed).toBe(CLOSE.forgery);
	});
});

describe('too much', () => {
	it('[RELAY-6] [RELAY-50] an oversized frame, by name; beyond what a socket reads, cut', async () => {
		const mine = next('B');
		const filler = textUnder('B-1000000', 'x'.repeat(FRAME_BYTES_MAX));
		const structs = [textUnder(mine.id, mine.text), filler];
		const names = [mine.id, 'B-1000000'].map((id) => [id, 'updateTooLarge'] as const);
		await attack({ structs, nack: names, close: CLOSE.tooLarge });
		const huge = textUnder('B-1000000', 'x'.repeat(2 * FRAME_BYTES_MAX));
		await attack({ structs: [huge], close: 1009 });
	});

	it('[RELAY-1] [RELAY-50] more facts than an update may hold, in the list and in the count alone', async () => {
		const ids = Array.from({ length: FRAME_FACTS_MAX + 1 }, (_none, at) => `B-${String(at + 1e6)}`);
		const structs = ids.map((id) => textUnder(id, '""'));
		const nack = ids.slice(0, FRAME_FACTS_MAX).map((id) => [id, 'updateTooLarge'] as const);
		await attack({ structs, nack, close: CLOSE.tooLarge });
		const lie = Uint8Array.of(1, 255, 255, 255, 255, 15, 1, 0, 0);
		await attack({ update: lie, close: CLOSE.tooLarge });
	});

	it('[RELAY-50] [SYNC-10] a fact beyond its size or its form refuses its whole update, and itself alone by name', async () => {
		const [good, large] = [next('B'), next('B')];
		const text = large.text.replace('Shop', 'x'.repeat(70_000));
		const structs = [textUnder(good.id, good.text), textUnder(large.id, text)];
		await attack({ structs, nack: [[large.id, 'tooLarge']] });
	});
});

describe('out of order', () => {
	it('[RELAY-4] orphans: asked for what is missing, and cut off who never has it', async () => {
		const { id, text } = next('B');
		const before = shown(watcher);
		const rows = await countRows();
		const orphan = handUpdate([{ client: OWN, clock: 5, structs: [textUnder(id, text)] }]);
		const behind = handUpdate([
			{ client: OWN, clock: 0, structs: [textBehind([OWN + 1, 3], text)] }
		]);
		for (const update of [orphan, behind]) {
			const hostile = await rawSocket(stand, 'B', { document });
			for (let at = 0; at < 50; at += 1) hostile.send(encodeUpdate(update));
			await hostile.next(isMessage(MESSAGE_SYNC));
			for (let at = 0; at <= GAPS_MAX; at += 1) hostile.send(encodeStep2(update));
			if (update === orphan) expect(await nackOf(hostile)).toEqual([[id, 'gap']]);
			expect(await hostile.closed).toBe(CLOSE.forgery);
			expect(hostile.heard.filter(isMessage(MESSAGE_SYNC)).length).toBeLessThanOrEqual(
				GAPS_MAX + 1
			);
			await stillSyncs({
				before: update === orphan ? before : shown(watcher),
				rows: update === orphan ? rows : await countRows()
			});
		}
	});
});

describe('where it has no business', () => {
	it("[RELAY-9] another business's document, another branch's, a person's, with or without a ticket", async () => {
		const other = '0192f0c1-7a00-4000-8000-0000000000b2';
		const theirs = document.replace(/^j\/[^/]*/, `j/${other}`);
		for (const closed of [theirs, document.replace(TRADE_BRANCH, other), `c/${other}/2026`]) {
			const socket = await rawSocket(stand, 'B', { document: closed });
			socket.send(encodeStep1(new Map()));
			expect(await socket.closed).toBe(CLOSE.rights);
			expect(socket.heard).toEqual([]);
			// A ticket of its own document opens no other.
			const ticket = await ticketFor(stand, 'B', document);
			const crept = await rawSocket(stand, 'B', { document: closed, ticket });
			expect(await crept.closed).toBe(CLOSE.ticket);
		}
		const [heads] = await stand.database.sql`
			select count(*)::int as count from document_head where document like ${`%${other}%`}`;
		expect(heads?.['count']).toBe(0);
	});

	it('[RELAY-22] [RELAY-50] a removed device hears which of its facts did not come in', async () => {
		await stand.addDevice('R');
		const socket = await rawSocket(stand, 'R', { document });
		// Its rights are looked at once more when it has opened; by its second answer they were.
		const [first, second, late] = [next('R'), next('R'), next('R')];
		for (const { id, text } of [first, second]) {
			const before = socket.heard.length;
			const structs = [textUnder(id, text)];
			socket.send(encodeUpdate(handUpdate([{ client: OWN + n + before, clock: 0, structs }])));
			await socket.next(isMessage(MESSAGE_FEED), before);
		}
		await stand.database.sql`update device set removed_at = 1 where code = 'R'`;
		const structs = [textUnder(late.id, late.text)];
		socket.send(encodeUpdate(handUpdate([{ client: 99, clock: 0, structs }])));
		expect(await nackOf(socket)).toEqual([[late.id, 'removed']]);
		expect(await socket.closed).toBe(CLOSE.rights);
	});
});

describe('what looks like it and is honest', () => {
	it('[RELAY-4] a sale sent before step 2 after a reconnect', async () => {
		const doc = new Y.Doc();
		const [offline, online] = [next('B'), next('B')];
		appendFact(doc, offline);
		const had = Y.encodeStateVector(doc);
		const socket = await rawSocket(stand, 'B', { document });
		socket.send(encodeStep1(new Map()));
		appendFact(doc, online);
		socket.send(encodeUpdate(Y.encodeStateAsUpdate(doc, had)));
		await socket.next((bytes) => decodeClientFrame(bytes)?.kind === 'step1');
		socket.send(encodeStep2(Y.encodeStateAsUpdate(doc)));
		await until(() => readFacts(watcher.doc).some(({ id }) => id === online.id));
		expect(await textOf(offline.id)).toBe(offline.text);
		expect(socket.socket.readyState).toBe(socket.socket.OPEN);
		expect(socket.heard.some(isMessage(MESSAGE_NACK))).toBe(false);
		socket.socket.terminate();
	});

	it('[RELAY-20] the same fact under a fresh client after a lost write, larger or smaller', async () => {
		for (const [first, second] of [
			[5, 9],
			[9, 5]
		] as const) {
			const fact = next('B');
			const rows = await countRows();
			const socket = await rawSocket(stand, 'B', { document });
			for (const client of [first, second]) {
				// The document was lost on the device, and the fact put back before it heard of its first telling.
				const structs = [textUnder(fact.id, fact.text)];
				socket.send(
					encodeUpdate(handUpdate([{ client: OWN * 10 + client * 100 + n, clock: 0, structs }]))
				);
			}
			await until(() => readFacts(watcher.doc).some(({ id }) => id === fact.id));
			const { facts = 0 } = rows as { facts?: number };
			await until(
				async () =>
					((await countRows()) as { updates: number }).updates >=
					(rows as { updates: number }).updates + 2
			);
			expect(await countRows()).toMatchObject({ facts: facts + 1 });
			expect(socket.heard.some(isMessage(MESSAGE_NACK))).toBe(false);
			socket.socket.terminate();
			// Everybody's next full state tells of the twin's deletion.
			await stillSyncs({ before: shown(watcher), rows: await countRows() });
		}
	});
});
