import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { placeItems } from './place-items.ts';
import { createRoomState, type MutableRoomState } from './room-state.ts';
import { parseUpdate, type ParsedUpdate } from './update-parser.ts';

const A = { code: 'A' };
const B = { code: 'B' };

/** A document with one item of A (client 10) and one of B (client 20), and the room that knows it. */
function stand(): { readonly doc: Y.Doc; readonly room: MutableRoomState } {
	const doc = new Y.Doc();
	Y.applyUpdate(doc, written(10, 'A-1'));
	Y.applyUpdate(doc, written(20, 'B-1'));
	return { doc, room: roomOf(doc) };
}

describe('items that an honest device sends', () => {
	it('[RELAY-3] are placed under their keys; what the room has is not placed again', () => {
		const { doc, room } = stand();
		doc.clientID = 30;
		doc.getMap('f').set('A-2', 'text');
		const placed = placeItems(room, parse(Y.encodeStateAsUpdate(doc)), A);
		if (!placed.ok) throw new Error(placed.error.kind);
		expect(placed.value.added.map(({ key, item }) => [key, item.client])).toEqual([['A-2', 30]]);
		// Only looked at: the room is as it was.
		expect(room.clockOf(30)).toBe(0);
	});

	it('[RELAY-3] may be twins under a new client, with the deletions that follow from them', () => {
		for (const client of [5, 15]) {
			const { doc, room } = stand();
			Y.applyUpdate(doc, written(client, 'A-1'));
			const placed = placeItems(room, parse(Y.encodeStateAsUpdate(doc)), A);
			if (!placed.ok) throw new Error(placed.error.kind);
			expect(placed.value.added.map(({ key }) => key)).toEqual(['A-1']);
			// The smaller client loses; Yjs throws its text away, and sends it so.
			expect(placed.value.added.map(({ item }) => item.text)).toEqual([
				client === 5 ? undefined : 'text'
			]);
			for (const each of placed.value.added) room.add(each);
			// From now on every full state tells of the deletion, whoever sends it.
			doc.clientID = 40;
			doc.getMap('f').set('B-2', 'text');
			expect(placeItems(room, parse(Y.encodeStateAsUpdate(doc)), B).ok).toBe(true);
		}
	});
});

describe('twins', () => {
	it('[RELAY-81] however many they are, their deletions cost no more', () => {
		const room = createRoomState();
		const twins = Array.from({ length: 20_000 }, (_none, at) => 1e9 + at);
		for (const client of twins) {
			const item = { client, clock: 0, key: 'B-1', origin: undefined, text: 'text' };
			room.add({ key: 'B-1', item: { ...item, bytes: new Uint8Array() } });
		}
		const deletions = twins.slice(0, -1).map((client) => ({ client, clock: 0, length: 1 }));
		const startedAt = performance.now();
		expect(placeItems(room, { items: [], deletions }, B).ok).toBe(true);
		// With a list of them for each it was half a minute.
		expect(performance.now() - startedAt).toBeLessThan(5_000);
		// The last of them is what is shown.
		const all = twins.map((client) => ({ client, clock: 0, length: 1 }));
		expect(placeItems(room, { items: [], deletions: all }, B)).toEqual(forgery('B-1'));
	});
});

describe('forgery', () => {
	it('[RELAY-3] is a key of another device, or no fact id', () => {
		const { room } = stand();
		for (const key of ['B-2', '0.1-1', 'A-0', 'anything', '']) {
			expect(placeItems(room, parse(written(30, key)), A)).toEqual(forgery(key));
		}
	});

	it('[RELAY-3] is a client id that another device uses', () => {
		const { doc, room } = stand();
		doc.clientID = 20;
		doc.getMap('f').set('A-2', 'text');
		expect(placeItems(room, parse(Y.encodeStateAsUpdate(doc)), A)).toEqual(forgery('A-2'));
	});

	it("[RELAY-3] is writing over or deleting another's fact, or one's own", () => {
		for (const [key, act] of [
			['B-1', 'set'],
			['B-1', 'delete'],
			['A-1', 'delete']
		] as const) {
			const { doc, room } = stand();
			doc.clientID = 30;
			const map = doc.getMap('f');
			if (act === 'set') map.set(key, 'mine');
			else map.delete(key);
			expect(placeItems(room, parse(Y.encodeStateAsUpdate(doc)), A)).toEqual(forgery(key));
		}
	});

	it('[RELAY-3] is an item without a text that could win over its twin', () => {
		const { doc, room } = stand();
		doc.clientID = 30;
		doc.getMap('f').set('A-2', 'text');
		doc.getMap('f').delete('A-2');
		const update = Y.encodeStateAsUpdate(doc);
		// Without the deletions, so that only the item itself can give it away.
		const { items } = parse(update);
		expect(placeItems(room, { items, deletions: [] }, A)).toEqual(forgery('A-2'));
	});
});

describe('a gap', () => {
	it('[RELAY-4] is a clock above what the room has, or an origin that it lacks', () => {
		const { doc, room } = stand();
		doc.clientID = 30;
		doc.getMap('f').set('A-2', 'text');
		const before = Y.encodeStateVector(doc);
		doc.getMap('f').set('A-3', 'text');
		const late = parse(Y.encodeStateAsUpdate(doc, before));
		expect(placeItems(room, late, A)).toEqual(GAP);
		expect(placeItems(room, parse(Y.encodeStateAsUpdate(doc)), A).ok).toBe(true);

		const over = new Y.Doc();
		Y.applyUpdate(over, Y.encodeStateAsUpdate(doc));
		over.clientID = 50;
		over.getMap('f').set('A-3', 'text');
		const origin = parse(Y.encodeStateAsUpdate(over, Y.encodeStateVector(doc)));
		expect(placeItems(room, { ...origin, deletions: [] }, A)).toEqual(GAP);
	});
});

const GAP = { ok: false, error: { kind: 'gap' } };

function forgery(...keys: readonly string[]): object {
	return { ok: false, error: { kind: 'forgery', keys } };
}

function written(client: number, key: string): Uint8Array {
	const doc = new Y.Doc();
	doc.clientID = client;
	doc.getMap('f').set(key, 'text');
	return Y.encodeStateAsUpdate(doc);
}

function parse(update: Uint8Array): ParsedUpdate {
	const parsed = parseUpdate(update);
	if (!parsed.ok) throw new Error(parsed.error);
	return parsed.value;
}

function roomOf(doc: Y.Doc): MutableRoomState {
	const room = createRoomState();
	for (const item of parse(Y.encodeStateAsUpdate(doc)).items)
		room.add({ item, key: item.key ?? '' });
	return room;
}
