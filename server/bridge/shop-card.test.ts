import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SettingFields } from '#domain/fact/fact.ts';
import type { BusinessId } from '#domain/ids.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { readShopCard } from './shop-card.ts';

const SHOP = '0192f0c1-7a00-4000-8000-000000000001' as BusinessId;
let database: TestDatabase;
beforeAll(async () => {
	database = await createTestDatabase();
	await database.sql`
		insert into business (business, name, last_device_code, last_member, claimed_at)
		values (${SHOP}, 'Duka', 'A', 1, 0)`;
});
afterAll(() => database.close());

it.each<readonly [SettingFields, object]>([
	[{ currency: 'KES' }, { currency: 'KES', exponent: 2, decimals: 0 }],
	[
		{ currency: 'KES', decimals: 2 },
		{ currency: 'KES', exponent: 2, decimals: 2 }
	],
	[
		{ currency: 'IQD', decimals: 3 },
		{ currency: 'IQD', exponent: 3, decimals: 3 }
	],
	[{ currency: 'GBP' }, { currency: 'GBP', exponent: 2, decimals: 2 }]
])('[BRIDGE-6] a shop is shown with the decimals of its own devices: %j', async (fields, money) => {
	const { sql } = database;
	await sql`truncate setting`;
	await sql`insert into setting (business, fields, stamps) values (${SHOP}, ${JSON.stringify(fields)}::text::jsonb, '{}')`;
	expect(await readShopCard(sql, SHOP, new Uint8Array(65))).toMatchObject({
		shop: 'Duka',
		...money
	});
});

it('[BRIDGE-6] says nothing of money where the shop said nothing', async () => {
	await database.sql`truncate setting`;
	const card = await readShopCard(database.sql, SHOP, new Uint8Array(65));
	expect(card).toEqual({ shop: 'Duka', devices: [], relayKey: expect.any(String) as string });
});
