import { describe, expect, it } from 'vitest';
import { err, ok } from '../result.ts';
import { parseFactor, parseOneTimeCode } from './one-time-code.ts';

describe('parseOneTimeCode', () => {
	it.each([
		'482177',
		' 482 177 ',
		'482-177',
		'482\u2011177',
		'٤٨٢١٧٧',
		'۴۸۲۱۷۷',
		'\u200e482177\u200f',
		'482.177\n'
	])('[ACCOUNT-7] reads %j', (typed) => {
		expect(parseOneTimeCode(typed)).toEqual(ok('482177'));
	});

	it.each([
		['', 'codeEmpty'],
		[' - ', 'codeEmpty'],
		['48217', 'codeTooShort'],
		['4821771', 'codeTooLong'],
		['9'.repeat(10_000), 'codeTooLong'],
		['48217a', 'codeNotDigits'],
		['482177\0', 'codeNotDigits'],
		['½½½½½½', 'codeNotDigits']
	] as const)('[ACCOUNT-7] refuses %j as %s', (typed, refusal) => {
		expect(parseOneTimeCode(typed)).toEqual(err(refusal));
	});
});

describe('parseFactor', () => {
	it('[ACCOUNT-8] reads a code of six digits or a recovery code', () => {
		expect(parseFactor('482 177')).toEqual(ok({ kind: 'totp', code: '482177' }));
		const recovery = ok({ kind: 'recovery', code: '0123456789' });
		expect(parseFactor('01234-56789')).toEqual(recovery);
		expect(parseFactor('OI234 56789')).toEqual(recovery);
		expect(parseFactor('oL23456789')).toEqual(recovery);
		expect(parseFactor('abcde-fghjk')).toEqual(ok({ kind: 'recovery', code: 'abcdefghjk' }));
	});

	it.each([
		['abcde-fghju', 'codeNotDigits'],
		['abcde-fghj', 'codeNotDigits'],
		['', 'codeEmpty']
	] as const)('[ACCOUNT-8] refuses %j as %s', (typed, refusal) => {
		expect(parseFactor(typed)).toEqual(err(refusal));
	});
});
