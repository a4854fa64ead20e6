import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CODE_MS, PAUSES_MS } from '#domain/account/one-time-code.ts';
import { ok } from '#domain/result.ts';
import { message, oneTimeCode } from '#server/database/messages.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { codeText } from './code-words.ts';
import {
	createOneTimeCodes,
	SENDS_MAX,
	SENDS_TO_ONE_MAX,
	SENDS_WITHIN_MS,
	TRIES_MAX,
	type CodeAddress,
	type CodeDelivery,
	type CodeName,
	type OneTimeCodes
} from './one-time-codes.ts';
import { systemRandom } from './random.ts';

let database: TestDatabase;
let codes: OneTimeCodes;
const clock = { now: Date.UTC(2026, 10, 20, 9) };
let people = 0;

beforeAll(async () => {
	database = await createTestDatabase();
	codes = createOneTimeCodes({
		clock: () => clock.now,
		random: systemRandom,
		key: new Uint8Array(32).fill(3)
	});
});
beforeEach(() => {
	people += 1;
});
afterAll(() => database.close());

function delivery(changes: Partial<CodeDelivery> = {}): CodeDelivery {
	const name = { purpose: 'signup', subject: `account ${String(people)}` } as const;
	const to = { channel: 'sms', address: `+2547000${String(people)}` } as const;
	return { ...name, to, language: 'en', ...changes };
}

function issue(changes?: Partial<CodeDelivery>): ReturnType<OneTimeCodes['issueCode']> {
	return database.orm.transaction((tx) => codes.issueCode(tx, delivery(changes)));
}

function check(code: string, changes?: Partial<CodeName>): ReturnType<OneTimeCodes['checkCode']> {
	const { purpose, subject } = delivery(changes);
	return database.orm.transaction((tx) => codes.checkCode(tx, { purpose, subject, code }));
}

async function lastCode(): Promise<string> {
	const rows = await database.sql<{ body: string }[]>`
		select body from message where recipient = ${delivery().to.address}
		order by created_at desc limit 1`;
	return /\d{6}/.exec(rows[0]?.body ?? '')?.[0] ?? '';
}

function wrong(code: string): string {
	return code.startsWith('0') ? `1${code.slice(1)}` : `0${code.slice(1)}`;
}

describe('a code', () => {
	it('[AUTH-16] is right once, and proves the address that it was sent to', async () => {
		const sent = await issue();
		const { to } = delivery();
		expect(sent).toEqual(
			ok({
				to,
				sendsLeft: SENDS_MAX - 1,
				triesLeft: TRIES_MAX,
				expiresAt: clock.now + CODE_MS,
				againAt: clock.now + PAUSES_MS[0]
			})
		);
		const code = await lastCode();
		expect(await check(code)).toEqual(ok(to));
		expect(await check(code)).toEqual({ ok: false, error: { code: 'codeExpired' } });
	});

	it('[AUTH-16] of ten who have it at once lets one in', async () => {
		await issue();
		const code = await lastCode();
		const tried = await Promise.all(Array.from({ length: 10 }, () => check(code)));
		expect(tried.filter(({ ok: isRight }) => isRight)).toHaveLength(1);
	});

	it.each([
		['at its last millisecond', CODE_MS - 1, true],
		['at its end', CODE_MS, false]
	])('[AUTH-16] %s', async (_when, after, isRight) => {
		await issue();
		const code = await lastCode();
		clock.now += after;
		expect((await check(code)).ok).toBe(isRight);
	});

	it('[AUTH-16] of one purpose and subject is none of another', async () => {
		await issue();
		const code = await lastCode();
		await issue({ purpose: 'address', to: { channel: 'email', address: 'a@example.org' } });
		await issue({ subject: 'somebody else', to: { channel: 'sms', address: '+1' } });
		expect((await check(code, { purpose: 'address' })).ok).toBe(false);
		expect((await check(code, { subject: 'somebody else' })).ok).toBe(false);
		expect((await check(code, { purpose: 'reset' })).ok).toBe(false);
		expect((await check(code)).ok).toBe(true);
	});

	it('[AUTH-18] is sent again though those before went out by a clock that was ahead', async () => {
		const DAYS_MS = 3 * 86_400_000;
		clock.now += DAYS_MS;
		for (let sends = 0; sends < SENDS_MAX; sends += 1) {
			expect((await issue()).ok).toBe(true);
			clock.now += 300_000;
		}
		// As many as one address gets.
		for (let subjects = SENDS_MAX; subjects < SENDS_TO_ONE_MAX; subjects += 1)
			await issue({ subject: `ahead ${String(subjects)}` });
		clock.now -= DAYS_MS;
		expect(await issue()).toMatchObject({ ok: true, value: { sendsLeft: SENDS_MAX - 1 } });
	});

	it('[AUTH-17] is tried five times, and then not even the right one counts', async () => {
		await issue();
		const code = await lastCode();
		for (const noCode of ['', '12345', '1234567', 'abcdef', '½½½½½½'])
			expect(await check(noCode)).toMatchObject({ error: { triesLeft: TRIES_MAX } });
		for (let left = TRIES_MAX - 1; left > 0; left -= 1)
			expect(await check(wrong(code))).toEqual({
				ok: false,
				error: { code: 'codeWrong', triesLeft: left }
			});
		expect(await check(wrong(code))).toEqual({ ok: false, error: { code: 'codeSpent' } });
		expect(await check(code)).toEqual({ ok: false, error: { code: 'codeSpent' } });
		clock.now += PAUSES_MS[0];
		await issue();
		expect((await check(await lastCode())).ok).toBe(true);
	});

	it('[AUTH-17] of a hundred wrong tries at once counts five', async () => {
		await issue();
		const code = await lastCode();
		const tries = Array.from({ length: 100 }, (_, n) => String(n).padStart(6, '0'));
		await Promise.all(tries.filter((one) => one !== code).map((one) => check(one)));
		const [row] = await database.sql<{ tries: number }[]>`
			select tries from one_time_code where subject = ${delivery().subject}`;
		expect(row?.tries).toBe(TRIES_MAX);
	});

	it('[AUTH-18] is sent three times, each later than the one before, each ending it', async () => {
		const first = clock.now;
		await issue();
		const one = await lastCode();
		clock.now += PAUSES_MS[0] - 1;
		expect(await issue()).toEqual({
			ok: false,
			error: { code: 'codeTooSoon', retryAfterMs: 1 }
		});
		clock.now += 1;
		expect((await issue()).ok).toBe(true);
		const two = await lastCode();
		expect(two).not.toBe(one);
		expect((await check(one)).ok).toBe(false);
		clock.now += PAUSES_MS[1] - 1;
		expect((await issue()).ok).toBe(false);
		clock.now += 1;
		expect(await issue()).toMatchObject({ ok: true, value: { sendsLeft: 0 } });
		clock.now += PAUSES_MS[2];
		const retryAfterMs = first + SENDS_WITHIN_MS - clock.now;
		expect(await issue()).toEqual({
			ok: false,
			error: { code: 'codeSendsSpent', retryAfterMs }
		});
		clock.now = first + SENDS_WITHIN_MS;
		expect(await issue()).toMatchObject({ ok: true, value: { sendsLeft: SENDS_MAX - 1 } });
	});

	it('[AUTH-18] asked for ten times at once is sent once', async () => {
		const asked = await Promise.all(Array.from({ length: 10 }, () => issue()));
		expect(asked.filter(({ ok: isSent }) => isSent)).toHaveLength(1);
	});

	it('[AUTH-19] is not sent to an address that had too many, but for its own browser', async () => {
		const { to } = delivery();
		for (let n = 0; n < SENDS_TO_ONE_MAX; n += 1)
			expect((await issue({ subject: `asker ${String(n)}`, to })).ok).toBe(true);
		expect(await issue({ to })).toMatchObject({ error: { code: 'codeSendsSpent' } });
		expect((await issue({ to, isTrusted: true, purpose: 'address' })).ok).toBe(true);
		clock.now += SENDS_WITHIN_MS;
		expect((await issue({ to })).ok).toBe(true);
	});

	it('[AUTH-19] is counted of an e-mail address however it is written, and sent to it as it is', async () => {
		const box = `Nana${String(people)}@example.org`;
		const written = (n: number): CodeAddress => ({
			channel: 'email',
			address: n % 2 === 0 ? box : `${box.slice(0, n)}${box.slice(n).toUpperCase()}`
		});
		for (let n = 0; n < SENDS_TO_ONE_MAX; n += 1)
			expect((await issue({ subject: `asker ${String(n)}`, to: written(n) })).ok).toBe(true);
		const last = { subject: 'the last asker', to: written(5) };
		expect(await issue(last)).toMatchObject({ error: { code: 'codeSendsSpent' } });
		const sent = await database.sql`select 1 from message where recipient = ${written(3).address}`;
		expect(sent).toHaveLength(1);
	});

	it('[AUTH-19] is not sent to one address too often, though many ask at once', async () => {
		const { to } = delivery();
		const asked = Array.from({ length: 3 * SENDS_TO_ONE_MAX }, (_none, n) =>
			issue({ subject: `asker ${String(n)}`, to })
		);
		const sent = (await Promise.all(asked)).filter(({ ok: isSent }) => isSent);
		expect(sent).toHaveLength(SENDS_TO_ONE_MAX);
	});

	it('[AUTH-18] [AUTH-19] that is not sent, for its address had too many, does not end the one before', async () => {
		const { to } = delivery();
		expect((await issue({ to })).ok).toBe(true);
		const code = await lastCode();
		for (let n = 1; n < SENDS_TO_ONE_MAX; n += 1)
			expect((await issue({ subject: `stranger ${String(n)}`, to })).ok).toBe(true);
		clock.now += 5 * 60_000;
		expect(await issue({ to })).toMatchObject({ error: { code: 'codeSendsSpent' } });
		expect(await check(code)).toEqual({ ok: true, value: to });
	});

	/** As a reset does it. */
	async function askReset(subject: string): Promise<boolean> {
		const name = { purpose: 'reset', subject } as const;
		const prepared = await database.orm.transaction((tx) => codes.prepareCode(tx, name));
		if (!prepared.ok) return false;
		return database.orm.transaction((tx) => codes.deliverCode(tx, { ...delivery(), ...name }));
	}

	it.each([
		['while it may be sent again', 0],
		['when it is counted anew', SENDS_WITHIN_MS - 5 * 60_000]
	])(
		'[AUTH-18] [AUTH-19] of a reset lives on where the next is not sent, %s',
		async (_when, last) => {
			const { to } = delivery();
			const name = { purpose: 'reset', subject: `holder ${String(people)}` } as const;
			expect(await askReset(name.subject)).toBe(true);
			clock.now += last;
			if (last > 0) expect(await askReset(name.subject)).toBe(true);
			const sentAt = clock.now;
			const code = await lastCode();
			clock.now += 5 * 60_000;
			let strangers = 0;
			while ((await issue({ subject: `stranger ${String(strangers)}`, to })).ok) strangers += 1;
			expect(strangers).toBeGreaterThan(0);
			expect(await askReset(name.subject)).toBe(false);
			// No longer than it was to.
			clock.now = sentAt + CODE_MS;
			expect((await check(code, name)).ok).toBe(false);
			clock.now -= 1;
			expect(await check(code, name)).toEqual(ok(to));
			// Nor once more.
			expect(await askReset(name.subject)).toBe(false);
			expect((await check(code, name)).ok).toBe(false);
		}
	);

	it('[AUTH-17] [AUTH-18] of a reset is tried five times, though the next is asked for and not sent', async () => {
		const { to } = delivery();
		const name = { purpose: 'reset', subject: `holder ${String(people)}` } as const;
		expect(await askReset(name.subject)).toBe(true);
		const code = await lastCode();
		for (let left = TRIES_MAX; left > 0; left -= 1)
			expect((await check(wrong(code), name)).ok).toBe(false);
		let strangers = 0;
		while ((await issue({ subject: `stranger ${String(strangers)}`, to })).ok) strangers += 1;
		clock.now += PAUSES_MS[0];
		expect(await askReset(name.subject)).toBe(false);
		const left = { code: 'codeWrong', triesLeft: TRIES_MAX - 1 };
		expect(await check(code, name)).toEqual({ ok: false, error: left });
		clock.now += SENDS_WITHIN_MS;
		expect(await askReset(name.subject)).toBe(true);
		expect(await check(await lastCode(), name)).toEqual(ok(to));
	});

	it('prepared for nobody says the same, and is never right', async () => {
		const name = { purpose: 'reset', subject: `nobody ${String(people)}` } as const;
		const prepare = (): ReturnType<OneTimeCodes['prepareCode']> =>
			database.orm.transaction((tx) => codes.prepareCode(tx, name));
		expect(await prepare()).toMatchObject({ ok: true, value: { to: undefined } });
		expect(await prepare()).toMatchObject({ error: { code: 'codeTooSoon' } });
		expect(await check('123456', name)).toEqual({
			ok: false,
			error: { code: 'codeWrong', triesLeft: TRIES_MAX - 1 }
		});
	});

	it('[AUTH-22] is not in the table that it is checked by', async () => {
		await issue();
		const code = await lastCode();
		const rows = await database.orm.select().from(oneTimeCode);
		expect(JSON.stringify(rows.map((row) => ({ ...row, recipient: '' })))).not.toContain(code);
	});

	it('is written down with its message, or not at all', async () => {
		const before = (await database.orm.select().from(message)).length;
		const failed = database.orm.transaction(async (tx) => {
			await codes.issueCode(tx, delivery());
			throw new Error('what it is part of failed');
		});
		await expect(failed).rejects.toThrow('what it is part of failed');
		expect((await database.orm.select().from(message)).length).toBe(before);
		expect((await check('123456')).ok).toBe(false);
	});
});

describe('codeText', () => {
	const ALL = ['signup', 'reset', 'address', 'linkByPhone', 'changePhone'] as const;
	const longest = { code: '482177', username: 'a'.repeat(32), shop: 'Mama Amina and Sons Ltd' };

	it.each(ALL)('says a code for %s in one SMS', (purpose) => {
		const english = codeText({ ...longest, purpose, language: 'en' });
		expect(english.length).toBeLessThanOrEqual(160);
		expect(english).toMatch(/Daftar.*482177|482177.*Daftar/);
		const arabic = codeText({
			...longest,
			purpose,
			language: 'ar',
			username: 'amina',
			shop: 'دكان أمينة'
		});
		expect(arabic.length).toBeLessThanOrEqual(70);
		expect(arabic).toContain('482177');
	});

	it('says no other digits, and nothing of a name but its letters', () => {
		const shop = 'Pay 999999\u202e\n$& {code} now to the shop that is there';
		const text = codeText({ purpose: 'linkByPhone', language: 'en', code: '482177', shop });
		expect(text.match(/\d{2,}/g)).toEqual(['482177']);
		expect(text).not.toMatch(/[\u202e\n]/);
	});
});
