import * as encoding from 'lib0/encoding';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { err } from '#domain/result.ts';
import { FRAME_FACTS_MAX, PIECE_BYTES_MAX } from '#sync/limits.ts';
import { parseUpdate } from './update-parser.ts';
import { writePieces } from './update-writer.ts';

describe('an update', () => {
	it('[RELAY-1] is read as its items: client, clock, key, text', () => {
		const doc = new Y.Doc();
		doc.clientID = 7;
		doc.getMap('f').set('A-1', 'one');
		doc.getMap('f').set('A-2', 'two ✓');
		expect(read(Y.encodeStateAsUpdate(doc))).toEqual([
			{ client: 7, clock: 0, key: 'A-1', origin: undefined, text: 'one' },
			{ client: 7, clock: 1, key: 'A-2', origin: undefined, text: 'two ✓' }
		]);
		expect(parseUpdate(Uint8Array.of(0, 0))).toEqual({
			ok: true,
			value: { items: [], deletions: [] }
		});
	});

	it('[RELAY-1] shows what is written over and what was deleted', () => {
		const doc = new Y.Doc();
		doc.clientID = 7;
		doc.getMap('f').set('A-1', 'one');
		doc.getMap('f').set('A-1', 'other');
		const parsed = parseUpdate(Y.encodeStateAsUpdate(doc));
		if (!parsed.ok) throw new Error(parsed.error);
		expect(parsed.value.deletions).toEqual([{ client: 7, clock: 0, length: 1 }]);
		expect(parsed.value.items.map(({ key, origin, text }) => ({ key, origin, text }))).toEqual([
			{ key: 'A-1', origin: undefined, text: undefined },
			{ key: undefined, origin: { client: 7, clock: 0 }, text: 'other' }
		]);
	});

	const bad: Record<string, (doc: Y.Doc) => void> = {
		'another root': (doc) => doc.getMap('g').set('A-1', 'one'),
		'a list': (doc) => {
			doc.getArray('f').push(['one']);
		},
		'a text type': (doc) => {
			doc.getText('f').insert(0, 'one');
		},
		'a number': (doc) => doc.getMap('f').set('A-1', 1),
		'an object': (doc) => doc.getMap('f').set('A-1', { id: 'A-1' }),
		bytes: (doc) => doc.getMap('f').set('A-1', new Uint8Array(3)),
		'a nested type': (doc) => doc.getMap('f').set('A-1', new Y.Map([['a', 'b']])),
		'a subdocument': (doc) => doc.getMap('f').set('A-1', new Y.Doc()),
		'garbage-collected structs': (doc) => {
			doc.getMap('f').set('A-1', new Y.Map([['a', new Y.Map([['b', 'c']])]]));
			doc.getMap('f').delete('A-1');
		}
	};
	it.each(Object.entries(bad))('[RELAY-1] is refused when it holds %s', (_what, write) => {
		const doc = new Y.Doc();
		write(doc);
		expect(parseUpdate(Y.encodeStateAsUpdate(doc))).toEqual({ ok: false, error: 'malformed' });
	});

	it('[RELAY-1] is refused with a gap inside, bytes behind its end, or a client named twice', () => {
		const doc = new Y.Doc();
		const updates: Uint8Array[] = [];
		doc.on('update', (update: Uint8Array) => updates.push(update));
		for (const key of ['A-1', 'A-2', 'A-3']) doc.getMap('f').set(key, 'text');
		const [first = EMPTY, , third = EMPTY] = updates;
		// Merging over a hole writes a Skip.
		expect(parseUpdate(Y.mergeUpdates([first, third])).ok).toBe(false);
		expect(parseUpdate(Uint8Array.of(...first, 0)).ok).toBe(false);

		const structs = first.subarray(1, first.byteLength - 1);
		expect(parseUpdate(Uint8Array.of(1, ...structs, 0)).ok).toBe(true);
		expect(parseUpdate(Uint8Array.of(2, ...structs, ...structs, 0)).ok).toBe(false);
	});

	it('[RELAY-1] is refused with a number that does not count exactly', () => {
		const deletes2To56 = Buffer.from('00020b018080808080808080010105010001', 'hex');
		expect(parseUpdate(deletes2To56)).toEqual(err('malformed'));
		expect(() => {
			Y.applyUpdate(new Y.Doc(), deletes2To56);
		}).toThrow('Unexpected case');
	});

	it('[RELAY-1] is refused as too large by count, before it is read', () => {
		const encoder = encoding.createEncoder();
		for (const value of [1, FRAME_FACTS_MAX + 1, 7, 0]) encoding.writeVarUint(encoder, value);
		expect(parseUpdate(encoding.toUint8Array(encoder))).toEqual({ ok: false, error: 'tooLarge' });
	});

	it('[RELAY-1] never throws: any bytes, and good updates with a byte changed or cut', () => {
		const good = docOf(5);
		let refused = 0;
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
				parseUpdate(bytes);
			})
		);
		fc.assert(
			fc.property(fc.nat(good.byteLength - 1), fc.nat(255), (at, value) => {
				const changed = good.slice();
				changed[at] = value;
				if (!parseUpdate(changed).ok) refused += 1;
				if (!parseUpdate(good.subarray(0, at)).ok) refused += 1;
			})
		);
		expect(refused).toBeGreaterThan(0);
	});

	it('[RELAY-1] says the same as Yjs of whatever it lets through', () => {
		const good = docOf(5);
		let taken = 0;
		fc.assert(
			fc.property(fc.nat(good.byteLength - 1), fc.nat(255), (at, value) => {
				const changed = good.slice();
				changed[at] = value;
				const parsed = parseUpdate(changed);
				if (!parsed.ok) return;
				const { structs } = Y.decodeUpdate(changed);
				taken += 1;
				expect(parsed.value.items.map(({ client, clock }) => [client, clock])).toEqual(
					structs.map(({ id }) => [id.client, id.clock])
				);
			})
		);
		expect(taken).toBeGreaterThan(0);
	});
});

describe('pieces', () => {
	it('[RELAY-2] hold all items, are small, and make the same document', () => {
		const update = docOf(2_000);
		const parsed = parseUpdate(update);
		if (!parsed.ok) throw new Error(parsed.error);
		const pieces = writePieces(parsed.value.items);
		expect(pieces.length).toBeGreaterThan(1);
		expect(Math.max(...pieces.map(({ byteLength }) => byteLength))).toBeLessThanOrEqual(
			PIECE_BYTES_MAX
		);
		const doc = new Y.Doc();
		for (const piece of pieces) Y.applyUpdate(doc, piece);
		expect(Y.encodeStateAsUpdate(doc)).toEqual(update);
	});

	it('[RELAY-2] hold one item where that is larger, several clients where they fit', () => {
		const doc = new Y.Doc();
		doc.getMap('f').set('A-1', 'x'.repeat(40_000));
		doc.getMap('f').set('A-2', 'y');
		Y.applyUpdate(doc, docOf(2));
		const parsed = parseUpdate(Y.encodeStateAsUpdate(doc));
		if (!parsed.ok) throw new Error(parsed.error);
		const copy = new Y.Doc();
		for (const piece of writePieces(parsed.value.items)) Y.applyUpdate(copy, piece);
		expect(copy.getMap('f').toJSON()).toEqual(doc.getMap('f').toJSON());
		expect(writePieces([])).toEqual([]);
	});
});

const EMPTY = new Uint8Array();

function read(update: Uint8Array): readonly object[] {
	const parsed = parseUpdate(update);
	if (!parsed.ok) throw new Error(parsed.error);
	return parsed.value.items.map(({ client, clock, key, origin, text }) => ({
		client,
		clock,
		key,
		origin,
		text
	}));
}

function docOf(facts: number): Uint8Array {
	const doc = new Y.Doc();
	doc.clientID = 2 ** 40 + 3;
	for (let n = 1; n <= facts; n += 1) {
		doc.getMap('f').set(`A-${String(n)}`, `["A-${String(n)}","a text of some length"]`);
	}
	return Y.encodeStateAsUpdate(doc);
}
