import { count, eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { account, person, session } from '#server/database/accounts.ts';
import {
	accountBody,
	ask,
	createPeopleStand,
	mintIds,
	PASSWORD,
	type Answer,
	type PeopleStand
} from '#tests/support/people-stand.ts';

let stand: PeopleStand;

beforeAll(async () => {
	stand = await createPeopleStand();
});

afterAll(() => stand.close());

function post(username: string, changes?: object): Promise<Answer> {
	return ask(stand.app, '/accounts', { body: accountBody(username, changes) });
}

async function rows(): Promise<readonly number[]> {
	const counts = [account, person, session].map(async (table) => {
		const [row] = await stand.database.orm.select({ n: count() }).from(table);
		return row?.n ?? 0;
	});
	return Promise.all(counts);
}

describe('POST /accounts', () => {
	it.each(['store', 'customer'])('[API-5] signs a %s up and in', async (kind) => {
		const { person: minted } = mintIds();
		const [accounts = 0, persons = 0, sessions = 0] = await rows();
		const answer = await post(`Amina.${kind}`, { kind, name: '  Amina\tO. ', person: minted });

		expect(answer.status).toBe(201);
		const said = { username: `amina.${kind}`, kind, name: 'Amina O.' };
		expect(answer.body).toEqual({ account: said, person: minted, isProved: false });
		expect(await rows()).toEqual([accounts + 1, persons + 1, sessions + 1]);
		const me = await ask(stand.app, '/me', { cookie: answer.cookie });
		expect(me.body).toEqual({ account: said, person: minted, isProved: false, businesses: [] });
	});

	it('[API-5] mints a person where the device has none', async () => {
		const { body } = await post('no.person');
		expect(body['person']).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
	});

	it('[API-5] of ten sign-ups with one name at once makes one', async () => {
		const answers = await Promise.all(Array.from({ length: 10 }, () => post('everybodys')));
		expect(answers.map(({ status }) => status).toSorted()).toEqual([
			201,
			...Array.from({ length: 9 }, () => 409)
		]);
		const taken = answers.filter(({ body }) => body['code'] === 'usernameTaken');
		expect(taken).toHaveLength(9);
		expect(taken.every(({ cookie }) => cookie === undefined)).toBe(true);
	});

	it.each([
		['usernameInvalid', { username: 'x', name: '', password: '' }],
		['usernameReserved', { username: 'admin' }],
		['nameInvalid', { name: '\u200b\0 ', email: '' }],
		['nameInvalid', { name: 'x'.repeat(81) }],
		['contactMissing', { email: ' ', password: '' }],
		['contactMissing', { email: undefined }],
		['contactInvalid', { email: 'amina', password: '' }],
		['contactInvalid', { email: 'amina@example' }],
		['contactInvalid', { email: 'a b@example.com' }],
		['contactInvalid', { email: 'a\u202eb@example.com' }],
		['contactInvalid', { email: `${'x'.repeat(250)}@example.com` }],
		['contactInvalid', { email: 'amina@example.com', phone: '12' }],
		['contactInvalid', { phone: '0712 345678' }],
		['contactInvalid', { phone: '0712 345678', region: 'XX' }],
		['contactInvalid', { phone: '1'.repeat(60), region: 'KE' }],
		['passwordTooShort', { password: 'seven77' }],
		['passwordTooLong', { password: 'x'.repeat(257) }],
		['passwordIsUsername', { username: 'longenough', password: 'LongEnough' }],
		['bodyInvalid', { kind: 'operator' }],
		['bodyInvalid', { name: 7 }],
		['bodyInvalid', { person: 'not-a-person' }]
	])('[API-6] refuses as %s %j', async (code, changes) => {
		const before = await rows();
		const answer = await post('refused.one', changes);
		expect(answer.body['code']).toBe(code);
		expect(answer.cookie).toBeUndefined();
		expect(await rows()).toEqual(before);
	});

	it.each([
		['kenya', { phone: '0712 345 678', region: 'KE' }, '+254712345678'],
		['iraq', { phone: '٠٧٩٠١٢٣٤٥٦٧', region: 'iq' }, '+9647901234567'],
		['india', { phone: '+91 98765-43210', region: 'KE' }, '+919876543210']
	])('[API-7] keeps the phone of %s in E.164', async (username, changes, phone) => {
		expect((await post(username, { email: undefined, ...changes })).status).toBe(201);
		const [row] = await stand.database.orm
			.select()
			.from(account)
			.where(eq(account.username, username));
		expect(row).toMatchObject({ phone, email: null });
	});

	it('[API-8] takes the same sign-up again for the same account', async () => {
		const { person: minted } = mintIds();
		const first = await post('again', { person: minted });
		const before = await rows();
		const second = await post('again', { person: minted });
		expect([second.status, second.body]).toEqual([201, first.body]);
		expect(second.cookie).not.toBe(first.cookie);
		const [accounts = 0, persons = 0, sessions = 0] = before;
		expect(await rows()).toEqual([accounts, persons, sessions + 1]);
	});

	it('[API-8] takes it for a day', async () => {
		const form = { person: mintIds().person };
		await post('tomorrow', form);
		stand.clock.now += 24 * 3_600_000;
		expect((await post('tomorrow', form)).status).toBe(201);
		stand.clock.now += 1;
		const late = await post('tomorrow', form);
		expect([late.status, late.body['code']]).toEqual([409, 'usernameTaken']);
	});

	it('[API-8] lets nobody guess faster than at a sign-in', async () => {
		const form = { person: mintIds().person };
		stand.address.current = '198.51.100.66';
		await post('guessed', form);
		stand.waits.length = 0;
		for (let tries = 0; tries < 7; tries += 1) {
			const guess = await post('guessed', { ...form, password: `guess ${String(tries)} of it` });
			expect(guess.body['code']).toBe('usernameTaken');
		}
		expect(stand.waits).toEqual([250, 500]);
	});

	it.each([
		['another password', { password: 'another password' }],
		['another kind', { kind: 'customer' }],
		['another person', { person: mintIds().person }],
		['no person', { person: undefined }]
	])('[API-8] refuses a sign-up of the same name with %s', async (what, changes) => {
		const username = `twice.${what.replace(/[^a-z]/g, '')}`;
		const minted = mintIds().person;
		await post(username, { person: minted });
		const answer = await post(username, { person: minted, ...changes });
		expect([answer.status, answer.body['code']]).toEqual([409, 'usernameTaken']);
	});

	it('[API-9] refuses a person that is somebody else', async () => {
		const { person: minted } = mintIds();
		await post('first.owner', { person: minted });
		const before = await rows();
		const answer = await post('second.owner', { person: minted });
		expect([answer.status, answer.body['code']]).toEqual([409, 'personKnown']);
		expect(await rows()).toEqual(before);
	});

	it('[AUTH-1] keeps the password as argon2id alone', async () => {
		await post('hashed');
		const [row] = await stand.database.orm
			.select()
			.from(account)
			.where(eq(account.username, 'hashed'));
		expect(row?.passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
		expect(JSON.stringify(row)).not.toContain(PASSWORD);
	});
});

describe('the limit of sign-ups', () => {
	it('[AUTH-11] holds back one address, and not another', async () => {
		const small = await createPeopleStand({
			limits: { signUpsByAddress: { times: 2, withinMs: 60_000 } }
		});
		const sign = (username: string): Promise<Answer> =>
			ask(small.app, '/accounts', { body: accountBody(username) });
		expect((await sign('one.one')).status).toBe(201);
		expect((await sign('two.two')).status).toBe(201);
		const refused = await sign('three.three');
		expect([refused.status, refused.body['code']]).toEqual([429, 'tooManyAttempts']);
		expect(Number(refused.body['retryAfterMs'])).toBeGreaterThan(0);
		expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
		small.address.current = '203.0.113.8';
		expect((await sign('three.three')).status).toBe(201);
		await small.close();
	});
});
