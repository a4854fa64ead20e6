import { assert, describe, expect, it } from 'vitest';
import { err, ok } from '#domain/result.ts';
import { parsePassword } from './password.ts';
import { parseUsername } from './username.ts';

const parsed = parseUsername('amina.o1');
assert(parsed.ok);
const username = parsed.value;

describe('parsePassword', () => {
	it.each([
		['1234567', 'passwordTooShort'],
		// Seven characters, fourteen units.
		['🔑'.repeat(7), 'passwordTooShort'],
		['x'.repeat(257), 'passwordTooLong'],
		['amina.o1', 'passwordIsUsername'],
		['Amina.O1', 'passwordIsUsername']
	] as const)('[ACCOUNT-3] refuses %j as %s', (typed, refusal) => {
		expect(parsePassword(typed, username)).toEqual(err(refusal));
	});

	it.each(['12345678', '🔑'.repeat(8), 'x'.repeat(256), '🔑'.repeat(256), ' amina.o1'])(
		'[ACCOUNT-3] takes %j',
		(typed) => {
			expect(parsePassword(typed, username)).toEqual(ok(typed));
		}
	);

	it('[ACCOUNT-4] is the same for one letter and for its parts', () => {
		const whole = parsePassword('caf\u00e9 caf\u00e9', username);
		expect(parsePassword('cafe\u0301 cafe\u0301', username)).toEqual(whole);
	});
});
