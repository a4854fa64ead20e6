import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import {
	gc,
	handUpdate,
	nestedMaps,
	nestedUnder,
	skip,
	textBehind,
	textUnder,
	type HandStruct
} from '#server/commands/fuzz/hand-update.ts';
import { FRAME_BYTES_MAX, FRAME_FACTS_MAX } from '#sync/limits.ts';
import { factIdsIn, readNames } from './update-names.ts';

describe('the names in a refused update', () => {
	it('[RELAY-50] are read whatever stands under, between and before them', () => {
		const doc = new Y.Doc();
		const contents = [
			new Y.Map([['a', 'b']]),
			new Y.Array(),
			new Y.Text('a'),
			new Y.XmlElement('a'),
			new Y.XmlText('a'),
			new Y.XmlHook('a'),
			new Y.XmlFragment(),
			new Y.Doc(),
			new Uint8Array(3),
			[1, -1, 2.5, 1e300, 10n, 'c', null, undefined, true, { d: [{}] }, new Uint8Array(2)],
			'text'
		];
		contents.forEach((content, at) => doc.getMap('f').set(`B-${String(at + 1)}`, content));
		expect(readNames(Y.encodeStateAsUpdate(doc))).toEqual(
			contents.map((_content, at) => `B-${String(at + 1)}`)
		);
		const structs = [
			gc(3),
			skip(2),
			...nestedMaps('B-1', 7, 4),
			nestedUnder('B-2', 60),
			textBehind([7, 0], 'x'),
			textUnder('B-3', 'x', 'another root'),
			textUnder('B-3', 'again')
		];
		expect(readNames(handUpdate([{ client: 7, clock: 0, structs }]))).toEqual([
			'B-1',
			'B-2',
			'B-3'
		]);
		const list = new Y.Doc();
		list.getArray('f').push(['no key']);
		list.getText('t').applyDelta([{ insert: 'bold', attributes: { b: true } }, { insert: {} }]);
		expect(readNames(Y.encodeStateAsUpdate(list))).toEqual([]);
	});

	it('[RELAY-50] are ids of facts, and no more than an update may hold', () => {
		expect(factIdsIn(['B-1', '', '__proto__', 'B-1', 'p1-2', 'B-0'])).toEqual(['B-1', 'p1-2']);
		const structs = Array.from({ length: FRAME_FACTS_MAX + 5 }, (_none, at) =>
			textUnder(`B-${String(at + 1)}`, '')
		);
		const update = handUpdate([
			{ client: 9, clock: 0, structs },
			{ client: 8, clock: 0, structs: [textUnder('B-99999', '')] }
		]);
		expect(readNames(update)).toHaveLength(FRAME_FACTS_MAX);
	});

	it('[RELAY-50] are not looked for behind what nests without end, nor beyond a frame', () => {
		const named = (...structs: readonly HandStruct[]): readonly string[] =>
			readNames(handUpdate([{ client: 7, clock: 0, structs }]));
		const [first, last] = [textUnder('B-1', 'x'), textUnder('B-9', 'x')];
		expect(named(first, nestedUnder('B-2', 60), last)).toEqual(['B-1', 'B-2', 'B-9']);
		expect(named(first, nestedUnder('B-2', 100), last)).toEqual(['B-1', 'B-2']);
		const most = 'x'.repeat(FRAME_BYTES_MAX - 100);
		expect(named(textUnder('B-1', most), last)).toEqual(['B-1', 'B-9']);
		expect(named(textUnder('B-1', `${most}${'x'.repeat(100)}`), last)).toEqual(['B-1']);
	});

	it('[RELAY-50] are read as far as it goes, of any bytes', () => {
		const doc = new Y.Doc();
		for (let n = 1; n <= 5; n += 1) doc.getMap('f').set(`B-${String(n)}`, 'text');
		const update = Y.encodeStateAsUpdate(doc);
		expect(readNames(update.subarray(0, update.byteLength - 12))).toHaveLength(4);
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
				readNames(bytes);
			})
		);
	});
});
