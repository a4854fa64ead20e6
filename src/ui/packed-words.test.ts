import { parse } from '@formatjs/icu-messageformat-parser';
import { expect, it } from 'vitest';
import arabic from './messages/ar.json' with { type: 'json' };
import english from './messages/en.json' with { type: 'json' };
import { packMessage, packWords } from '../../vite.words.ts';
import { unpackMessage, wordNamed, type PackedWords } from './packed-words.ts';

it.each([
	['English', english],
	['Arabic', arabic]
])('[WORDS-5] every sentence in %s is the same after it was packed', (_language, messages) => {
	const parsed = Object.values(messages)
		.filter((text) => text.includes('{'))
		.map((text) => parse(text));
	expect(parsed.length).toBeGreaterThan(200);
	for (const one of parsed) {
		const packed: unknown = JSON.parse(JSON.stringify(packMessage(one)));
		expect(unpackMessage(packed as ReturnType<typeof packMessage>)).toEqual(one);
	}
});

it('[WORDS-5] every sentence is found by its name, also where that begins others', () => {
	const words = { 'a.b': 'one', 'a.b.c': 'two', d: '{n} three', 'd.e': 'four' };
	const packed = JSON.parse(packWords(JSON.stringify(words))) as PackedWords;
	const found = ['a.b', 'a.b.c', 'd', 'd.e'].map((name) => wordNamed(name, packed));
	expect(found).toEqual(['one', 'two', [['n'], ' three'], 'four']);
	const none = ['a', 'a.b.c.d', 'd.e.length', ''].map((name) => wordNamed(name, packed));
	expect(none).toEqual(none.map(() => undefined));
});

it.each(['{day, date, short}', '{n, selectordinal, other {#th}}', '{n, number, percent}'])(
	'[WORDS-5] what no sentence has is not packed: %s',
	(text) => {
		expect(() => packMessage(parse(text))).toThrow('no sentence has this');
	}
);
