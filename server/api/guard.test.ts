import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBase64url } from '#domain/bytes.ts';
import { phoneStatement } from '#domain/claim-statement.ts';
import { PROBLEM_CODES } from '#domain/problem-code.ts';
import { Hono } from 'hono';
import { DEVICE_TOKEN_MS } from '#server/auth/device-auth.ts';
import {
	ask,
	claimBody,
	createPeopleStand,
	createTestKey,
	joinBody,
	mintIds,
	openShop,
	ORIGIN,
	PASSWORD,
	proveDevice,
	signUp,
	type Ask,
	type PeopleStand,
	type Shop
} from '#tests/support/people-stand.ts';
import { PEOPLE_BODY_BYTES_MAX } from './people.ts';
import { problem, refusal, STATUS_BY_CODE } from './problem.ts';

let stand: PeopleStand;
let shop: Shop;
let callers: Readonly<Record<Caller, Pick<Ask, 'cookie' | 'bearer'>>>;

type Caller = 'nobody' | 'customer' | 'stranger' | 'owner' | 'device' | 'lateDevice';

beforeAll(async () => {
	stand = await createPeopleStand();
	shop = await openShop(stand.app, 'owner.of.shop');
	const bearerNow = async (): Promise<string> =>
		String((await proveDevice(stand.app, { ...shop, code: 'A' })).body['token']);
	const late = await bearerNow();
	stand.clock.now += DEVICE_TOKEN_MS;
	callers = {
		nobody: {},
		customer: { cookie: (await signUp(stand.app, 'buyer', { kind: 'customer' })).cookie },
		stranger: { cookie: (await signUp(stand.app, 'stranger')).cookie },
		owner: { cookie: shop.cookie },
		device: { bearer: await bearerNow() },
		lateDevice: { bearer: late }
	};
});

afterAll(() => stand.close());

/** Each route × each caller: the status of a request that is otherwise right. */
const RIGHTS: Readonly<Record<string, Readonly<Record<Caller, number>>>> = {
	'GET /me': by(401, 200, 200, 200, 401, 401),
	'POST /accounts': by(201, 201, 201, 201, 201, 201),
	'POST /sessions': by(200, 200, 200, 200, 200, 200),
	'DELETE /sessions/current': by(204, 204, 204, 204, 204, 204),
	'GET /sessions': by(401, 200, 200, 200, 401, 401),
	'DELETE /sessions/others': by(401, 204, 204, 204, 401, 401),
	'DELETE /sessions/no-such-session': by(401, 404, 404, 404, 401, 401),
	'GET /gateways': by(200, 200, 200, 200, 200, 200),
	'GET /codes': by(401, 200, 200, 200, 401, 401),
	'POST /codes': by(401, 429, 429, 200, 401, 401),
	'POST /codes/check': by(401, 403, 403, 403, 401, 401),
	'POST /address': by(401, 403, 403, 403, 401, 401),
	'POST /resets': by(202, 202, 202, 202, 202, 202),
	'POST /resets/check': by(410, 410, 410, 410, 410, 410),
	'GET /second-factor': by(401, 200, 200, 200, 401, 401),
	'POST /second-factor': by(401, 201, 201, 201, 401, 401),
	'POST /second-factor/confirm': by(401, 403, 403, 403, 401, 401),
	'POST /second-factor/recovery': by(401, 403, 403, 403, 401, 401),
	'POST /second-factor/end': by(401, 403, 403, 403, 401, 401),
	'POST /businesses': by(401, 403, 200, 200, 401, 401),
	'POST /invites': by(401, 403, 403, 201, 201, 401),
	'POST /devices': by(401, 403, 403, 201, 401, 401),
	'POST /devices/nonce': by(201, 201, 201, 201, 201, 201),
	'POST /devices/token': by(401, 401, 401, 401, 401, 401)
};

function by(...statuses: readonly number[]): Record<Caller, number> {
	const [nobody = 0, customer = 0, stranger = 0, owner = 0, device = 0, lateDevice = 0] = statuses;
	return { nobody, customer, stranger, owner, device, lateDevice };
}

let signUps = 0;

async function bodyOf(route: string): Promise<object | undefined> {
	const key = await createTestKey();
	signUps += 1;
	const account = { username: `fresh.${String(signUps)}`, password: PASSWORD };
	const person = { kind: 'store', name: 'Fresh', email: 'fresh@example.com' };
	const bodies: Readonly<Record<string, object>> = {
		'POST /accounts': { ...person, ...account },
		'POST /sessions': { username: 'owner.of.shop', password: PASSWORD },
		'POST /codes': {},
		'POST /codes/check': { code: '000000' },
		'POST /address': { phone: '+254712345678', password: 'not it' },
		'POST /resets': { username: 'nobody.here' },
		'POST /resets/check': {
			username: 'nobody.here',
			ticket: 'made up',
			code: '000000',
			password: PASSWORD
		},
		'POST /second-factor': { password: PASSWORD },
		'POST /second-factor/confirm': { code: '000000' },
		'POST /second-factor/recovery': { password: PASSWORD, factor: '000000' },
		'POST /second-factor/end': { password: PASSWORD, factor: '000000' },
		'POST /businesses': await claimBody(mintIds(), key),
		'POST /invites': { business: shop.business, branch: shop.branch },
		'POST /devices': await joinBody({ business: shop.business }, key),
		'POST /devices/nonce': {},
		'POST /devices/token': {
			business: shop.business,
			code: 'A',
			nonce: 'made up',
			signature: 'A'.repeat(86)
		}
	};
	return bodies[route];
}

describe('rights', () => {
	const cases = Object.entries(RIGHTS).flatMap(([route, statuses]) =>
		Object.entries(statuses).map(([caller, status]) => [route, caller, status] as const)
	);

	it.each(cases)('[API-4] %s by %s is %i', async (route, caller, status) => {
		const [method = '', path = ''] = route.split(' ');
		// Signing out is tried with a session of its own, so that the others stay.
		const given = path === '/sessions/current' ? {} : callers[caller as Caller];
		// A sign-in replaces the session that asks for it.
		const asks = route === 'POST /sessions' ? {} : given;
		const body = await bodyOf(route);
		const answer = await ask(stand.app, path, {
			method,
			...asks,
			...(body === undefined ? {} : { body })
		});
		const { code } = answer.body;
		expect([answer.status, typeof code === 'string' ? code : 'fine']).toEqual([
			status,
			expect.any(String)
		]);
	});
});

describe('what is sent slowly', () => {
	const OF_THE_SIGNED_IN = [
		'POST /codes',
		'POST /codes/check',
		'POST /second-factor/confirm',
		'POST /businesses',
		'POST /people',
		'POST /phones',
		'POST /invites'
	] as const;

	it.each(OF_THE_SIGNED_IN)(
		'[API-56] %s serves nobody who was signed out meanwhile',
		async (route) => {
			const path = route.slice('POST '.length);
			const body = route === 'POST /people' ? { name: 'A child' } : await bodyOf(route);
			const whole = route === 'POST /phones' ? await phoneBody(shop) : body;
			const { cookie } = await ask(stand.app, '/sessions', {
				body: { username: 'owner.of.shop', password: PASSWORD }
			});
			const { promise: bodyAfter, resolve: send } = Promise.withResolvers<undefined>();
			const asked = ask(stand.app, path, { cookie, body: whole, bodyAfter });
			// It is heard, up to where its body begins.
			expect((await ask(stand.app, '/me', { cookie })).status).toBe(200);
			await ask(stand.app, '/sessions/current', { method: 'DELETE', cookie });
			send(undefined);
			expect((await asked).body['code']).toBe('notSignedIn');
		}
	);
});

async function phoneBody({ person }: Shop): Promise<object> {
	const key = await createTestKey();
	const signature = encodeBase64url(await key.sign(phoneStatement(person, key.publicKey)));
	return { person, publicKey: encodeBase64url(key.publicKey), signature };
}

describe('guards', () => {
	const POSTS = Object.keys(RIGHTS).filter((route) => route.startsWith('POST'));

	it.each(POSTS)('[API-2] %s refuses a foreign page', async (route) => {
		const path = route.slice('POST '.length);
		const body = await bodyOf(route);
		const foreign = [
			{ origin: 'https://evil.example' },
			{ origin: 'null' },
			{ origin: `${ORIGIN}.evil.example` },
			{ 'sec-fetch-site': 'cross-site' },
			{ 'sec-fetch-site': 'same-site' },
			{ origin: '', 'sec-fetch-site': 'cross-site' }
		];
		for (const headers of foreign) {
			const answer = await ask(stand.app, path, { body, headers, cookie: shop.cookie });
			expect([answer.status, answer.body['code']]).toEqual([403, 'foreignOrigin']);
		}
		const hidden = { body, headers: { origin: '' }, cookie: shop.cookie };
		expect((await ask(stand.app, path, hidden)).body['code']).toBe('foreignOrigin');
	});

	it('[API-2] lets a program with no cookie and no origin ask, and our own page by either sign', async () => {
		const path = '/devices/nonce';
		const asks: readonly Ask[] = [
			{ headers: { origin: '' } },
			{ cookie: shop.cookie, headers: { origin: '', 'sec-fetch-site': 'same-origin' } },
			{ cookie: shop.cookie, headers: { origin: ORIGIN } },
			// Behind a proxy that ends TLS.
			{ cookie: shop.cookie, headers: { origin: ORIGIN.replace('https', 'http') } }
		];
		for (const one of asks) {
			expect((await ask(stand.app, path, { body: {}, ...one })).status).toBe(201);
		}
	});

	it('[API-2] refuses a foreign page that signs out', async () => {
		const path = '/sessions/current';
		const headers = { origin: 'https://evil.example' };
		const answer = await ask(stand.app, path, { method: 'DELETE', headers, cookie: shop.cookie });
		expect(answer.status).toBe(403);
		expect((await ask(stand.app, '/me', { cookie: shop.cookie })).status).toBe(200);
	});

	it.each(POSTS)('[API-3] %s refuses what does not say that it is JSON', async (route) => {
		const path = route.slice('POST '.length);
		const body = await bodyOf(route);
		for (const type of [
			'',
			'text/plain',
			'application/x-www-form-urlencoded',
			'application/jsonx'
		]) {
			const answer = await ask(stand.app, path, { body, headers: { 'content-type': type } });
			expect([answer.status, answer.body['code']]).toEqual([415, 'notJson']);
		}
	});

	it('[API-3] refuses a body past its limit, and reads one at it', async () => {
		const path = '/sessions';
		const at = `{"a":"${'x'.repeat(PEOPLE_BODY_BYTES_MAX - 8)}"}`;
		expect(at.length).toBe(PEOPLE_BODY_BYTES_MAX);
		expect((await ask(stand.app, path, { body: at })).body['code']).toBe('bodyInvalid');
		const past = await ask(stand.app, path, { body: `${at} ` });
		expect([past.status, past.body['code']]).toEqual([413, 'bodyTooLarge']);
		const charset = { 'content-type': 'Application/JSON; charset=utf-8' };
		expect((await ask(stand.app, path, { body: '{}', headers: charset })).status).toBe(400);
	});
});

it('[API-1] answers every code as problem+json with the status of the table', async () => {
	for (const code of PROBLEM_CODES) {
		const app = new Hono();
		app.get('/', (c) => problem(c, refusal(code, { epoch: 2, retryAfterMs: 1_001 })));
		const response = await app.request('/');
		expect(response.status).toBe(STATUS_BY_CODE[code]);
		expect(response.headers.get('content-type')).toBe('application/problem+json');
		expect(response.headers.get('retry-after')).toBe('2');
		expect(await response.json()).toEqual({
			type: 'about:blank',
			title: expect.stringMatching(/^[A-Z]/) as string,
			status: STATUS_BY_CODE[code],
			code,
			epoch: 2,
			retryAfterMs: 1_001
		});
	}
});
