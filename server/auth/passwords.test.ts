import { hash, verify } from '@node-rs/argon2';
import { assert, describe, expect, it } from 'vitest';
import { parsePassword } from '#domain/account/password.ts';
import { parseUsername } from '#domain/account/username.ts';
import { err, ok } from '#domain/result.ts';
import { createPasswords, PASSWORDS_WAITING_MAX } from './passwords.ts';

const username = parseUsername('amina');
assert(username.ok);
const password = parsePassword('café on the corner', username.value);
assert(password.ok);

describe('passwords', () => {
	it('[AUTH-1] knows a password by its hash, however it is typed', async () => {
		const passwords = createPasswords();
		const hashed = await passwords.hash(password.value);
		assert(hashed.ok);
		expect(await passwords.isRight('cafe\u0301 on the corner', hashed.value)).toEqual(ok(true));
		expect(await passwords.isRight('cafe on the corner', hashed.value)).toEqual(ok(false));
	});

	it('[AUTH-2] does the same work with nothing as with a hash, and says no', async () => {
		const compared: string[] = [];
		const counted: typeof verify = (stored, ...rest) => {
			compared.push(String(stored));
			return verify(stored, ...rest);
		};
		const passwords = createPasswords({ argon2: { hash, verify: counted } });
		const hashed = await passwords.hash(password.value);
		assert(hashed.ok);
		expect(await passwords.isRight('wrong', hashed.value)).toEqual(ok(false));
		expect(await passwords.isRight('wrong', undefined)).toEqual(ok(false));
		expect(compared.map(costOf)).toEqual([
			'argon2id v=19 m=19456,t=2,p=1',
			'argon2id v=19 m=19456,t=2,p=1'
		]);
		const nobodys = await passwords.isRight('no account has this password', undefined);
		expect(nobodys).toEqual(ok(false));
	});

	it('[AUTH-3] sends away whoever comes when the queue is full, and serves the rest', async () => {
		const passwords = createPasswords({ waitingMax: 2 });
		const tries = Array.from({ length: 6 }, () => passwords.isRight('wrong', undefined));
		const answers = await Promise.all(tries);
		expect(answers).toEqual([
			...Array.from({ length: 4 }, () => ok(false)),
			err('busy'),
			err('busy')
		]);
		expect(await passwords.isRight('wrong', undefined)).toEqual(ok(false));
		expect(PASSWORDS_WAITING_MAX).toBeGreaterThan(2);
	});
});

/** What a comparison with the hash costs: algorithm, version, memory, passes, lanes. */
function costOf(stored: string): string {
	return stored.split('$').slice(1, 4).join(' ');
}
