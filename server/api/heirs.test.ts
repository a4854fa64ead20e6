import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBase64url, encodeBase64url } from '#domain/bytes.ts';
import { heirStatement, phoneStatement } from '#domain/claim-statement.ts';
import type { Signer } from '#domain/crypto.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { relayMessage } from '#domain/fact/relay-message.ts';
import { device } from '#server/database/accounts.ts';
import {
	ask,
	createPeopleStand,
	createTestKey,
	EPOCH,
	openShop,
	proveDevice,
	signUp,
	type Answer,
	type PeopleStand,
	type Shop
} from '#tests/support/people-stand.ts';
import { PHONES_MAX } from './persons.ts';

let stand: PeopleStand;
beforeAll(async () => {
	stand = await createPeopleStand();
});
afterAll(() => stand.close());

interface Asking {
	readonly old: Signer;
	readonly heir: Signer;
	readonly code?: string;
	/** What is signed over, where that is not what is asked for. */
	readonly signedCode?: string;
	readonly newSigner?: Signer;
	readonly told?: string;
}

async function takePlace(shop: Shop, asking: Asking, { app } = stand): Promise<Answer> {
	const { old, heir, code = 'A', signedCode = code, newSigner = heir, told } = asking;
	const given = await ask(app, '/devices/nonce', { body: {} });
	const nonce = decodeBase64url(String(given.body['nonce']));
	if (!nonce.ok) throw new Error('no nonce');
	const of = { scope: shop.business, code: signedCode, publicKey: heir.publicKey };
	const statement = heirStatement(nonce.value, of);
	return ask(app, '/devices/heir', {
		body: {
			business: shop.business,
			code,
			nonce: given.body['nonce'],
			signature: encodeBase64url(await old.sign(statement)),
			publicKey: encodeBase64url(heir.publicKey),
			newSignature: encodeBase64url(await newSigner.sign(statement)),
			told
		}
	});
}

describe('POST /devices/heir', () => {
	it('[API-40] gives the heir the next code, tells the feed whose it is, and the same key the same again', async () => {
		const shop = await openShop(stand.app, 'heir');
		const heir = await createTestKey();
		const answer = await takePlace(shop, { old: shop.key, heir });
		expect(answer.status).toBe(201);
		expect(answer.body).toMatchObject({ code: 'B', member: 1, sight: 'office', epoch: EPOCH });
		expect(stand.told.at(-1)?.draft).toMatchObject({
			kind: 'device',
			device: 'B',
			fields: { heirOf: 'A', key: encodeBase64url(heir.publicKey), branch: shop.branch }
		});
		const told = stand.told.length;
		expect((await takePlace(shop, { old: shop.key, heir })).body).toEqual(answer.body);
		expect(stand.told.length).toBe(told);
		expect((await proveDevice(stand.app, { ...shop, code: 'B', key: heir })).status).toBe(201);
		// Three copies have two heirs, and an heir may have one of its own.
		const other = await createTestKey();
		expect((await takePlace(shop, { old: shop.key, heir: other })).body['code']).toBe('C');
		const next = await createTestKey();
		const chained = await takePlace(shop, { old: heir, heir: next, code: 'B' });
		expect(chained.body['code']).toBe('D');
		const taken = await takePlace(shop, { old: shop.key, heir: next });
		expect([taken.status, taken.body['code']]).toEqual([401, 'deviceRefused']);
	});

	it('[API-40] refuses who does not hold both keys, or asks in another’s name', async () => {
		const shop = await openShop(stand.app, 'thief');
		const heir = await createTestKey();
		const stranger = await createTestKey();
		const tries: readonly Asking[] = [
			{ old: stranger, heir },
			{ old: shop.key, heir, newSigner: stranger },
			{ old: shop.key, heir, code: 'B' },
			{ old: shop.key, heir, signedCode: 'B' },
			{ old: shop.key, heir: shop.key }
		];
		for (const one of tries) {
			const answer = await takePlace(shop, one);
			expect([answer.status, answer.body['code']]).toEqual([401, 'deviceRefused']);
		}
		const orm = stand.database.orm;
		const rows = await orm.select().from(device).where(eq(device.business, shop.business));
		expect(rows).toHaveLength(1);
	});

	it('[API-45] gives an heir that a restore forgot the code that it had, unless it is somebody else’s', async () => {
		const shop = await openShop(stand.app, 'forgottenheir');
		const { sql } = stand.database;
		const [relay, stranger] = [await createTestKey(), await createTestKey()];
		await sql`update business set last_device_code = 'AB' where business = ${shop.business}`;
		await sql`
			insert into relay_key (place, kid, public_key, sealed, created_at)
			values (2, 'lost', ${Buffer.from(relay.publicKey)}, '', 0)`;
		const word = async (code: string, heir: Signer, by = relay): Promise<string> => {
			const fields = { key: encodeBase64url(heir.publicKey), member: 1 };
			const said = JSON.stringify(['0.1-9', 'device', 1, 0, 20_000, 0, code, fields]);
			const fact = parseFact(said);
			if (!fact.ok || fact.value.kind !== 'device') throw new Error('no fact of a device');
			const message = relayMessage(shop.business, fact.value);
			return encodeFact({ ...fact.value, sig: encodeBase64url(await by.sign(message)) });
		};
		const codeOf = async (heir: Signer, told: string): Promise<unknown> =>
			(await takePlace(shop, { old: shop.key, heir, told })).body['code'];
		const codes: unknown[] = [];
		for (const had of ['C', 'C', 'A', 'BA', 'AB']) {
			const heir = await createTestKey();
			codes.push(await codeOf(heir, await word(had, heir)));
		}
		expect(codes).toEqual(['C', 'AC', 'AD', 'BA', 'AB']);
		const heir = await createTestKey();
		expect(await codeOf(heir, await word('D', heir, stranger))).toBe('BB');
		const another = await createTestKey();
		expect(await codeOf(another, await word('D', heir))).toBe('BC');
		expect(await codeOf(await createTestKey(), 'no fact')).toBe('BD');
	});

	it('[API-38] [API-41] looks at the sockets of a phone that makes room for its heir', async () => {
		const { cookie, person } = await signUp(stand.app, 'amina.phones', { kind: 'customer' });
		const keys: Signer[] = [];
		for (let n = 1; n <= PHONES_MAX; n += 1) {
			const key = await createTestKey();
			keys.push(key);
			const signature = encodeBase64url(await key.sign(phoneStatement(person, key.publicKey)));
			const body = { person, publicKey: encodeBase64url(key.publicKey), signature };
			expect((await ask(stand.app, '/phones', { cookie, body })).status).toBe(201);
		}
		const [old, heir] = [keys[0], await createTestKey()];
		if (old === undefined) throw new Error('four phones');
		stand.revoked.length = 0;
		const { nonce } = (await ask(stand.app, '/devices/nonce', { body: {} })).body;
		const bytes = new Uint8Array(Buffer.from(String(nonce), 'base64url'));
		const of = { scope: person, code: 'p1', publicKey: heir.publicKey };
		const statement = heirStatement(bytes, of);
		const signature = encodeBase64url(await old.sign(statement));
		const newSignature = encodeBase64url(await heir.sign(statement));
		const publicKey = encodeBase64url(heir.publicKey);
		const body = { person, code: 'p1', nonce, signature, publicKey, newSignature };
		const answer = await ask(stand.app, '/devices/heir', { body });
		expect([answer.status, answer.body['code']]).toEqual([201, 'p5']);
		expect(stand.revoked).toEqual([person]);
	});

	it('[API-40] gives a removed device no heir', async () => {
		const shop = await openShop(stand.app, 'removed');
		const orm = stand.database.orm;
		await orm
			.update(device)
			.set({ removedAt: stand.clock.now })
			.where(eq(device.business, shop.business));
		const answer = await takePlace(shop, { old: shop.key, heir: await createTestKey() });
		expect([answer.status, answer.body['code']]).toEqual([403, 'deviceRemoved']);
	});

	it('[API-40] counts no heir that is told the same again, and none that a removed device asks for', async () => {
		const strict = await createPeopleStand({
			limits: { heirsByScope: { times: 2, withinMs: 60_000 } }
		});
		const shop = await openShop(strict.app, 'counted');
		const [heir, late, other] = [
			await createTestKey(),
			await createTestKey(),
			await createTestKey()
		];
		const codeOf = async (asking: Asking): Promise<unknown> =>
			(await takePlace(shop, asking, strict)).body['code'];
		// It hears its code, and never gets as far as its book of it.
		for (let n = 0; n < 4; n += 1) expect(await codeOf({ old: shop.key, heir })).toBe('B');
		await strict.database.orm
			.update(device)
			.set({ removedAt: strict.clock.now })
			.where(eq(device.code, 'B'));
		for (let n = 0; n < 4; n += 1)
			expect(await codeOf({ old: heir, heir: late, code: 'B' })).toBe('deviceRemoved');
		expect(await codeOf({ old: shop.key, heir: other })).toBe('C');
		expect(await codeOf({ old: shop.key, heir: late })).toBe('tooManyAttempts');
		await strict.close();
	});
});
