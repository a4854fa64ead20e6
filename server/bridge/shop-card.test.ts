import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SettingFields } from '#domain/fact/fact.ts';
import type { BusinessId, LedgerId } from '#domain/ids.ts';
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
	expect(await readShopCard(sql, { business: SHOP, relayKey: new Uint8Array(65) })).toMatchObject({
		shop: 'Duka',
		...money
	});
});

it('[BRIDGE-6] says nothing of money where the shop said nothing', async () => {
	await database.sql`truncate setting`;
	const card = await readShopCard(database.sql, { business: SHOP, relayKey: new Uint8Array(65) });
	expect(card).toEqual({ shop: 'Duka', devices: [], relayKey: expect.any(String) as string });
});

it('[BRIDGE-21] names the keys that sign today, those of the ledger’s records, and of the others the last', async () => {
	const { sql } = database;
	const ledger = `${SHOP.slice(0, -1)}4`;
	const code = 'chr(65 + n / 676 % 26) || chr(65 + n / 26 % 26) || chr(65 + n % 26)';
	// The first and the last sign today, but that the last has an heir; all others ended.
	await sql.begin(async (tx) => {
		// Branches and members are not asked for.
		await tx`set local session_replication_role = replica`;
		await tx`
			insert into device (business, branch, code, member, sight, public_key, joined_at,
				removed_at, heir_of)
			select ${SHOP}, ${SHOP}, ${sql.unsafe(code)}, 1, 'office',
				decode('04' || lpad(to_hex(n), 128, '0'), 'hex'), n,
				case when n in (0, 600, 601) then null else 1000 + n end,
				case when n = 601 then 'AXC' end
			from generate_series(0, 601) as n`;
	});
	const asked = { business: SHOP, relayKey: new Uint8Array(65) };
	const codes = async (of?: LedgerId): Promise<readonly string[]> => {
		const card = await readShopCard(sql, { ...asked, ...(of !== undefined && { ledger: of }) });
		return card.devices?.map(([one]) => one) ?? [];
	};
	expect(await codes()).toHaveLength(400);
	expect(await codes()).toEqual(expect.arrayContaining(['AAA', 'AXD', 'AXB']));
	expect(await codes()).not.toContain('AAB');
	await sql`
		insert into fact (business, code, n, kind, wall, counter, on_day, member, text, digest, s, was_code)
		values (${SHOP}, 'AAB', 1, 'record', 0, 0, '2026-11-20', 1, '', 0, 1, null),
			(${SHOP}, 'AXD', 1, 'record', 0, 0, '2026-11-20', 1, '', 0, 2, 'AAC')`;
	await sql`
		insert into record (business, ledger, h, code, n, kind, currency, exponent, amount,
			occurred_at, on_day, record, wall, counter)
		select ${SHOP}, ${ledger}, code, code, n, 'due', 'KES', 2, 500, 0, '2026-11-20',
			gen_random_uuid(), 0, 0 from fact where business = ${SHOP}`;
	const named = await codes(ledger as LedgerId);
	expect(named).toHaveLength(400);
	expect(named).toEqual(expect.arrayContaining(['AAA', 'AAB', 'AAC', 'AXD']));
});
