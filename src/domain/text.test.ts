import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanName, codeKey, searchKey, TEXT_UNITS_MAX } from './text.ts';

describe('cleanName', () => {
	it.each([
		['  Amina\t \n Hassan ', 'Amina Hassan'],
		['Jose\u0301', 'José'],
		['a\u0000b\u0007', 'ab'],
		['tea \ud83d', 'tea'],
		['\ude00 tea', 'tea'],
		['tea 😀', 'tea 😀'],
		['\u202egnp.exe\u202c', 'gnp.exe'],
		['\u2067أمينة\u2069', 'أمينة'],
		['می\u200cخواهم', 'می\u200cخواهم'],
		['👩\u200d🍳', '👩\u200d🍳']
	])('[TEXT-1] cleans %j', (text, clean) => {
		expect(cleanName(text, 40)).toEqual({ ok: true, value: clean });
	});

	it.each(['', ' \n', '\u0000', '\ud83d', '\u200b\u202e', '\u200d', '\u0301', '\ufeff'])(
		'[TEXT-2] refuses %j, in which there is nothing to see',
		(text) => {
			expect(cleanName(text, 40)).toEqual({ ok: false, error: 'empty' });
		}
	);

	it('[TEXT-2] counts code points, and takes the limit itself', () => {
		expect(cleanName('😀'.repeat(40), 40)).toMatchObject({ ok: true });
		expect(cleanName('😀'.repeat(41), 40)).toEqual({ ok: false, error: 'tooLong' });
		expect(cleanName(' '.repeat(TEXT_UNITS_MAX + 1), 40)).toEqual({ ok: false, error: 'tooLong' });
	});

	it('[TEXT-1] leaves what is clean as it is, and nothing that JSON could not carry', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.nat(5), (text, at) => {
				const clean = cleanName(`${text.slice(0, at)}\ud83d${text.slice(at)}x`, 100);
				if (!clean.ok) throw new Error(clean.error);
				expect(clean.value.isWellFormed()).toBe(true);
				expect(clean.value).not.toContain('\u0000');
				expect(cleanName(clean.value, 100)).toEqual(clean);
			})
		);
	});
});

describe('searchKey', () => {
	it.each([
		['  ÉCLAIR ', 'eclair'],
		['Straße', 'STRASSE'],
		['İstanbul', 'istanbul'],
		['أحمَد', 'احمد'],
		['علي', 'علی'],
		['كريم', 'کریم'],
		['فاطمة', 'فاطمه'],
		['٨٥١٢٣A', '85123a'],
		['ＡＢＣ', 'abc'],
		['ΟΔΟΣ', 'οδοσ'],
		['a  b', 'A B']
	])('[TEXT-3] finds %j by %j', (stored, typed) => {
		expect(searchKey(stored)).toBe(searchKey(typed));
	});

	it('[TEXT-3] keeps the vowels of Hindi apart', () => {
		expect(searchKey('कि')).not.toBe(searchKey('का'));
	});
});

it('[TEXT-4] holds codes equal after trimming and ignoring case, but not their accents', () => {
	expect(codeKey(' 85123a\n')).toBe(codeKey('85123A'));
	expect(codeKey('٨٥')).toBe('85');
	expect(codeKey('é')).not.toBe(codeKey('e'));
});
