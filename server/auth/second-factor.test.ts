import { generateSync } from 'otplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseFactor, type OneTimeCode } from '#domain/account/one-time-code.ts';
import type { Result } from '#domain/result.ts';
import { recoveryCode, secondFactor } from '#server/database/messages.ts';
import { account } from '#server/database/accounts.ts';
import { createVault } from '#server/vault.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { until } from '#tests/support/relay-stand.ts';
import { systemRandom } from './random.ts';
import { createSecondFactor, RECOVERY_CODES, type SecondFactor } from './second-factor.ts';

const STEP_MS = 30_000;
let database: TestDatabase;
let factor: SecondFactor;
const clock = { now: Date.UTC(2026, 10, 20, 9) };

beforeAll(async () => {
	database = await createTestDatabase();
	factor = createSecondFactor({
		clock: () => clock.now,
		random: systemRandom,
		key: new Uint8Array(32).fill(4),
		vault: createVault(new Uint8Array(32).fill(5), 'test')
	});
});
afterAll(() => database.close());

async function newAccount(): Promise<string> {
	const id = systemRandom.uuid();
	await database.orm.insert(account).values({
		account: id,
		username: `u${id.slice(0, 8)}`,
		kind: 'customer',
		name: 'Amina',
		email: 'a@example.org',
		passwordHash: '',
		person: id,
		createdAt: 0
	});
	return id;
}

interface SetUp {
	readonly id: string;
	readonly secret: string;
	readonly codes: readonly string[];
}

async function setUp(): Promise<SetUp> {
	const id = await newAccount();
	const begun = await database.orm.transaction((tx) =>
		factor.begin(tx, { account: id, username: 'amina' })
	);
	if (!begun.ok) throw new Error('a new account has no second factor');
	const { secret } = begun.value;
	const confirmed = await database.orm.transaction((tx) =>
		factor.confirm(tx, id, codeAt(secret, clock.now))
	);
	if (!confirmed.ok) throw new Error('its first code is right');
	clock.now += 2 * STEP_MS;
	return { id, secret, codes: confirmed.value };
}

function codeAt(secret: string, at: number): OneTimeCode {
	return generateSync({ secret, epoch: Math.floor(at / 1_000) }) as OneTimeCode;
}

function use(id: string, typed: string): Promise<Result<void, string>> {
	const read = parseFactor(typed);
	if (!read.ok) throw new Error(`no factor: ${typed}`);
	return database.orm.transaction((tx) => factor.use(tx, id, read.value));
}

/** Whether somebody waits for a lock. */
async function waits(): Promise<boolean> {
	const rows = await database.sql`
		select 1 from pg_stat_activity
		where datname = current_database() and wait_event_type = 'Lock'`;
	return rows.length > 0;
}

describe('an authenticator', () => {
	it('[AUTH-20] counts from a code of its own, and not of the one whose place it takes meanwhile', async () => {
		const id = await newAccount();
		const begin = (): ReturnType<SecondFactor['begin']> =>
			database.orm.transaction((tx) => factor.begin(tx, { account: id, username: 'amina' }));
		const first = await begin();
		if (!first.ok) throw new Error('a new account has no second factor');
		const code = codeAt(first.value.secret, clock.now);
		let confirming: ReturnType<SecondFactor['confirm']> | undefined;
		// In another tab.
		await database.orm.transaction(async (tx) => {
			await factor.begin(tx, { account: id, username: 'amina' });
			confirming = database.orm.transaction((own) => factor.confirm(own, id, code));
			await until(waits);
		});
		expect(await confirming).toEqual({ ok: false, error: 'factorWrong' });
		expect((await factor.state(database.orm, id)).isOn).toBe(false);
	});

	it('[AUTH-20] gives a code that is right once, one step off at most', async () => {
		const { id, secret } = await setUp();
		const [before, now, after] = [-STEP_MS, 0, STEP_MS].map((off) =>
			codeAt(secret, clock.now + off)
		);
		expect((await use(id, before ?? '')).ok).toBe(true);
		expect((await use(id, now ?? '')).ok).toBe(true);
		expect((await use(id, after ?? '')).ok).toBe(true);
		for (const code of [before, now, after]) expect((await use(id, code ?? '')).ok).toBe(false);
		expect((await use(id, codeAt(secret, clock.now - 2 * STEP_MS))).ok).toBe(false);
		expect((await use(id, codeAt(secret, clock.now + 2 * STEP_MS))).ok).toBe(false);
	});

	it('[AUTH-20] of twenty with one code at the same instant lets one in', async () => {
		const { id, secret } = await setUp();
		const code = codeAt(secret, clock.now);
		const tried = await Promise.all(Array.from({ length: 20 }, () => use(id, code)));
		expect(tried.filter(({ ok }) => ok)).toHaveLength(1);
	});

	it('[AUTH-20] whose first code did not come back counts for nothing', async () => {
		const id = await newAccount();
		const begun = await database.orm.transaction((tx) =>
			factor.begin(tx, { account: id, username: 'amina' })
		);
		const secret = begun.ok ? begun.value.secret : '';
		expect(await factor.state(database.orm, id)).toEqual({ isOn: false, recoveryCodesLeft: 0 });
		expect((await use(id, codeAt(secret, clock.now))).ok).toBe(false);
		expect(begun.ok && begun.value.uri).toBe(
			`otpauth://totp/Daftar:amina?secret=${secret}&issuer=Daftar`
		);
	});

	it('[AUTH-20] that counts is not replaced by another', async () => {
		const { id } = await setUp();
		const again = database.orm.transaction((tx) =>
			factor.begin(tx, { account: id, username: 'amina' })
		);
		expect(await again).toEqual({ ok: false, error: 'factorKnown' });
		await database.orm.transaction((tx) => factor.end(tx, id));
		expect(await factor.state(database.orm, id)).toEqual({ isOn: false, recoveryCodesLeft: 0 });
	});
});

describe('recovery codes', () => {
	it('[AUTH-21] are right once each, however written', async () => {
		const { id, codes } = await setUp();
		expect(new Set(codes).size).toBe(RECOVERY_CODES);
		const [first = '', second = ''] = codes;
		expect((await use(id, ` ${first.toUpperCase().replace('-', ' ')}`)).ok).toBe(true);
		expect((await use(id, first)).ok).toBe(false);
		const written = second.replaceAll('0', 'O').replaceAll('1', 'l');
		const tried = await Promise.all(Array.from({ length: 10 }, () => use(id, written)));
		expect(tried.filter(({ ok }) => ok)).toHaveLength(1);
		expect(await factor.state(database.orm, id)).toEqual({
			isOn: true,
			recoveryCodesLeft: RECOVERY_CODES - 2
		});
	});

	it('[AUTH-21] of one account are none of another, and new ones end the old', async () => {
		const [one, other] = [await setUp(), await setUp()];
		expect((await use(other.id, one.codes[0] ?? '')).ok).toBe(false);
		const fresh = await database.orm.transaction((tx) => factor.renewRecoveryCodes(tx, one.id));
		expect((await use(one.id, one.codes[0] ?? '')).ok).toBe(false);
		expect((await use(one.id, fresh[0] ?? '')).ok).toBe(true);
	});

	it('[AUTH-22] and the secret are not in the database', async () => {
		const { id, secret, codes } = await setUp();
		const rows = [
			...(await database.orm.select().from(secondFactor)),
			...(await database.orm.select().from(recoveryCode))
		];
		const kept = rows
			.flatMap((row) => Object.values(row))
			.map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value))
			.join(' ');
		expect(kept).toContain(id);
		expect(kept).not.toContain(secret);
		for (const code of codes) expect(kept).not.toContain(code.replace('-', ''));
	});
});
