import { afterEach, beforeEach, expect, it } from 'vitest';
import type { BusinessId, PersonId } from '#domain/ids.ts';
import type { Caller } from '#server/auth/phone-auth.ts';
import { deviceCaller } from '#tests/support/device-caller.ts';
import {
	createLedgerStand,
	makeCustomer,
	makeShop,
	type LedgerStand
} from '#tests/support/ledger-stand.ts';
import { readAuthors } from './authors.ts';

let stand: LedgerStand;
beforeEach(async () => {
	stand = await createLedgerStand();
});
afterEach(() => stand.close());

/** Of each who is called so: whose he is, and the key that he is read with. */
async function read(caller: Caller, code: string): Promise<readonly unknown[]> {
	const authors = await readAuthors(stand.database.sql, caller, [code]);
	return Array.from(authors.values(), ({ scope, publicKey }) => [scope, [...publicKey]]);
}

it('[RELAY-53] reads the phones of the person who carries, whoever else has one of that code', async () => {
	const people = [await makeCustomer(stand, 'amina'), await makeCustomer(stand, 'bela')];
	for (const { person } of people) {
		expect(await read(phoneOf(person), 'p1')).toEqual([[person, await keyOf(person)]]);
	}
});

it('[RELAY-53] reads the devices of the business of who carries, whoever else has one of that code', async () => {
	const shops = [await makeShop(stand, 'mama.amina'), await makeShop(stand, 'duka.bela')];
	for (const { business } of shops) {
		const caller = { ...deviceCaller('B'), business, scope: business };
		expect(await read(caller, 'A')).toEqual([[business, await keyOf(business)]]);
	}
});

function phoneOf(person: PersonId): Caller {
	return { sort: 'phone', scope: person, code: 'p2', member: 1, publicKey: new Uint8Array(65) };
}

async function keyOf(scope: PersonId | BusinessId): Promise<readonly number[]> {
	const [row] = await stand.database.sql<{ public_key: Uint8Array }[]>`
		select public_key from phone where person = ${scope}
		union all select public_key from device where business = ${scope}`;
	return [...(row?.public_key ?? [])];
}
