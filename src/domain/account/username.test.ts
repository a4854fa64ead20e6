import { describe, expect, it } from 'vitest';
import { err, ok } from '#domain/result.ts';
import { parseUsername } from './username.ts';

describe('parseUsername', () => {
	it.each(['abc', 'a.b_c-9', `a${'1'.repeat(31)}`])('[ACCOUNT-1] takes %s', (typed) => {
		expect(parseUsername(typed)).toEqual(ok(typed));
	});

	it.each([
		'',
		'ab',
		`a${'1'.repeat(32)}`,
		'1abc',
		'.abc',
		'a b c',
		'amína',
		'أمينة',
		'abc\0',
		'abc\n\nd',
		// The sign of kelvin, which becomes a k in lower case.
		'\u212aamau'
	])('[ACCOUNT-1] refuses %j', (typed) => {
		expect(parseUsername(typed)).toEqual(err('usernameInvalid'));
	});

	it('[ACCOUNT-1] lowers upper case and forgives spaces around', () => {
		expect(parseUsername(' Amina ')).toEqual(ok('amina'));
	});

	it.each(['admin', 'Daftar', 'support'])('[ACCOUNT-2] reserves %s', (typed) => {
		expect(parseUsername(typed)).toEqual(err('usernameReserved'));
	});
});
