import { describe, expect, it } from 'vitest';
import {
	codeDigits,
	codeGroups,
	PAPER_CODE_DIGITS,
	SMS_CODE_DIGITS,
	withCode
} from './code-entry.ts';

describe('a code as it is typed', () => {
	it.each([
		['48217730', '48217730'],
		['4821 7730', '48217730'],
		[' 4821-7730\n', '48217730'],
		['٤٨٢١ ٧٧٣٠', '48217730'],
		['۴۸۲۱۷۷۳۰', '48217730'],
		['\u200f482177', '482177']
	])('[CODE-1] reads %j in every script and grouping', (typed, digits) => {
		expect(codeDigits(typed)).toBe(digits);
	});

	it.each(['', ' ', '4821 773O', '48.217,730x', 'code'])(
		'[CODE-1] takes no code in %j',
		(typed) => {
			expect(codeDigits(typed)).toBeUndefined();
		}
	);

	it('[CODE-2] adds a digit, and stops at the length', () => {
		expect(withCode('48', '2', PAPER_CODE_DIGITS)).toBe('482');
		expect(withCode('48217730', '1', PAPER_CODE_DIGITS)).toBe('48217730');
		expect(withCode('48', 'x', PAPER_CODE_DIGITS)).toBe('48');
	});

	it('[CODE-2] puts a pasted code in the place of what stood there', () => {
		expect(withCode('99', '4821 7730', PAPER_CODE_DIGITS)).toBe('48217730');
		expect(withCode('99', '4821 77301', PAPER_CODE_DIGITS)).toBe('99');
	});

	it('[CODE-3] groups as it is read aloud', () => {
		expect(codeGroups('48217', PAPER_CODE_DIGITS)).toEqual([
			['4', '8', '2', '1'],
			['7', '', '', '']
		]);
		expect(codeGroups('482', SMS_CODE_DIGITS)).toEqual([
			['4', '8', '2'],
			['', '', '']
		]);
	});
});
