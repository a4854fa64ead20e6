import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Sql } from 'postgres';
import type { DeviceCode, LedgerId, PersonId } from '#domain/ids.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { DeviceCaller } from '#server/auth/device-auth.ts';
import { systemRandom } from '#server/auth/random.ts';
import { claimFact, recordFact, type ShopAuthor } from '#tests/support/hostile-facts.ts';
import {
	createHostileStand,
	mintLedger,
	type HostileStand,
	type StandShop
} from '#tests/support/hostile-stand.ts';
import { createPersonsOf } from './persons.ts';

let stand: HostileStand;
let shop: StandShop;
let ledger: LedgerId;

beforeAll(async () => {
	stand = await createHostileStand();
	shop = await stand.shop('asha');
	ledger = mintLedger();
});
afterAll(async () => {
	await stand.close();
	expect(stand.faults).toEqual([]);
});

/** The shop's own device, which says that another's hand was on it. */
async function writtenBy(person: string): Promise<readonly string[]> {
	const author: ShopAuthor = { ...shop, person: person as PersonId };
	const record = await recordFact(author, { ledger });
	const claim = await claimFact(author, { h: HASH, way: 'sheet', code: '12345678', counter: 0 });
	const outcomes = [await stand.put(shop, [record]), await stand.put(shop, [claim])];
	shop.n = author.n;
	return outcomes;
}

const HASH = 'A'.repeat(43) as RecordHash;

it('[RELAY-55] a record or claim names the member, by any UUID that is his, and nobody else', async () => {
	const other = await stand.shop('other');
	expect(await writtenBy(shop.person)).toEqual(['taken', 'taken']);
	const stranger = systemRandom.uuid();
	for (const person of [other.person, stranger]) {
		expect(await writtenBy(person)).toEqual(['notYourPerson', 'notYourPerson']);
	}
	// What a device minted for him is another name of his as soon as the account took it.
	const { sql } = stand.database;
	await sql`
		insert into person_alias (alias, person, created_at) values (${stranger}, ${shop.person}, 0)`;
	const second = systemRandom.uuid();
	await sql`
		insert into person (person, account, created_at)
		select ${second}::uuid, account, 0 from member where business = ${shop.business}`;
	for (const person of [stranger, second, shop.person]) {
		expect(await writtenBy(person)).toEqual(['taken', 'taken']);
	}
	expect(await writtenBy(other.person)).toEqual(['notYourPerson', 'notYourPerson']);
});

it('[RELAY-55] are looked up once an update, however many strangers it names', async () => {
	const { sql } = stand.database;
	let statements = 0;
	const counted = new Proxy(sql, {
		apply: (target, self, given: Parameters<Sql>) => {
			statements += 1;
			return Reflect.apply(target, self, given) as unknown;
		}
	});
	const personsOf = createPersonsOf(counted);
	const caller: DeviceCaller = {
		...({ sort: 'device', scope: shop.business, business: shop.business } as const),
		...({ branch: shop.branch, code: 'A' as DeviceCode, member: 1 } as const),
		...({ role: 'owner', sight: 'office', publicKey: shop.signer.publicKey } as const)
	};
	for (const round of [1, 2]) {
		const { has } = personsOf()(caller);
		for (let n = 0; n < 50; n += 1) expect(await has(systemRandom.uuid())).toBe(false);
		expect(await has(shop.person)).toBe(true);
		expect(statements).toBe(round);
	}
	expect(await personsOf()(caller).has(shop.person)).toBe(true);
	expect(statements).toBe(2);
});
