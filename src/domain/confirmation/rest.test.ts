import { describe, expect, it } from 'vitest';
import { crypto, draft, h, hashOf, hex, vectors } from '#tests/support/confirmation-vectors.ts';
import { utf8 } from '../bytes.ts';
import { err, ok } from '../result.ts';
import { encodeHashedJson, hashableText } from './hashed-json.ts';
import { withItems } from './rest-items.ts';
import {
	encodeRest,
	parseRest,
	restHash,
	restText,
	type RecordRest,
	type RestItem
} from './rest.ts';

const { br, d, n, u, on } = draft.rest;
const bare: RecordRest = { br, d, n, u, on };
const hashes = Array.from({ length: 21 }, (_, index) =>
	hashOf(hex(Uint8Array.of(index)).repeat(32))
);

/** As many shares as are asked for. */
function shares(count: number): NonNullable<RecordRest['for']> {
	return hashes.slice(0, count).map((hash) => [hash, 10 ** 13] as const);
}

function lines(count: number, name = 'Rice'): readonly RestItem[] {
	return Array.from({ length: count }, (_, index) => [name, 1000, index] as const);
}

/** What a peer might send: the example's five keys and these. */
function withKeys(keys: Readonly<Record<string, unknown>>): string {
	return encodeHashedJson({ ...bare, ...keys });
}

describe('[CP-6] accepts', () => {
	it.each<readonly [string, Readonly<Record<string, unknown>>]>([
		['no more than the five', {}],
		['n at its least', { n: 1 }],
		['a leap day', { on: '2028-02-29' }],
		['a leap day of a century', { on: '2000-02-29' }],
		['a receipt of 32 characters', { rc: 'x'.repeat(32) }],
		['a record it names', { ref: h, sale: h }],
		['a due date', { due: 0 }],
		['50 items', { items: lines(50) }],
		['a name of 40 characters', { items: lines(1, '😀'.repeat(40)) }],
		['50 items and the rest', { items: [...lines(50), ['…', 655, 0]] }],
		['a nameless item that came back', { items: [['', -1000, 0]] }],
		['another currency', { paid: ['USD', 2, 100, 11950, 100] }],
		['500 records of a statement', { list: [500, h] }],
		['20 shares', { for: shares(20) }],
		['a note of 280 characters', { note: '😀'.repeat(280) }],
		['who took it', { by: 'x'.repeat(80) }]
	])('%s', (_, keys) => {
		const text = withKeys(keys);
		expect(parseRest(text)).toEqual(ok({ ...bare, ...keys }));
		expect(encodeRest({ ...bare, ...keys })).toBe(text);
	});
});

describe('[CP-6] refuses the value of', () => {
	it.each<readonly [string, unknown]>([
		['br', 'b1'],
		['br', 7],
		['d', 'a'],
		['d', 'ABCD'],
		['d', '0.1'],
		['n', 0],
		['n', '1'],
		['u', vectors.inputs.recordId],
		['on', '2027-02-29'],
		['on', '1900-02-29'],
		['on', '2026-13-01'],
		['on', '2026-00-10'],
		['on', '2026-04-31'],
		['on', '2026-04-00'],
		['on', '2026-4-1'],
		['on', 20260401],
		['rc', ''],
		['rc', 'x'.repeat(33)],
		['ref', 'XLVL'],
		['due', -1],
		['due', 8_640_000_000_000_001],
		['items', []],
		['items', 'Rice'],
		['items', [['Rice', 1000]]],
		['items', ['Rice']],
		['items', [['x'.repeat(41), 1000, 1]]],
		['items', [[7, 1000, 1]]],
		['items', [['Rice', '1', 1]]],
		['items', [['Rice', 1000, -1]]],
		['items', [['Rice', 1000, 10 ** 13 + 1]]],
		['items', [['Rice', 1000, '1']]],
		['items', lines(51)],
		['items', [...lines(50), ['…', 0, 0]]],
		['items', [...lines(50), ['…', 1, 1]]],
		['items', [...lines(51), ['…', 1, 0]]],
		['sale', 'short'],
		['by', ''],
		['by', 'x'.repeat(81)],
		['paid', ['USD', 2, 100, 1]],
		['paid', ['usd', 2, 100, 1, 1]],
		['paid', ['USD', 5, 100, 1, 1]],
		['paid', ['USD', 2, 0, 1, 1]],
		['paid', ['USD', 2, 1, 1, 10 ** 13 + 1]],
		['paid', true],
		['list', [0, h]],
		['list', [501, h]],
		['list', [1]],
		['list', [1, 'short']],
		['list', ['1', h]],
		['list', h],
		['for', []],
		['for', shares(21)],
		['for', [[h, 0]]],
		['for', [['short', 1]]],
		['for', [[h]]],
		[
			'for',
			[
				[h, 1],
				[h, 2]
			]
		],
		['for', h],
		['note', ''],
		['note', 'x'.repeat(281)],
		['note', ['a']]
	])('%s (%#)', (key, value) => {
		expect(parseRest(withKeys({ [key]: value }))).toEqual(err({ kind: 'wrongValue', key }));
	});
});

it('[CP-6] refuses a missing or unknown key, other JSON, and asserts the same of our own', () => {
	expect(parseRest('{"br":"x"}')).toEqual(err({ kind: 'missingKey', key: 'd' }));
	expect(parseRest(withKeys({ zz: 1 }))).toEqual(err({ kind: 'unknownKey', key: 'zz' }));
	expect(parseRest(withKeys({ toString: 1 }))).toEqual(
		err({ kind: 'unknownKey', key: 'toString' })
	);
	expect(parseRest('[]')).toEqual(err({ kind: 'notAnObject' }));
	expect(parseRest(` ${vectors.rest}`)).toEqual(err({ kind: 'notCanonical' }));
	expect(() => encodeRest({ ...bare, note: '' })).toThrow('"key":"note"');
	expect(() => encodeRest({ ...bare, note: '\0' })).toThrow('wrongText');
});

it('[CP-6] takes a rest that stands in other JSON only with its keys in order', () => {
	expect(restText(JSON.parse(vectors.rest))).toEqual(ok(vectors.rest));
	expect(restText({ br, d, n, on, u })).toEqual(ok(encodeRest(bare)));
	expect(restText({ u, br, d, n, on })).toEqual(err({ kind: 'notCanonical' }));
	expect(restText(vectors.rest)).toEqual(err({ kind: 'notAnObject' }));
});

it('[CP-6] hashes the text under its own tag', async () => {
	expect(hex(await restHash(vectors.rest, crypto))).toBe(vectors.restHash);
});

describe('items', () => {
	/** How long a rest can be with all that people write at its longest. */
	const longest: RecordRest = {
		...bare,
		n: Number.MAX_SAFE_INTEGER,
		rc: '\u0001'.repeat(32),
		ref: h,
		due: 8_640_000_000_000_000,
		sale: h,
		by: '\u0001'.repeat(80),
		paid: ['USD', 2, 10 ** 13, 10 ** 13, 10 ** 13],
		for: shares(20),
		note: '\u0001'.repeat(280)
	};

	it('[CP-7] cuts a name to 40 characters, never through one, and makes it hashable', () => {
		const named = withItems(bare, [
			['😀'.repeat(41), 1000, 5],
			['e\u0301\0\ud83d', 2000, 6]
		]);
		expect(named.items).toEqual([
			['😀'.repeat(40), 1000, 5],
			['é\ufffd', 2000, 6]
		]);
		expect(parseRest(encodeRest(named))).toEqual(ok(named));
	});

	it('[CP-7] lists 50 lines, then says how many more', () => {
		expect(withItems(bare, lines(50)).items).toEqual(lines(50));
		expect(withItems(bare, lines(51)).items).toEqual([...lines(50), ['…', 1, 0]]);
		expect(withItems(bare, lines(705)).items).toEqual([...lines(50), ['…', 655, 0]]);
		expect(withItems(bare, [])).toEqual(bare);
	});

	it('[CP-7] lists as many as keep the rest within 4,096 bytes, and no fewer', () => {
		const wide = lines(705, hashableText('চাল'.repeat(13)));
		for (let note = 1; note <= 280; note += 1) {
			const rest = withItems({ ...bare, note: 'x'.repeat(note) }, wide);
			const listed = (rest.items?.length ?? 0) - 1;
			expect(utf8(encodeRest(rest)).length).toBeLessThanOrEqual(4096);
			expect(rest.items?.at(-1)).toEqual(['…', 705 - listed, 0]);
			const more = [...wide.slice(0, listed + 1), ['…', 704 - listed, 0]] as readonly RestItem[];
			expect(() => encodeHashedJson({ ...rest, items: more })).toThrow('tooLong');
		}
	});

	it('[CP-7] leaves room for one entry beside the longest that people write', () => {
		const rest = withItems(longest, lines(705));
		expect(rest.items?.at(-1)?.[0]).toBe('…');
		expect(parseRest(encodeRest(rest))).toEqual(ok(rest));
		expect(encodeRest({ ...longest, list: [500, h] })).toBeDefined();
	});
});
