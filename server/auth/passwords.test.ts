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

	it('[AUTH-2] compares as long with nothing as with a hash, and says no', async () => {
		const passwords = createPasswords();
		const hashed = await passwords.hash(password.value);
		assert(hashed.ok);
		await passwords.isRight('warm up', undefined);
		const [some, none] = [
			await medianMs(() => passwords.isRight('wrong', hashed.value)),
			await medianMs(() => passwords.isRight('wrong', undefined))
		];
		expect(none / some).toBeGreaterThan(0.5);
		expect(none / some).toBeLessThan(2);
		const nobodys = await passwords.isRight('no account has this password', undefined);
		expect(nobodys).toEqual(ok(false));
	});

	it('[AUTH-3] sends away whoever comes when the queue is full, and serves the rest', async () => {
		const passwords = createPasswords(2);
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

async function medianMs(work: () => Promise<unknown>): Promise<number> {
	const times: number[] = [];
	for (let n = 0; n < 9; n += 1) {
		const startedAt = performance.now();
		await work();
		times.push(performance.now() - startedAt);
	}
	return times.toSorted((a, b) => a - b)[4] ?? 0;
}
