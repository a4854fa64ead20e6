import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { cutUpdate } from './cut-update.ts';
import { PIECE_BYTES_MAX } from './limits.ts';

const HEADER_BYTES = 64;

function documentOf(client: number, texts: Readonly<Record<string, string>>): Y.Doc {
	const doc = new Y.Doc();
	doc.clientID = client;
	for (const [key, text] of Object.entries(texts)) doc.getMap('f').set(key, text);
	return doc;
}

function textsOf(doc: Y.Doc): Readonly<Record<string, unknown>> {
	return doc.getMap('f').toJSON();
}

describe('cutting an update', () => {
	it('[SYNC-7] leaves one of up to 32 kB as it is, and names its last key', () => {
		const update = Y.encodeStateAsUpdate(documentOf(7, { 'A-1': 'x', 'A-2': 'y' }));
		expect(cutUpdate(update)).toEqual([{ bytes: update, lastKey: 'A-2' }]);
		expect(cutUpdate(Uint8Array.of(0, 0))).toEqual([
			{ bytes: Uint8Array.of(0, 0), lastKey: undefined }
		]);
	});

	it('[SYNC-7] pieces are at most 32 kB, stand alone in their order, and come to the whole', () => {
		const sizes = fc.array(fc.integer({ min: 0, max: 9_000 }), { minLength: 12, maxLength: 60 });
		fc.assert(
			fc.property(sizes, fc.integer({ min: 1, max: 59 }), (lengths, turn) => {
				// Of two clients, the second of which goes on where the first ended.
				const texts = lengths.map(
					(length, at) => [`A-${String(at + 1)}`, 'ب'.repeat(length)] as const
				);
				const first = documentOf(2 ** 40, Object.fromEntries(texts.slice(0, turn)));
				const doc = new Y.Doc();
				doc.clientID = 77;
				Y.applyUpdate(doc, Y.encodeStateAsUpdate(first));
				for (const [key, text] of texts.slice(turn)) doc.getMap('f').set(key, text);

				const pieces = cutUpdate(Y.encodeStateAsUpdate(doc));
				const other = new Y.Doc();
				for (const { bytes, lastKey } of pieces) {
					expect(bytes.byteLength).toBeLessThanOrEqual(PIECE_BYTES_MAX);
					Y.applyUpdate(other, bytes);
					// Nothing of it waits for what comes later.
					expect(Y.encodeStateAsUpdate(other)).toEqual(
						Y.mergeUpdates([Y.encodeStateAsUpdate(other)])
					);
					expect(other.getMap('f').has(lastKey ?? '')).toBe(true);
				}
				expect(textsOf(other)).toEqual(textsOf(doc));
				expect(Y.encodeStateVector(other)).toEqual(Y.encodeStateVector(doc));
			}),
			{ numRuns: 25 }
		);
	});

	it('[SYNC-7] a fact larger than a piece goes alone', () => {
		const large = 'z'.repeat(60_000);
		const doc = documentOf(7, { 'A-1': 'x', 'A-2': large, 'A-3': 'y' });
		const pieces = cutUpdate(Y.encodeStateAsUpdate(doc));
		expect(pieces.map(({ lastKey }) => lastKey)).toEqual(['A-1', 'A-2', 'A-3']);
		expect(pieces[1]?.bytes.byteLength).toBeLessThan(large.length + HEADER_BYTES);
	});

	it('[SYNC-7] deletions among twins go with the last piece', () => {
		const long = 'l'.repeat(20_000);
		const doc = documentOf(5, { 'A-1': long, 'A-2': long, 'A-3': long });
		// The same fact under a fresh client: one of the two is deleted by Yjs.
		Y.applyUpdate(doc, Y.encodeStateAsUpdate(documentOf(9, { 'A-1': long, 'A-2': long })));
		const update = Y.encodeStateAsUpdate(doc);
		const pieces = cutUpdate(update);
		const deletions = pieces.map(({ bytes }) => Y.decodeUpdate(bytes).ds.clients.size);
		expect(pieces.length).toBeGreaterThan(2);
		expect(deletions).toEqual([...pieces.slice(1).map(() => 0), 1]);
		const last = Y.decodeUpdate(pieces.at(-1)?.bytes ?? update);
		expect(last.ds).toEqual(Y.decodeUpdate(update).ds);

		const other = new Y.Doc();
		for (const { bytes } of pieces) Y.applyUpdate(other, bytes);
		expect(Y.encodeStateAsUpdate(other)).toEqual(update);
		expect(textsOf(other)).toEqual(textsOf(doc));
	});

	it('[SYNC-7] many deletions and nothing else are a piece of their own', () => {
		const doc = new Y.Doc();
		const map = doc.getMap('f');
		doc.transact(() => {
			for (let at = 0; at < 24_000; at += 1) map.set(String(at), '');
			for (let at = 0; at < 24_000; at += 2) map.delete(String(at));
		});
		const update = Y.encodeStateAsUpdate(doc, Y.encodeStateVector(doc));
		expect(update.byteLength).toBeGreaterThan(PIECE_BYTES_MAX);
		expect(cutUpdate(update)).toEqual([{ bytes: update, lastKey: undefined }]);
	});

	it('[SYNC-8] a piece is known by the last key that is looked for in it, or by none', () => {
		const isOwn = (key: string): boolean => key.startsWith('A-');
		for (const text of ['x', 'l'.repeat(12_000)]) {
			const keys = ['A-1', 'A-2', 'B-1', 'B-2', 'B-3', 'B-4'];
			const doc = documentOf(7, Object.fromEntries(keys.map((key) => [key, text])));
			const pieces = cutUpdate(Y.encodeStateAsUpdate(doc), isOwn);
			expect(pieces.map(({ lastKey }) => lastKey)).toEqual(
				text === 'x' ? ['A-2'] : ['A-2', undefined, undefined]
			);
		}
	});

	it('[SYNC-7] throws on what is no update', () => {
		expect(() => cutUpdate(Uint8Array.of(3, 9))).toThrow();
	});
});
