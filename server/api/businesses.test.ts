import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBase64url } from '#domain/bytes.ts';
import { business, device, member, person, personAlias } from '#server/database/accounts.ts';
import {
	ask,
	claimBody,
	createPeopleStand,
	createTestKey,
	EPOCH,
	mintIds,
	openShop,
	signUp,
	type Answer,
	type PeopleStand
} from '#tests/support/people-stand.ts';

let stand: PeopleStand;

beforeAll(async () => {
	stand = await createPeopleStand();
});

afterAll(() => stand.close());

const CLAIMED = { code: 'A', member: 1, epoch: EPOCH };

function claim(cookie: string, body: unknown): Promise<Answer> {
	return ask(stand.app, '/businesses', { cookie, body });
}

describe('POST /businesses', () => {
	it('[API-16] takes the claim, and tells the feed of the member and the device', async () => {
		const { cookie, person: mine } = await signUp(stand.app, 'amina');
		const [ids, key] = [{ ...mintIds(), person: mine }, await createTestKey()];
		const answer = await claim(cookie, await claimBody(ids, key));
		expect([answer.status, answer.body]).toEqual([200, CLAIMED]);

		const told = stand.told.filter((one) => one.business === ids.business);
		const fields = { member: 1, sight: 'office', branch: ids.branch };
		expect(told.map(({ draft }) => draft)).toEqual([
			{
				kind: 'member',
				member: 1,
				fields: { name: 'Amina Odhiambo', role: 'owner', person: mine },
				branch: null
			},
			{
				kind: 'device',
				device: 'A',
				fields: { key: encodeBase64url(key.publicKey), ...fields },
				branch: ids.branch
			}
		]);
		const me = await ask(stand.app, '/me', { cookie });
		expect(me.body['businesses']).toEqual([
			{ business: ids.business, name: 'Mama Amina', branch: ids.branch }
		]);
	});

	it('[API-14] answers the same claim the same, also of ten at once, and tells it once', async () => {
		const { cookie, person: mine } = await signUp(stand.app, 'again');
		const ids = { ...mintIds(), person: mine };
		const body = await claimBody(ids, await createTestKey());
		const answers = await Promise.all(Array.from({ length: 10 }, () => claim(cookie, body)));
		expect(answers.map((answer) => answer.body)).toEqual(Array.from({ length: 10 }, () => CLAIMED));
		expect(stand.told.filter((one) => one.business === ids.business)).toHaveLength(2);
	});

	it('[API-14] refuses a known business to another key, branch or account', async () => {
		const shop = await openShop(stand.app, 'known');
		const stranger = await signUp(stand.app, 'stranger');
		const claims = [
			claim(shop.cookie, await claimBody(shop, await createTestKey())),
			claim(shop.cookie, await claimBody({ ...shop, branch: mintIds().branch }, shop.key)),
			claim(stranger.cookie, await claimBody(shop, shop.key)),
			claim(stranger.cookie, await claimBody(shop, await createTestKey()))
		];
		for (const answer of await Promise.all(claims)) {
			expect([answer.status, answer.body['code']]).toEqual([409, 'businessKnown']);
		}
		const devices = stand.database.orm.select().from(device);
		expect(await devices.where(eq(device.business, shop.business))).toHaveLength(1);
	});

	it('[API-13] refuses a signature that is not over all that the claim names', async () => {
		const { cookie } = await signUp(stand.app, 'unsigned');
		const [ids, key, other] = [mintIds(), await createTestKey(), await createTestKey()];
		const body = await claimBody(ids, key);
		const wrong = [
			{ ...body, business: mintIds().business },
			{ ...body, branch: mintIds().branch },
			{ ...body, person: mintIds().person },
			{ ...body, publicKey: encodeBase64url(other.publicKey) },
			{ ...body, publicKey: encodeBase64url(new Uint8Array(65).fill(4)) },
			{ ...body, signature: encodeBase64url(new Uint8Array(64)) },
			{ ...body, signature: (await claimBody(ids, other))['signature'] }
		];
		for (const spoilt of wrong) {
			const answer = await claim(cookie, spoilt);
			expect([answer.status, answer.body['code']]).toEqual([403, 'signatureInvalid']);
		}
		const rows = stand.database.orm.select().from(business);
		expect(await rows.where(eq(business.business, ids.business))).toEqual([]);
	});

	it('[API-3] refuses what is no claim', async () => {
		const { cookie } = await signUp(stand.app, 'shapeless');
		const body = await claimBody(mintIds(), await createTestKey());
		const wrong = [
			{ ...body, business: String(body['business']).toUpperCase() },
			{ ...body, publicKey: String(body['publicKey']).slice(4) },
			{ ...body, signature: `${String(body['signature'])}=` },
			{ ...body, name: null }
		];
		for (const spoilt of wrong) {
			expect((await claim(cookie, spoilt)).body['code']).toBe('bodyInvalid');
		}
		expect((await claim(cookie, { ...body, name: '\0' })).body['code']).toBe('nameInvalid');
	});

	it('[API-15] makes the minted person an alias of the one the account has', async () => {
		const { cookie, person: mine } = await signUp(stand.app, 'two.persons');
		const ids = mintIds();
		expect((await claim(cookie, await claimBody(ids, await createTestKey()))).status).toBe(200);
		const { orm } = stand.database;
		const aliases = orm.select().from(personAlias).where(eq(personAlias.alias, ids.person));
		expect(await aliases).toMatchObject([{ alias: ids.person, person: mine }]);
		const members = orm.select().from(member).where(eq(member.business, ids.business));
		expect(await members).toMatchObject([{ member: 1, person: mine, role: 'owner' }]);

		const second = { ...mintIds(), person: ids.person };
		expect((await claim(cookie, await claimBody(second, await createTestKey()))).status).toBe(200);
	});

	it('[API-9] refuses a claim with a person, or an alias, that is somebody else', async () => {
		const shop = await openShop(stand.app, 'somebody');
		const alias = mintIds();
		await claim(shop.cookie, await claimBody(alias, await createTestKey()));
		const stranger = await signUp(stand.app, 'else');
		for (const taken of [shop.person, alias.person]) {
			const ids = { ...mintIds(), person: taken };
			const answer = await claim(stranger.cookie, await claimBody(ids, await createTestKey()));
			expect([answer.status, answer.body['code']]).toEqual([409, 'personKnown']);
			const rows = stand.database.orm.select().from(business);
			expect(await rows.where(eq(business.business, ids.business))).toEqual([]);
		}
		const sign = { kind: 'store', username: 'alias.taker', name: 'x', email: 'x@example.com' };
		const body = { ...sign, password: 'long enough', person: alias.person };
		expect((await ask(stand.app, '/accounts', { body })).body['code']).toBe('personKnown');
		const rows = stand.database.orm.select().from(person);
		expect(await rows.where(eq(person.person, alias.person))).toEqual([]);
	});
});

it('[API-16] lets nobody in whom the feed was not told of', async () => {
	const broken = await createPeopleStand({
		tellFeed: () => Promise.reject(new Error('the feed is broken'))
	});
	const { cookie, person: mine } = await signUp(broken.app, 'unlucky');
	const body = await claimBody({ ...mintIds(), person: mine }, await createTestKey());
	broken.app.onError((_fault, c) => c.json({}, 500));
	expect((await ask(broken.app, '/businesses', { cookie, body })).status).toBe(500);
	expect(await broken.database.orm.select().from(business)).toEqual([]);
	expect(await broken.database.orm.select().from(device)).toEqual([]);
	await broken.close();
});
