import { generateSync } from 'otplib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ok } from '#domain/result.ts';
import { CODE_MS, PAUSES_MS } from '#domain/account/one-time-code.ts';
import { TRIES_MAX } from '#server/auth/one-time-codes.ts';
import { createPasswords, type Passwords } from '#server/auth/passwords.ts';
import {
	accountBody,
	ask,
	claimBody,
	createPeopleStand,
	createTestKey,
	joinBody,
	mintIds,
	openShop,
	PASSWORD,
	type Answer,
	type PeopleStand
} from '#tests/support/people-stand.ts';

let stand: PeopleStand;
/** Done once, between the next comparison of a password and what follows from it. */
let meanwhile: (() => Promise<void>) | undefined;
/** How often a password was hashed or compared. */
const hashed = { times: 0 };
/** What the database was asked, without values. */
const statements: string[] = [];
let people = 0;

beforeAll(async () => {
	stand = await createPeopleStand({
		passwords: counted(createPasswords()),
		onStatement: (statement) => statements.push(statement),
		limits: {
			codesByAccount: { times: 1_000, withinMs: 1_000 },
			signInsByBoth: { times: 10_000, withinMs: 60_000 }
		}
	});
});
beforeEach(() => {
	people += 1;
	stand.address.current = `198.51.100.${String(people)}`;
});
afterAll(() => stand.close());

function counted(passwords: Passwords): Passwords {
	return {
		hash(password) {
			hashed.times += 1;
			return passwords.hash(password);
		},
		async isRight(typed, hash) {
			hashed.times += 1;
			const isRight = await passwords.isRight(typed, hash);
			const act = meanwhile;
			meanwhile = undefined;
			await act?.();
			return isRight;
		}
	};
}

interface Person {
	readonly username: string;
	readonly email: string;
	readonly cookie: string;
	/** Its UUID, which stands in all that it writes. */
	readonly person: string;
}

async function newPerson(changes: object = {}): Promise<Person> {
	const username = `person.${String(people)}.${String(stand.clock.now)}`.slice(0, 32);
	const email = `p${String(people)}@example.org`;
	const body = accountBody(username, { email, ...changes });
	const { cookie = '', body: made } = await ask(stand.app, '/accounts', { body });
	return { username, email, cookie, person: String(made['person']) };
}

async function texts(recipient: string): Promise<readonly string[]> {
	await stand.sent();
	const rows = await stand.database.sql<{ body: string }[]>`
		select body from message where recipient = ${recipient} order by created_at, key`;
	return rows.map(({ body }) => body);
}

async function lastCode(recipient: string): Promise<string> {
	const rows = await texts(recipient);
	return /\d{6}/.exec(rows.at(-1) ?? '')?.[0] ?? '';
}

function wrong(code: string): string {
	return code.startsWith('0') ? `1${code.slice(1)}` : `0${code.slice(1)}`;
}

function post(path: string, body: object, cookie?: string): Promise<Answer> {
	// Messages are in the order of their time.
	stand.clock.now += 1;
	return ask(stand.app, path, { body, cookie });
}

async function proved(changes: object = {}): Promise<Person> {
	const person = await newPerson(changes);
	const code = await lastCode(person.email);
	expect((await post('/codes/check', { code }, person.cookie)).status).toBe(200);
	return person;
}

describe('the code of a sign-up', () => {
	it('[API-22] is sent to the address, and the account works before it comes back', async () => {
		const { cookie, email } = await newPerson();
		expect(await texts(email)).toEqual([expect.stringMatching(/^Daftar: your code is \d{6}\./)]);
		const standing = await ask(stand.app, '/codes', { cookie });
		expect(standing.body).toEqual({
			address: { to: email, isProved: false },
			code: {
				to: email,
				sendsLeft: 2,
				triesLeft: TRIES_MAX,
				expiresInMs: CODE_MS,
				againInMs: PAUSES_MS[0]
			},
			isPractice: true
		});
		expect((await ask(stand.app, '/me', { cookie })).body).toMatchObject({ isProved: false });
		const checked = await post('/codes/check', { code: await lastCode(email) }, cookie);
		expect(checked.body).toMatchObject({ address: { to: email, isProved: true }, code: null });
		expect((await ask(stand.app, '/me', { cookie })).body).toMatchObject({ isProved: true });
	});

	it('[API-22] speaks the language of the person, and of the page that asks again', async () => {
		const { cookie, email } = await newPerson({ language: 'ar' });
		expect((await texts(email))[0]).toMatch(/^دفتر/);
		expect((await post('/codes', {}, cookie)).body['code']).toBe('codeTooSoon');
		stand.clock.now += PAUSES_MS[0];
		expect((await post('/codes', { language: 'en' }, cookie)).status).toBe(200);
		expect((await texts(email))[1]).toMatch(/^Daftar/);
	});

	it('[API-22] is refused with what is left, and what is no code with no try spent', async () => {
		const { cookie, email } = await newPerson();
		const code = await lastCode(email);
		expect((await post('/codes/check', { code: '12' }, cookie)).body['code']).toBe('codeInvalid');
		const refused = await post('/codes/check', { code: wrong(code) }, cookie);
		expect([refused.status, refused.body['triesLeft']]).toEqual([403, TRIES_MAX - 1]);
		for (let n = 1; n < TRIES_MAX; n += 1)
			await post('/codes/check', { code: wrong(code) }, cookie);
		expect((await post('/codes/check', { code }, cookie)).body['code']).toBe('codeSpent');
	});

	it('[API-22] of one account is none of another', async () => {
		const one = await newPerson();
		people += 1;
		const other = await newPerson();
		const code = await lastCode(one.email);
		const tried = await post('/codes/check', { code }, other.cookie);
		expect(tried.body['code']).toBe('codeWrong');
	});
});

describe('a reset', () => {
	interface Asked {
		readonly ticket: string;
		readonly answer: Answer;
	}

	async function askReset(username: string, ticket?: string): Promise<Asked> {
		const body = ticket === undefined ? { username } : { username, ticket };
		const answer = await post('/resets', body);
		return { ticket: String(answer.body['ticket']), answer };
	}

	function reset(form: object): Promise<Answer> {
		return post('/resets/check', { password: 'a new password', ...form });
	}

	it('[API-25] sets the password, and ends every session', async () => {
		const { username, email, cookie } = await proved();
		const { ticket } = await askReset(username);
		const code = await lastCode(email);
		const short = await reset({ username, ticket, code, password: 'short' });
		expect(short.body['code']).toBe('passwordTooShort');
		stand.revoked.length = 0;
		expect((await reset({ username, ticket, code })).status).toBe(204);
		expect(stand.revoked).toHaveLength(1);
		expect((await ask(stand.app, '/me', { cookie })).status).toBe(401);
		expect((await post('/sessions', { username, password: PASSWORD })).status).toBe(401);
		expect((await post('/sessions', { username, password: 'a new password' })).status).toBe(200);
		expect((await reset({ username, ticket, code })).body['code']).toBe('codeExpired');
	});

	it('[API-25] lets nobody in who said the old password and was not answered yet', async () => {
		const { username, email, person } = await proved();
		const { ticket } = await askReset(username);
		for (const path of ['/sessions', '/accounts']) {
			const code = await lastCode(email);
			meanwhile = async () => {
				expect((await reset({ username, ticket, code })).status).toBe(204);
			};
			const body = { ...accountBody(username, { email, person }), password: PASSWORD };
			const late = await post(path, path === '/sessions' ? { username, password: PASSWORD } : body);
			expect(meanwhile).toBeUndefined();
			expect(late.cookie).toBeUndefined();
			expect(late.status).toBe(path === '/sessions' ? 401 : 409);
			const open = await stand.database.sql`
				select 1 from session join account using (account) where username = ${username}`;
			expect(open).toHaveLength(0);
			// For the next: the old one again.
			stand.clock.now += CODE_MS;
			await askReset(username, ticket);
			const password = PASSWORD;
			expect(
				(await reset({ username, ticket, code: await lastCode(email), password })).status
			).toBe(204);
			stand.clock.now += CODE_MS;
			await askReset(username, ticket);
		}
	});

	it('[API-55] ends what whoever knew the old password invited to', async () => {
		const { username, email, cookie } = await proved();
		const ids = mintIds();
		const [key, other] = [await createTestKey(), await createTestKey()];
		await post('/businesses', await claimBody(ids, key), cookie);
		const { body } = await post('/invites', { business: ids.business, branch: ids.branch }, cookie);
		const { ticket } = await askReset(username);
		expect((await reset({ username, ticket, code: await lastCode(email) })).status).toBe(204);
		const joined = await post('/devices', await joinBody({ token: body['token'] }, other));
		expect(joined.body['code']).toBe('inviteUnknown');
	});

	it('[API-23] writes to no address that is not proved', async () => {
		const { username, email } = await newPerson();
		const before = await texts(email);
		await askReset(username);
		expect(await texts(email)).toEqual(before);
	});

	it('[API-24] says the same of an account, of one not proved and of none, step by step', async () => {
		const { username, email } = await proved();
		people += 1;
		const unproved = await newPerson();
		const said: unknown[] = [];
		for (const name of [username, unproved.username, 'nobody.at.all']) {
			const { ticket, answer } = await askReset(name);
			const answers = [answer, (await askReset(name, ticket)).answer];
			stand.clock.now += PAUSES_MS[0];
			answers.push((await askReset(name, ticket)).answer);
			await stand.sent();
			const right = name === username ? await lastCode(email) : '123456';
			for (let n = 0; n <= TRIES_MAX; n += 1)
				answers.push(await reset({ username: name, ticket, code: wrong(right) }));
			stand.clock.now += CODE_MS;
			answers.push(await reset({ username: name, ticket, code: right }));
			said.push(answers.map(({ status, body }) => [status, { ...body, ticket: '' }]));
		}
		expect(said[1]).toEqual(said[0]);
		expect(said[2]).toEqual(said[0]);
	});

	it('[API-24] does the same work for each up to its answer: the same hashes and statements', async () => {
		const { username } = await proved();
		const work: unknown[] = [];
		for (const name of [username, 'nobody.at.all.2']) {
			const hashes = hashed.times;
			statements.length = 0;
			const { ticket } = await askReset(name);
			const asking = statements.splice(0);
			await stand.sent();
			statements.length = 0;
			await reset({ username: name, ticket, code: '000000' });
			await reset({ username: name, ticket, code: '000001' });
			expect(statements.length).toBeGreaterThan(2);
			work.push([hashed.times - hashes, asking, statements.splice(0)]);
		}
		expect(work[1]).toEqual(work[0]);
	});

	it('[API-24] [AUTH-2] compares a password as often with an account as without one', async () => {
		const { username } = await newPerson();
		const work: number[] = [];
		for (const name of [username, 'nobody.at.all.3', 'no name at all']) {
			const before = hashed.times;
			const answer = await post('/sessions', { username: name, password: 'wrong password' });
			expect(answer.body['code']).toBe('signInRefused');
			work.push(hashed.times - before);
		}
		expect(work).toEqual([1, 1, 1]);
	});

	it('[API-24] is not held up by the tries of others: a ticket is its asker’s', async () => {
		const { username, email } = await proved();
		const { ticket } = await askReset(username);
		const code = await lastCode(email);
		const guesser = await askReset(username);
		for (let n = 0; n <= TRIES_MAX; n += 1)
			await reset({ username, ticket: guesser.ticket, code: wrong(code) });
		expect((await reset({ username, ticket: 'made up', code })).body['code']).toBe('codeExpired');
		const other = await reset({ username: 'nobody.at.all', ticket, code });
		expect(other.body['code']).toBe('codeExpired');
		expect((await reset({ username, ticket, code })).status).toBe(204);
	});
});

describe('another address', () => {
	it('[API-26] takes the first one’s place once its code came back, and the first is told', async () => {
		const { username, email, cookie } = await proved();
		const phone = `+2547111222${String(people).padStart(2, '0')}`;
		const refused = await post('/address', { phone, password: 'not it' }, cookie);
		expect([refused.status, refused.body['code']]).toEqual([403, 'passwordWrong']);
		const bad = await post('/address', { phone: '1', password: PASSWORD }, cookie);
		expect(bad.body['code']).toBe('contactInvalid');
		const asked = await post('/address', { phone, password: PASSWORD }, cookie);
		expect(asked.body).toMatchObject({
			address: { to: email, isProved: true },
			code: { to: phone }
		});
		const checked = await post('/codes/check', { code: await lastCode(phone) }, cookie);
		expect(checked.body).toMatchObject({ address: { to: phone, isProved: true }, code: null });
		expect((await texts(email)).at(-1)).toContain(`the account ${username} has another address`);
		const [row] = await stand.database.sql`
			select email, phone from account where username = ${username}`;
		expect(row).toEqual({ email: null, phone });
	});

	it('[API-26] that was typed wrong at the sign-up is set right, with nobody told', async () => {
		const { email, cookie } = await newPerson();
		const before = await texts(email);
		const right = `right${String(people)}@example.org`;
		await post('/address', { email: right, password: PASSWORD }, cookie);
		const checked = await post('/codes/check', { code: await lastCode(right) }, cookie);
		expect(checked.body).toMatchObject({ address: { to: right, isProved: true } });
		expect(await texts(email)).toEqual(before);
	});
});

describe('a second factor', () => {
	async function withFactor(): Promise<Person & { secret: string; codes: readonly string[] }> {
		const person = await newPerson();
		const begun = await post('/second-factor', { password: PASSWORD }, person.cookie);
		const secret = String(begun.body['secret']);
		const confirmed = await post(
			'/second-factor/confirm',
			{ code: codeNow(secret) },
			person.cookie
		);
		stand.clock.now += 60_000;
		return { ...person, secret, codes: confirmed.body['recoveryCodes'] as readonly string[] };
	}
	function codeNow(secret: string): string {
		return generateSync({ secret, epoch: Math.floor(stand.clock.now / 1_000) });
	}

	it('[API-27] is asked for beside the password, and each code once', async () => {
		const { username, secret, codes } = await withFactor();
		const sign = (factor?: string): Promise<Answer> =>
			post('/sessions', {
				username,
				password: PASSWORD,
				...(factor === undefined ? {} : { factor })
			});
		expect((await sign()).body['code']).toBe('factorNeeded');
		expect((await sign('12')).body['code']).toBe('codeInvalid');
		expect((await sign(wrong(codeNow(secret)))).body['code']).toBe('factorWrong');
		const code = codeNow(secret);
		const twice = await Promise.all([sign(code), sign(code)]);
		expect(twice.map(({ status }) => status).toSorted()).toEqual([200, 403]);
		expect((await sign(codes[3])).status).toBe(200);
		expect((await sign(codes[3])).body['code']).toBe('factorWrong');
		const guess = await post('/sessions', { username, password: 'wrong', factor: codes[4] });
		expect(guess.body['code']).toBe('signInRefused');
		expect((await sign(codes[4])).status).toBe(200);
	});

	it('[API-8] is not got round by signing up once more', async () => {
		const { username, person } = await withFactor();
		for (const password of [PASSWORD, 'another password']) {
			const again = await post('/accounts', accountBody(username, { person, password }));
			expect([again.status, again.body['code']]).toEqual([409, 'usernameTaken']);
			expect(again.cookie).toBeUndefined();
		}
	});

	it('[API-27] is ended and given new recovery codes with password and factor alone', async () => {
		const { cookie, codes, secret } = await withFactor();
		const [first = '', second = ''] = codes;
		const wrongs = [
			{ password: 'not it', factor: first },
			{ password: PASSWORD, factor: wrong(codeNow(secret)) }
		];
		for (const path of ['/second-factor/end', '/second-factor/recovery'])
			for (const body of wrongs) expect((await post(path, body, cookie)).status).toBe(403);
		const renewed = await post(
			'/second-factor/recovery',
			{ password: PASSWORD, factor: first },
			cookie
		);
		expect(renewed.body['recoveryCodes']).toHaveLength(10);
		const end = { password: PASSWORD, factor: second };
		expect((await post('/second-factor/end', end, cookie)).status).toBe(403);
		const right = { password: PASSWORD, factor: codeNow(secret) };
		expect((await post('/second-factor/end', right, cookie)).status).toBe(204);
		const state = await ask(stand.app, '/second-factor', { cookie });
		expect(state.body).toEqual({ isOn: false, recoveryCodesLeft: 0 });
	});

	it('[AUTH-23] guessed at by who knows the password does not shut out the known browser', async () => {
		const { username, codes } = await withFactor();
		const known = await knownCookie(username, codes[0] ?? '');
		const body = { username, password: PASSWORD };
		for (let n = 0; n < 12; n += 1) await post('/sessions', { ...body, factor: '000000' });
		const stranger = await post('/sessions', { ...body, factor: codes[1] });
		expect(stranger.body['code']).toBe('tooManyAttempts');
		const owner = await ask(stand.app, '/sessions', {
			body: { ...body, factor: codes[1] },
			headers: { cookie: known }
		});
		expect(owner.status).toBe(200);
	});

	it('[AUTH-25] tried by a stolen session holds up neither another nor who signs in', async () => {
		const { username, cookie: stolen, codes, secret } = await withFactor();
		const own = { username, password: PASSWORD, factor: codes[0] };
		const { cookie } = await post('/sessions', own);
		for (let n = 0; n < 12; n += 1)
			await post('/second-factor/confirm', { code: '000000' }, stolen);
		for (let n = 0; n < 12; n += 1)
			await post('/second-factor/end', { password: PASSWORD, factor: '000000' }, stolen);
		for (let n = 0; n < 22; n += 1)
			await post('/second-factor/recovery', { password: 'not it', factor: '000000' }, stolen);
		const right = { password: PASSWORD, factor: codeNow(secret) };
		const held = await post('/second-factor/recovery', right, stolen);
		expect(held.body['code']).toBe('tooManyAttempts');
		expect((await post('/sessions', { ...own, factor: codes[1] })).status).toBe(200);
		expect((await post('/second-factor/recovery', right, cookie)).status).toBe(200);
	});

	async function knownCookie(username: string, factor: string): Promise<string> {
		const { headers } = await post('/sessions', { username, password: PASSWORD, factor });
		const kept = headers.getSetCookie().find((one) => one.startsWith('__Host-known='));
		return kept?.split(';')[0] ?? '';
	}
});

describe('who tries passwords', () => {
	it('[AUTH-23] holds up nobody at a browser that the account knows', async () => {
		const { username, cookie } = await newPerson();
		const body = { username, password: PASSWORD };
		const { headers } = await ask(stand.app, '/sessions', { body, cookie });
		const known = headers.getSetCookie()[1]?.split(';')[0] ?? '';
		expect(known).toMatch(/^__Host-known=/);
		for (let n = 0; n < 9; n += 1) await post('/sessions', { username, password: 'wrong' });
		stand.waits.length = 0;
		const owner = await ask(stand.app, '/sessions', { body, headers: { cookie: known } });
		expect([owner.status, stand.waits]).toEqual([200, []]);
		await post('/sessions', { username, password: 'wrong' });
		expect(stand.waits).toEqual([4_000]);
	});
});

describe('the list of sessions', () => {
	interface Row {
		readonly id: string;
		readonly isCurrent: boolean;
		readonly userAgent: string;
		readonly address: string;
	}
	async function list(cookie: string): Promise<readonly Row[]> {
		return (await ask(stand.app, '/sessions', { cookie })).body['sessions'] as readonly Row[];
	}
	async function signIn(username: string, agent: string): Promise<string> {
		const body = { username, password: PASSWORD };
		const headers = { 'user-agent': agent };
		return (await ask(stand.app, '/sessions', { body, headers })).cookie ?? '';
	}
	function end(which: string, cookie: string): Promise<Answer> {
		return ask(stand.app, `/sessions/${which}`, { method: 'DELETE', cookie });
	}

	it('[API-28] names each device, and ends one or all others', async () => {
		const { username, cookie } = await newPerson();
		const [a, b] = [await signIn(username, 'Phone A'), await signIn(username, 'Phone B')];
		const all = await list(cookie);
		expect(all).toHaveLength(3);
		expect(all.filter(({ isCurrent }) => isCurrent)).toHaveLength(1);
		const ofA = all.find(({ userAgent }) => userAgent === 'Phone A');
		expect(ofA).toMatchObject({ address: stand.address.current, isCurrent: false });
		expect((await end(ofA?.id ?? '', cookie)).status).toBe(204);
		expect((await ask(stand.app, '/me', { cookie: a })).status).toBe(401);
		expect((await end('others', cookie)).status).toBe(204);
		expect((await ask(stand.app, '/me', { cookie: b })).status).toBe(401);
		expect(await list(cookie)).toHaveLength(1);
	});

	it('[API-28] is of one’s own account alone', async () => {
		const one = await newPerson();
		people += 1;
		const other = await newPerson();
		const [theirs] = await list(other.cookie);
		for (const id of [theirs?.id ?? '', 'not-an-id', '%00'])
			expect((await end(id, one.cookie)).status).toBe(404);
		expect((await end('others', one.cookie)).status).toBe(204);
		expect(await list(other.cookie)).toHaveLength(1);
		expect(JSON.stringify(await list(one.cookie))).not.toContain(one.cookie);
	});
});

it('[API-29] calls a business as its settings do', async () => {
	const shop = await openShop(stand.app, `shop.${String(people)}`);
	const nameNow = async (): Promise<unknown> =>
		(await ask(stand.app, '/me', { cookie: shop.cookie })).body['businesses'];
	expect(await nameNow()).toMatchObject([{ name: 'Mama Amina' }]);
	await stand.database.sql`
		insert into setting (business, fields, stamps)
		values (${shop.business}, '{"name":"Amina and Sons"}'::jsonb, '{}'::jsonb)`;
	expect(await nameNow()).toMatchObject([{ name: 'Amina and Sons' }]);
});

it('says whether messages go out', async () => {
	const { body } = await ask(stand.app, '/gateways');
	expect(ok(body)).toEqual(ok({ sms: 'practice', email: 'practice' }));
});
