import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { err, ok } from '../result.ts';
import {
	checkHashedJson,
	encodeHashedJson,
	hashableText,
	parseHashedJson,
	type HashedJsonRefusal
} from './hashed-json.ts';

const { value: hashed } = fc.letrec((tie) => ({
	value: fc.oneof(
		{ maxDepth: 4 },
		fc.boolean(),
		fc.maxSafeInteger().map((whole) => whole + 0),
		fc.string({ unit: 'grapheme', maxLength: 8 }).map(hashableText),
		fc.array(tie('value'), { maxLength: 3 }),
		fc.dictionary(fc.stringMatching(/^[a-z][a-zA-Z0-9]{0,15}$/), tie('value'), { maxKeys: 3 })
	)
}));

it('[CP-2] reads what it wrote, and writes one text whatever the order of the keys', () => {
	fc.assert(
		fc.property(hashed, hashed, (a, b) => {
			const json = encodeHashedJson({ b, a });
			expect(json).toBe(encodeHashedJson({ a, b }));
			expect(parseHashedJson(json)).toEqual(ok({ json, value: { a, b } }));
		})
	);
});

it('[CP-2] sorts keys by their bytes at every depth', () => {
	const json = encodeHashedJson({ b: 1, aB: [{ z: true, a: '"\n' }], a: {}, ab: [] });
	expect(json).toBe('{"a":{},"aB":[{"a":"\\"\\n","z":true}],"ab":[],"b":1}');
});

describe('[CP-2] refuses', () => {
	it.each<readonly [string, HashedJsonRefusal]>([
		['{"b":1,"a":1}', 'notCanonical'],
		['{"a":1,"a":1}', 'notCanonical'],
		['{ "a":1}', 'notCanonical'],
		['{"a":1}\n', 'notCanonical'],
		['{"a":1e3}', 'notCanonical'],
		['{"a":-0}', 'notCanonical'],
		['{"a":1.0}', 'notCanonical'],
		['{"a":"\\u0041"}', 'notCanonical'],
		['{"a":"\\/"}', 'notCanonical'],
		['', 'notJson'],
		['{"a":1', 'notJson'],
		["{'a':1}", 'notJson'],
		['[]', 'notAnObject'],
		['null', 'notAnObject'],
		['"a"', 'notAnObject'],
		['1', 'notAnObject'],
		['{"a":null}', 'wrongValue'],
		['{"a":1.5}', 'wrongNumber'],
		['{"a":9007199254740992}', 'wrongNumber'],
		['{"a":-9007199254740992}', 'wrongNumber'],
		['{"a":1e999}', 'wrongNumber'],
		['{"":1}', 'wrongKey'],
		['{"A":1}', 'wrongKey'],
		['{"1":1}', 'wrongKey'],
		['{"__proto__":1}', 'wrongKey'],
		['{"a_b":1}', 'wrongKey'],
		['{"abcdefghijklmnopq":1}', 'wrongKey'],
		['{"a":"\\u0000"}', 'wrongText'],
		['{"a":"\\ud83d"}', 'wrongText'],
		['{"a":["\\ude00"]}', 'wrongText'],
		['{"a":"e\u0301"}', 'wrongText'],
		['{"a":[[[[[1]]]]]}', 'tooDeep'],
		[`{"a":"${'x'.repeat(4089)}"}`, 'tooLong'],
		[`{"a":"${'é'.repeat(2045)}"}`, 'tooLong'],
		[`{"a":"${'x'.repeat(5000)}"}`, 'tooLong']
	])('%s', (text, refusal) => {
		expect(parseHashedJson(text)).toEqual(err(refusal));
	});
});

it('[CP-2] accepts what stands at each limit', () => {
	const texts = [
		`{"a":"${'x'.repeat(4088)}"}`,
		`{"a":"${'é'.repeat(2044)}"}`,
		'{"a":[[[[1]]]]}',
		'{"a":9007199254740991,"b":-9007199254740991}',
		'{"abcdefghijklmnop":1}',
		'{"constructor":1,"toJSON":true,"toString":"é😀"}',
		'{}'
	];
	for (const text of texts) expect(parseHashedJson(text)).toMatchObject(ok({ json: text }));
});

it('[CP-2] a deep value from outside is refused, not followed', () => {
	const deep = JSON.parse(`{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`) as unknown;
	expect(checkHashedJson(deep)).toEqual(err('tooDeep'));
	expect(checkHashedJson({ a: undefined })).toEqual(err('wrongValue'));
	expect(() => encodeHashedJson({ a: null })).toThrow('not hashed JSON: wrongValue');
});

it('[CP-2] any text can be made one that hashed JSON holds', () => {
	expect(hashableText('e\u0301\0\ud83d')).toBe('é\ufffd');
	expect(hashableText('চাল 😀')).toBe('চাল 😀');
	fc.assert(
		fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (a, b) => {
			const text = hashableText(`${a}\ud800${b}\udc00\0`);
			expect(checkHashedJson({ text }).ok).toBe(true);
			expect(hashableText(text)).toBe(text);
		})
	);
});
