import { and, eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBase64url, uuidToBytes } from '#domain/bytes.ts';
import type { Signer } from '#domain/crypto.ts';
import { parseBusinessToken } from '#server/auth/secret-token.ts';
import { business, device, invite } from '#server/database/accounts.ts';
import {
	ask,
	createPeopleStand,
	createTestKey,
	EPOCH,
	joinBody,
	mintIds,
	openShop,
	proveDevice,
	signUp,
	type Answer,
	type PeopleStand,
	type Shop
} from '#tests/support/people-stand.ts';
import { INVITE_MS } from './invites.ts';

let stand: PeopleStand;

beforeAll(async () => {
	stand = await createPeopleStand();
});

afterAll(() => stand.close());

async function inviteTo(shop: Shop): Promise<string> {
	const body = { business: shop.business, branch: shop.branch };
	const answer = await ask(stand.app, '/invites', { cookie: shop.cookie, body });
	expect(answer.body['expiresAt']).toBe(stand.clock.now + INVITE_MS);
	return String(answer.body['token']);
}

async function join(token: unknown, key: Signer): Promise<Answer> {
	return ask(stand.app, '/devices', { body: await joinBody({ token }, key) });
}

describe('POST /devices with an invite', () => {
	it('[API-17] joins a device as its owner, and tells the feed', async () => {
		const shop = await openShop(stand.app, 'amina');
		const key = await createTestKey();
		const answer = await join(await inviteTo(shop), key);
		expect(answer.status).toBe(201);
		expect(answer.body).toEqual({
			business: shop.business,
			branch: shop.branch,
			person: shop.person,
			member: 1,
			code: 'B',
			sight: 'office',
			epoch: EPOCH,
			name: 'Mama Amina'
		});
		expect(stand.told.at(-1)).toEqual({
			business: shop.business,
			draft: {
				kind: 'device',
				device: 'B',
				fields: {
					key: encodeBase64url(key.publicKey),
					member: 1,
					sight: 'office',
					branch: shop.branch
				},
				branch: shop.branch
			}
		});
		const proved = await proveDevice(stand.app, { business: shop.business, code: 'B', key });
		expect(proved.status).toBe(201);
	});

	it('[API-21] tells the sockets of who joined, and not of who was refused', async () => {
		const shop = await openShop(stand.app, 'told');
		expect(stand.moved.filter((one) => one === shop.business)).toHaveLength(1);
		const token = await inviteTo(shop);
		await join(token, await createTestKey());
		expect(stand.moved.filter((one) => one === shop.business)).toHaveLength(2);
		await join(token, await createTestKey());
		expect(stand.moved.filter((one) => one === shop.business)).toHaveLength(2);
	});

	it('[API-17] refuses an invite that another device used', async () => {
		const shop = await openShop(stand.app, 'used');
		const token = await inviteTo(shop);
		expect((await join(token, await createTestKey())).status).toBe(201);
		const answer = await join(token, await createTestKey());
		expect([answer.status, answer.body['code']]).toEqual([410, 'inviteUsed']);
	});

	it('[API-17] of ten devices with one invite at once joins one', async () => {
		const shop = await openShop(stand.app, 'crowd');
		const token = await inviteTo(shop);
		const keys = await Promise.all(Array.from({ length: 10 }, createTestKey));
		const answers = await Promise.all(keys.map((key) => join(token, key)));
		expect(answers.map(({ status }) => status).toSorted()).toEqual([
			201,
			...Array.from({ length: 9 }, () => 410)
		]);
	});

	it('[API-17] refuses an invite after ten minutes, and takes it a moment before', async () => {
		const shop = await openShop(stand.app, 'late');
		const [one, two] = [await inviteTo(shop), await inviteTo(shop)];
		stand.clock.now += INVITE_MS - 1;
		expect((await join(one, await createTestKey())).status).toBe(201);
		stand.clock.now += 1;
		const answer = await join(two, await createTestKey());
		expect([answer.status, answer.body['code']]).toEqual([410, 'inviteExpired']);
	});

	it('[API-17] knows no invite of another business, and none that was made up', async () => {
		const [shop, other] = [await openShop(stand.app, 'mine'), await openShop(stand.app, 'others')];
		const token = Buffer.from(await inviteTo(shop), 'base64url');
		token.set(uuidToBytes(other.business));
		const madeUp = [token.toString('base64url'), 'x', '', 'A'.repeat(48), 'x'.repeat(9000)];
		for (const text of madeUp) {
			const answer = await join(text, await createTestKey());
			expect([answer.status, answer.body['code']]).toEqual([404, 'inviteUnknown']);
		}
	});

	it('[API-19] tells the same to the device whose first answer was lost', async () => {
		const shop = await openShop(stand.app, 'lost');
		const [token, key] = [await inviteTo(shop), await createTestKey()];
		const first = await join(token, key);
		stand.clock.now += INVITE_MS;
		const second = await join(token, key);
		expect([second.status, second.body]).toEqual([201, first.body]);
		const third = await join(await inviteTo(shop), key);
		expect(third.body).toEqual(first.body);
		expect(stand.told.filter((one) => one.business === shop.business)).toHaveLength(3);
	});

	it('[API-13] refuses a key that did not sign', async () => {
		const shop = await openShop(stand.app, 'unsigned');
		const token = await inviteTo(shop);
		const [one, two] = [await createTestKey(), await createTestKey()];
		const { signature } = await joinBody({ token }, two);
		const body = { ...(await joinBody({ token }, one)), signature };
		const answer = await ask(stand.app, '/devices', { body });
		expect([answer.status, answer.body['code']]).toEqual([403, 'signatureInvalid']);
		expect((await join(token, one)).status).toBe(201);
	});

	it('[API-18] gives codes one after the other to twelve that join at once', async () => {
		const shop = await openShop(stand.app, 'twelve');
		const tokens = [];
		for (let n = 0; n < 12; n += 1) tokens.push(await inviteTo(shop));
		const joins = tokens.map(async (token) => join(token, await createTestKey()));
		const codes = (await Promise.all(joins)).map(({ body }) => body['code']);
		expect(codes.toSorted()).toEqual(Array.from('BCDEFGHIJKLM'));
	});

	it('[API-18] goes on with AA after Z, and gives no code of a removed device again', async () => {
		const shop = await openShop(stand.app, 'many');
		const { orm } = stand.database;
		await orm
			.update(business)
			.set({ lastDeviceCode: 'Y' })
			.where(eq(business.business, shop.business));
		const first = await join(await inviteTo(shop), await createTestKey());
		await orm
			.update(device)
			.set({ removedAt: stand.clock.now })
			.where(and(eq(device.business, shop.business), eq(device.code, 'Z')));
		const second = await join(await inviteTo(shop), await createTestKey());
		expect([first.body['code'], second.body['code']]).toEqual(['Z', 'AA']);
	});

	it('[API-45] gives back a code that a restore forgot, and none that is still to be given out', async () => {
		const shop = await openShop(stand.app, 'forgotten');
		const { sql } = stand.database;
		await sql`update business set last_device_code = 'AB' where business = ${shop.business}`;
		const carried = async (n: number, code: string, key: Signer): Promise<void> => {
			const fields = { key: encodeBase64url(key.publicKey), member: 1 };
			const text = JSON.stringify([`0.1-${String(n)}`, 'device', 1, 0, 20_000, 0, code, fields]);
			await sql`
				insert into fact (business, code, n, kind, wall, counter, on_day, member, text, digest, s,
					carried_by)
				values (${shop.business}, '0.1', ${n}, 'device', 1, 0, '2024-10-04', 0, ${text}, 0,
					${1_000 + n}, 'B')`;
		};
		const [forged, second, honest] = [
			await createTestKey(),
			await createTestKey(),
			await createTestKey()
		];
		await carried(1, 'AC', forged);
		await carried(2, 'BAA', second);
		await carried(3, 'BAB', honest);
		await carried(4, 'C', honest);
		const codes: unknown[] = [];
		for (const key of [honest, forged, second, await createTestKey()]) {
			const joined = await join(await inviteTo(shop), key);
			expect(joined.status).toBe(201);
			codes.push(joined.body['code']);
		}
		expect(codes).toEqual(['C', 'AC', 'AD', 'AE']);
	});

	it('[KEEP-16] gives no code at or below one that a device has told of since a restore', async () => {
		const shop = await openShop(stand.app, 'fast');
		const { sql } = stand.database;
		const carried = async (n: number, code: string): Promise<void> => {
			const text = JSON.stringify([
				`0.1-${String(n)}`,
				'device',
				1,
				0,
				20_000,
				0,
				code,
				{ key: '' }
			]);
			await sql`
				insert into fact (business, code, n, kind, wall, counter, on_day, member, text, digest, s,
					carried_by)
				values (${shop.business}, '0.1', ${n}, 'device', 1, 0, '2024-10-04', 0, ${text}, 0,
					${1_000 + n}, 'B')`;
		};
		const codes: unknown[] = [];
		for (const told of ['B', 'CB', 'CA', 'ZZZ']) {
			await carried(codes.length + 1, told);
			const joined = await join(await inviteTo(shop), await createTestKey());
			codes.push(joined.body['code']);
		}
		// Nobody makes so many that the last of all was given out.
		expect(codes).toEqual(['C', 'CC', 'CD', 'CE']);
	});

	it('[AUTH-9] tells a removed device so when it comes again', async () => {
		const shop = await openShop(stand.app, 'removed');
		const [token, key] = [await inviteTo(shop), await createTestKey()];
		await join(token, key);
		await stand.database.orm
			.update(device)
			.set({ removedAt: stand.clock.now })
			.where(and(eq(device.business, shop.business), eq(device.code, 'B')));
		const fresh = await inviteTo(shop);
		for (const one of [token, fresh]) {
			const answer = await join(one, key);
			expect([answer.status, answer.body['code']]).toEqual([403, 'deviceRemoved']);
		}
		expect((await join(fresh, await createTestKey())).status).toBe(201);
	});

	it('[AUTH-4] keeps no invite that could be used', async () => {
		const shop = await openShop(stand.app, 'digest');
		const token = await inviteTo(shop);
		const parsed = parseBusinessToken(token);
		const rows = stand.database.orm.select().from(invite);
		const [row] = await rows.where(eq(invite.business, shop.business));
		expect(parsed).toEqual({
			ok: true,
			value: { business: shop.business, digest: row?.tokenHash }
		});
		const raw = new Uint8Array(Buffer.from(token, 'base64url'));
		expect(row?.tokenHash).not.toEqual(raw);
	});
});

describe('POST /devices with the owner signed in', () => {
	async function joinSignedIn(shop: Shop, cookie: string, key: Signer): Promise<Answer> {
		const body = await joinBody({ business: shop.business }, key);
		return ask(stand.app, '/devices', { cookie, body });
	}

	it('[API-19] joins the device to the first branch, twice the same', async () => {
		const shop = await openShop(stand.app, 'signed.in');
		const key = await createTestKey();
		const first = await joinSignedIn(shop, shop.cookie, key);
		expect(first.status).toBe(201);
		expect(first.body).toMatchObject({ branch: shop.branch, member: 1, code: 'B' });
		expect((await joinSignedIn(shop, shop.cookie, key)).body).toEqual(first.body);
		const own = await joinSignedIn(shop, shop.cookie, shop.key);
		expect(own.body['code']).toBe('A');
	});

	it('[API-20] refuses a stranger as it refuses a business that is not there', async () => {
		const shop = await openShop(stand.app, 'not.yours');
		const { cookie } = await signUp(stand.app, 'intruder');
		const nowhere = { ...shop, business: mintIds().business };
		const answers = [
			await joinSignedIn(shop, cookie, await createTestKey()),
			await joinSignedIn(nowhere, cookie, await createTestKey())
		];
		expect(answers.map(({ status }) => status)).toEqual([403, 403]);
		expect(answers[0]?.body).toEqual(answers[1]?.body);
		expect(answers[0]?.body['code']).toBe('notAMember');
	});
});

describe('POST /invites', () => {
	it('[API-20] refuses another business, and a branch that is not there', async () => {
		const [shop, other] = [
			await openShop(stand.app, 'inviter'),
			await openShop(stand.app, 'invited')
		];
		const { cookie } = shop;
		const codeOf = async (body: object): Promise<unknown> =>
			(await ask(stand.app, '/invites', { cookie, body })).body['code'];
		const branchElsewhere = { business: shop.business, branch: other.branch };
		expect(await codeOf(branchElsewhere)).toBe('branchUnknown');
		expect(await codeOf({ business: other.business, branch: other.branch })).toBe('notAMember');
		expect(await codeOf(mintIds())).toBe('notAMember');
		expect(await codeOf({ business: shop.business })).toBe('bodyInvalid');
	});

	it('takes the bearer token of an owner’s device, of its own business only', async () => {
		const [shop, other] = [
			await openShop(stand.app, 'bearer'),
			await openShop(stand.app, 'bearer.other')
		];
		const proved = await proveDevice(stand.app, { ...shop, code: 'A' });
		const bearer = String(proved.body['token']);
		const mine = { business: shop.business, branch: shop.branch };
		expect((await ask(stand.app, '/invites', { bearer, body: mine })).status).toBe(201);
		const theirs = { business: other.business, branch: other.branch };
		const answer = await ask(stand.app, '/invites', { bearer, body: theirs });
		expect([answer.status, answer.body['code']]).toEqual([403, 'notAMember']);
	});
});
