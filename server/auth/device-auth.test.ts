import { and, eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBase64url, uuidToBytes } from '#domain/bytes.ts';
import { deviceStatement } from '#domain/claim-statement.ts';
import { parseDeviceCode } from '#domain/ids.ts';
import { err, ok } from '#domain/result.ts';
import { device, deviceNonce, deviceToken, ticket } from '#server/database/accounts.ts';
import {
	ask,
	createPeopleStand,
	createTestKey,
	joinBody,
	openShop,
	proveDevice,
	signUp,
	type Answer,
	type PeopleStand,
	type Shop
} from '#tests/support/people-stand.ts';
import { DEVICE_TOKEN_MS, NONCE_MS } from './device-auth.ts';
import { parseBusinessToken } from './secret-token.ts';
import { TICKET_MS } from './tickets.ts';

let stand: PeopleStand;
let shop: Shop;
let other: Shop;

beforeAll(async () => {
	stand = await createPeopleStand();
	shop = await openShop(stand.app, 'amina');
	other = await openShop(stand.app, 'bakari');
});

afterAll(() => stand.close());

async function nonce(): Promise<string> {
	return stand.auth.deviceAuth.createNonce();
}

async function prove(text: string, changes: object = {}, key = shop.key): Promise<Answer> {
	const bytes = new Uint8Array(Buffer.from(text, 'base64url'));
	const signature = encodeBase64url(await key.sign(deviceStatement(bytes, shop.business)));
	const body = { business: shop.business, code: 'A', nonce: text, signature, ...changes };
	return ask(stand.app, '/devices/token', { body });
}

function caller(of: Shop): object {
	return {
		sort: 'device',
		scope: of.business,
		business: of.business,
		branch: of.branch,
		code: 'A',
		member: 1,
		role: 'owner',
		sight: 'office',
		publicKey: of.key.publicKey
	};
}

describe('a device that proves itself', () => {
	it('[AUTH-6] is believed once for one nonce', async () => {
		const text = await nonce();
		const first = await prove(text);
		expect(first.status).toBe(201);
		expect(first.body['expiresAt']).toBe(stand.clock.now + DEVICE_TOKEN_MS);
		const second = await prove(text);
		expect([second.status, second.body['code']]).toEqual([401, 'nonceSpent']);
	});

	it('[AUTH-6] of ten proofs with one nonce at once is believed once', async () => {
		const text = await nonce();
		const answers = await Promise.all(Array.from({ length: 10 }, () => prove(text)));
		expect(answers.map(({ status }) => status).toSorted()).toEqual([
			201,
			...Array.from({ length: 9 }, () => 401)
		]);
	});

	it('[AUTH-6] is not believed after 60 seconds, and is a moment before', async () => {
		const [one, two] = [await nonce(), await nonce()];
		stand.clock.now += NONCE_MS - 1;
		expect((await prove(one)).status).toBe(201);
		stand.clock.now += 1;
		expect((await prove(two)).body['code']).toBe('nonceSpent');
	});

	it('[AUTH-6] spends the nonce with a wrong proof', async () => {
		const text = await nonce();
		const wrong = await prove(text, {}, await createTestKey());
		expect([wrong.status, wrong.body['code']]).toEqual([401, 'deviceRefused']);
		expect((await prove(text)).body['code']).toBe('nonceSpent');
	});

	it('[AUTH-6] is not believed for another business, another code or a nonce made up', async () => {
		const elsewhere = await prove(await nonce(), { business: other.business });
		const nobody = await prove(await nonce(), { code: 'Q' });
		expect([elsewhere.body, nobody.body]).toEqual([nobody.body, elsewhere.body]);
		expect(nobody.body['code']).toBe('deviceRefused');
		expect((await prove(encodeBase64url(new Uint8Array(32)))).body['code']).toBe('nonceSpent');
		const short = { nonce: 'AAAA' };
		expect((await prove(await nonce(), short)).body['code']).toBe('nonceSpent');
	});

	it('[AUTH-15] takes away what nobody used in time', async () => {
		await nonce();
		stand.clock.now += NONCE_MS + 1;
		await nonce();
		expect(await stand.database.orm.select().from(deviceNonce)).toHaveLength(1);
	});
});

async function bearer(): Promise<string> {
	return String((await proveDevice(stand.app, { ...shop, code: 'A' })).body['token']);
}

function authenticate(headers: Readonly<Record<string, string>>): Promise<unknown> {
	return stand.auth.deviceAuth.authenticateDevice(new Headers(headers));
}

describe('authenticateDevice', () => {
	it('[AUTH-7] knows the device by its bearer token, for an hour', async () => {
		const authorization = `Bearer ${await bearer()}`;
		stand.clock.now += DEVICE_TOKEN_MS - 1;
		expect(await authenticate({ authorization })).toEqual(ok(caller(shop)));
		stand.clock.now += 1;
		expect(await authenticate({ authorization })).toEqual(err('notSignedIn'));
	});

	it('[AUTH-7] knows no token of another business, and none that was made up', async () => {
		const bytes = Buffer.from(await bearer(), 'base64url');
		bytes.set(uuidToBytes(other.business));
		for (const token of [bytes.toString('base64url'), 'x', '', `A${'x'.repeat(9000)}`]) {
			const answer = await authenticate({ authorization: `Bearer ${token}` });
			expect(answer).toEqual(err('notSignedIn'));
		}
		expect(await authenticate({ authorization: 'Basic eDp5' })).toEqual(err('notSignedIn'));
		expect(await authenticate({})).toEqual(err('notSignedIn'));
	});

	it('[AUTH-4] keeps no token that could be used', async () => {
		const token = await bearer();
		const rows = await stand.database.orm.select().from(deviceToken);
		const raw = new Uint8Array(Buffer.from(token, 'base64url'));
		const parsed = parseBusinessToken(token);
		expect(rows.map(({ tokenHash }) => tokenHash)).not.toContainEqual(raw);
		expect(rows.map(({ tokenHash }) => tokenHash)).toContainEqual(
			parsed.ok ? parsed.value.digest : undefined
		);
	});

	it('[AUTH-8] knows the device by its member’s session and its name', async () => {
		const cookie = `__Host-session=${shop.cookie}`;
		const name = `${shop.business}/A`;
		// By which session it came goes along: its end is the end of what it opened.
		const session = (await stand.auth.sessions.find(shop.cookie))?.id;
		const answer = await authenticate({ cookie, 'daftar-device': name });
		expect(answer).toEqual(ok({ ...caller(shop), session }));
	});

	it('[AUTH-8] refuses a session without the name, with another’s, and a name without a session', async () => {
		const cookie = `__Host-session=${shop.cookie}`;
		const names = [
			undefined,
			'',
			shop.business,
			`${shop.business}/`,
			`${shop.business}/B`,
			`${shop.business}/A/A`,
			`${other.business}/A`
		];
		for (const name of names) {
			const headers = name === undefined ? { cookie } : { cookie, 'daftar-device': name };
			expect(await authenticate(headers)).toEqual(err('notSignedIn'));
		}
		const { cookie: stranger } = await signUp(stand.app, 'stranger');
		const foreign = { cookie: `__Host-session=${stranger}`, 'daftar-device': `${shop.business}/A` };
		expect(await authenticate(foreign)).toEqual(err('notSignedIn'));
		expect(await authenticate({ 'daftar-device': `${shop.business}/A` })).toEqual(
			err('notSignedIn')
		);
	});

	it('[AUTH-8] does not fall back to the session where a bearer token is bad', async () => {
		const headers = {
			authorization: 'Bearer bad',
			cookie: `__Host-session=${shop.cookie}`,
			'daftar-device': `${shop.business}/A`
		};
		expect(await authenticate(headers)).toEqual(err('notSignedIn'));
	});

	it('[AUTH-9] tells a removed device so, by token, by session and by proof', async () => {
		const key = await createTestKey();
		const body = await joinBody({ business: shop.business }, key);
		const joined = await ask(stand.app, '/devices', { cookie: shop.cookie, body });
		const code = String(joined.body['code']);
		const proved = await proveDevice(stand.app, { business: shop.business, code, key });
		const token = String(proved.body['token']);
		await stand.database.orm
			.update(device)
			.set({ removedAt: stand.clock.now })
			.where(and(eq(device.business, shop.business), eq(device.code, code)));

		const cookie = `__Host-session=${shop.cookie}`;
		const headers = { cookie, 'daftar-device': `${shop.business}/${code}` };
		expect(await authenticate({ authorization: `Bearer ${token}` })).toEqual(err('deviceRemoved'));
		expect(await authenticate(headers)).toEqual(err('deviceRemoved'));
		const again = await proveDevice(stand.app, { business: shop.business, code, key });
		expect([again.status, again.body['code']]).toEqual([403, 'deviceRemoved']);
	});
});

describe('a ticket', () => {
	const code = parseDeviceCode('A');
	const DOCUMENT = 'j/one';

	async function create(): Promise<string> {
		if (!code.ok) throw new Error('A is a code');
		return stand.auth.tickets.create(
			{ sort: 'device', scope: shop.business, code: code.value },
			DOCUMENT
		);
	}

	it('[AUTH-10] opens its document once', async () => {
		const { tickets } = stand.auth;
		const text = await create();
		const taken = await Promise.all([tickets.take(text, DOCUMENT), tickets.take(text, DOCUMENT)]);
		expect(taken.filter((one) => one.ok)).toEqual([ok(caller(shop))]);
	});

	it('[AUTH-10] opens nothing after 60 seconds, no other document, and nothing when made up', async () => {
		const { tickets } = stand.auth;
		const refused = err('ticketRefused');
		const late = await create();
		stand.clock.now += TICKET_MS;
		expect(await tickets.take(late, DOCUMENT)).toEqual(refused);
		expect(await tickets.take(await create(), 'j/other')).toEqual(refused);
		expect(await tickets.take('made up', DOCUMENT)).toEqual(refused);
		const last = await create();
		stand.clock.now += TICKET_MS - 1;
		expect((await tickets.take(last, DOCUMENT)).ok).toBe(true);
		expect(await stand.database.orm.select().from(ticket)).toEqual([]);
	});

	it('[AUTH-24] that was given to a session ends with it, and says whose it was until then', async () => {
		if (!code.ok) throw new Error('A is a code');
		const { tickets, sessions } = stand.auth;
		const session = (await sessions.find(shop.cookie))?.id ?? '';
		const holder = { sort: 'device', scope: shop.business, code: code.value, session } as const;
		const first = await tickets.create(holder, DOCUMENT);
		expect(await tickets.take(first, DOCUMENT)).toEqual(ok({ ...caller(shop), session }));
		const second = await tickets.create(holder, DOCUMENT);
		await sessions.end(shop.cookie);
		expect(await tickets.take(second, DOCUMENT)).toEqual(err('ticketRefused'));
		expect((await tickets.take(await create(), DOCUMENT)).ok).toBe(true);
	});

	it('[AUTH-10] of a device removed since opens nothing', async () => {
		const text = await create();
		const where = and(eq(device.business, shop.business), eq(device.code, 'A'));
		const { orm } = stand.database;
		await orm.update(device).set({ removedAt: stand.clock.now }).where(where);
		expect(await stand.auth.tickets.take(text, DOCUMENT)).toEqual(err('ticketRefused'));
		await orm.update(device).set({ removedAt: null }).where(where);
	});
});
