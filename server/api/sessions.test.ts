import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SESSION_MS } from '#server/auth/sessions.ts';
import { PAUSE_MS_MAX } from '#server/auth/sign-in-pace.ts';
import { session } from '#server/database/accounts.ts';
import {
	ask,
	createPeopleStand,
	PASSWORD,
	signUp,
	type Answer,
	type PeopleStand
} from '#tests/support/people-stand.ts';

let stand: PeopleStand;

beforeAll(async () => {
	stand = await createPeopleStand();
	await signUp(stand.app, 'amina');
});

afterAll(() => stand.close());

function signIn(username: string, password: string): Promise<Answer> {
	return ask(stand.app, '/sessions', { body: { username, password } });
}

describe('POST /sessions', () => {
	it('signs in with the username in any case', async () => {
		const answer = await signIn(' AMINA ', PASSWORD);
		expect(answer.status).toBe(200);
		expect(answer.body).toMatchObject({ account: { username: 'amina', kind: 'store' } });
		expect((await ask(stand.app, '/me', { cookie: answer.cookie })).status).toBe(200);
	});

	it('[API-10] says the same for a wrong password, no account, and no username at all', async () => {
		const wrong = await signIn('amina', 'not the password');
		const title = 'Unauthorized';
		const said = { type: 'about:blank', title, status: 401, code: 'signInRefused' };
		expect([wrong.status, wrong.body]).toEqual([401, said]);
		for (const nobody of ['nobody.here', '', '\0', "' or 1=1 --", 'x'.repeat(1024)]) {
			const answer = await signIn(nobody, PASSWORD);
			expect([answer.status, answer.body, answer.cookie]).toEqual([401, said, undefined]);
			expect([...answer.headers.keys()]).toEqual([...wrong.headers.keys()]);
		}
	});

	it('[API-3] refuses what is no sign-in', async () => {
		for (const body of [{}, { username: 'amina' }, { username: 1, password: 2 }, [], 'null', '{']) {
			expect((await ask(stand.app, '/sessions', { body })).body['code']).toBe('bodyInvalid');
		}
		expect((await signIn('amina', 'x'.repeat(1025))).body['code']).toBe('bodyInvalid');
	});

	it('[API-11] gives a cookie that only our own pages over TLS send, and no script reads', async () => {
		const { headers } = await signIn('amina', PASSWORD);
		const [pair, ...attributes] = (headers.getSetCookie()[0] ?? '').split('; ');
		expect(pair).toMatch(/^__Host-session=[\w-]{43}$/);
		expect(attributes.toSorted()).toEqual([
			'HttpOnly',
			`Max-Age=${String(SESSION_MS / 1000)}`,
			'Path=/',
			'SameSite=Lax',
			'Secure'
		]);
	});

	it('[AUTH-4] keeps no session that could be used', async () => {
		const { cookie } = await signIn('amina', PASSWORD);
		const rows = await stand.database.sql`select encode(token_hash, 'escape') as h from session`;
		expect(JSON.stringify(rows)).not.toContain(cookie);
		const raw = Buffer.from(cookie ?? '', 'base64url').toString('hex');
		const hex = await stand.database.sql`select encode(token_hash, 'hex') as h from session`;
		expect(hex.map(({ h }) => String(h))).not.toContain(raw);
	});

	it('ends the session it replaces', async () => {
		const first = await signIn('amina', PASSWORD);
		const body = { username: 'amina', password: PASSWORD };
		await ask(stand.app, '/sessions', { body, cookie: first.cookie });
		expect((await ask(stand.app, '/me', { cookie: first.cookie })).status).toBe(401);
	});
});

describe('a session', () => {
	it('[AUTH-5] lasts 90 days from its last day of use, its cookie with it', async () => {
		const { cookie } = await signIn('amina', PASSWORD);
		const start = stand.clock.now;
		stand.clock.now = start + 3_600_000;
		expect((await ask(stand.app, '/me', { cookie })).cookie).toBeUndefined();
		stand.clock.now = start + SESSION_MS - 1;
		const used = await ask(stand.app, '/me', { cookie });
		expect([used.status, used.cookie]).toEqual([200, cookie]);
		stand.clock.now += SESSION_MS;
		expect((await ask(stand.app, '/me', { cookie })).status).toBe(401);
		stand.clock.now = start;
	});

	it('[AUTH-5] that nobody uses for 90 days is over', async () => {
		const { cookie } = await signIn('amina', PASSWORD);
		stand.clock.now += SESSION_MS;
		expect((await ask(stand.app, '/me', { cookie })).status).toBe(401);
	});

	it('[API-12] [AUTH-5] ends for whoever holds its cookie when it is signed out, and only it', async () => {
		const [one, other] = [await signIn('amina', PASSWORD), await signIn('amina', PASSWORD)];
		const path = '/sessions/current';
		const out = await ask(stand.app, path, { method: 'DELETE', cookie: one.cookie });
		expect(out.status).toBe(204);
		expect(out.headers.get('set-cookie')).toMatch(/^__Host-session=; Max-Age=0; Path=\/; .*Secure/);
		expect((await ask(stand.app, '/me', { cookie: one.cookie })).status).toBe(401);
		expect((await ask(stand.app, '/me', { cookie: other.cookie })).status).toBe(200);
		const again = await ask(stand.app, path, { method: 'DELETE', cookie: one.cookie });
		expect(again.status).toBe(204);
	});

	it('keeps what the browser calls itself, cut and clean', async () => {
		const headers = { 'user-agent': `Phone\t${'x'.repeat(500)}` };
		const body = { username: 'amina', password: PASSWORD };
		await ask(stand.app, '/sessions', { body, headers });
		const rows = await stand.database.orm.select({ agent: session.userAgent }).from(session);
		expect(rows.map(({ agent }) => agent)).toContain(`Phone${'x'.repeat(195)}`);
	});

	it('[AUTH-15] takes ended sessions away when one is added', async () => {
		const before = await stand.database.orm.select().from(session);
		expect(before.length).toBeGreaterThan(1);
		stand.clock.now += SESSION_MS * 3;
		await signIn('amina', PASSWORD);
		expect(await stand.database.orm.select().from(session)).toHaveLength(1);
	});
});

describe('whoever tries passwords', () => {
	it('[AUTH-12] waits twice as long each time, until the right one', async () => {
		await signUp(stand.app, 'bakari');
		stand.waits.length = 0;
		for (let n = 0; n < 12; n += 1) {
			stand.address.current = `198.51.100.${String(n)}`;
			await signIn('bakari', 'wrong password');
		}
		expect(stand.waits).toEqual([250, 500, 1000, 2000, 4000, PAUSE_MS_MAX, PAUSE_MS_MAX]);
		expect((await signIn('bakari', PASSWORD)).status).toBe(200);
		stand.waits.length = 0;
		expect((await signIn('bakari', PASSWORD)).status).toBe(200);
		expect(stand.waits).toEqual([]);
	});

	it('[AUTH-13] is refused at his address, and the holder elsewhere is not', async () => {
		await signUp(stand.app, 'chiku');
		stand.address.current = '192.0.2.1';
		const tries = await Promise.all(Array.from({ length: 31 }, () => signIn('chiku', 'wrong one')));
		expect(tries.filter(({ status }) => status === 429)).toHaveLength(1);
		const refused = await signIn('chiku', PASSWORD);
		expect([refused.status, refused.body['code']]).toEqual([429, 'tooManyAttempts']);
		expect((await signIn('amina', PASSWORD)).status).toBe(200);
		stand.address.current = '192.0.2.2';
		expect((await signIn('chiku', PASSWORD)).status).toBe(200);
	});
});
