import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { BranchId, BusinessId, DeviceCode, PersonId } from '#domain/ids.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { createProject } from '#server/projections/project.ts';
import { createWebCrypto, createSigner, createSigningKeys } from '#state/web-crypto.ts';
import { openDevice } from '#state/device.ts';
import { createChanges } from '#state/changes.ts';
import { readMeta, writeMeta } from '#state/meta.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import type { DeviceStore, TableName } from '#storage/device-store.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { storedNumbers } from '#tests/support/shop-numbers.ts';
import { foldSeeded } from '../load/seed-years-fold.ts';
import { seedRelay } from '../load/seed-years-relay.ts';
import { deviceRows } from '../load/seed-years-rows.ts';
import { tradeOfYears, type DayOfTrade, type SeedShop } from '../load/seed-years-trade.ts';

const LAST_DAY = '2026-11-20';
/** Some of it is older than a device keeps sales. */
const SIZE = { days: 404, salesADay: 3, products: 40, customers: 12 };
const CLOSED_MS = Date.parse('2026-11-20T20:00:00Z');

let database: TestDatabase;
let shop: SeedShop;
beforeAll(async () => {
	database = await createTestDatabase();
	shop = {
		business: '0192f0c1-7a00-4000-8000-000000000001' as BusinessId,
		branch: '0192f0c1-7a00-4000-8000-0000000000b1' as BranchId,
		person: '0192f0c1-7a00-4000-8000-0000000000e1' as PersonId,
		signer: await createSigner(await createSigningKeys()),
		crypto: createNodeCrypto(),
		lastDay: LAST_DAY
	};
});
afterAll(() => database.close());

async function daysOf(): Promise<readonly DayOfTrade[]> {
	return Array.fromAsync(tradeOfYears(SIZE, shop));
}

async function* again(days: readonly DayOfTrade[]): AsyncGenerator<DayOfTrade> {
	yield* await Promise.resolve(days);
}

const SAME_TABLES: readonly TableName[] = ['facts', 'records', 'tallies', 'settings'];

/** Rows without the number that says when the list changed. */
async function rowsOf(store: DeviceStore, table: TableName): Promise<readonly object[]> {
	const rows: readonly object[] = await store.read([table], (reader) => reader.all(table));
	return rows.map((row) => ({ ...row, revision: 0 }));
}

it('[LOAD-1] the rows of a seeded device are those that receiving and letting go make', async () => {
	const days = await daysOf();
	const seeded = createMemoryDeviceStore();
	const of = { shop, code: 'A' as DeviceCode, epoch: 1, feedBefore: 0 };
	for await (const { table, rows } of deviceRows(again(days), of))
		await seeded.write([table], (writer) => writer.put(table, rows));
	await foldSeeded(seeded, shop.business);

	const real = createMemoryDeviceStore();
	const parts = {
		store: real,
		signer: shop.signer,
		crypto: createWebCrypto(),
		clock: () => CLOSED_MS,
		uuid: { v4: () => '', v7: () => '' },
		changes: createChanges()
	};
	const identity = await seeded.read(['meta'], (rows) => readMeta(rows, 'identity'));
	if (identity === undefined) throw new Error('a seeded device has an identity');
	const device = await openDevice(parts, { ...identity, publicKey: '' });
	for (const day of days)
		await device.receive(day.map((fact) => ({ text: encodeFact(fact), branch: shop.branch })));
	await real.write(['meta'], (rows) => writeMeta(rows, 'contactAt', CLOSED_MS));
	while (await device.prune());

	expect(await storedNumbers(seeded)).toEqual(await storedNumbers(real));
	for (const table of SAME_TABLES)
		expect(await rowsOf(seeded, table), table).toEqual(await rowsOf(real, table));
	for (const key of ['pruned', 'sequence', 'stamp'] as const) {
		const held = await real.read(['meta'], (rows) => readMeta(rows, key));
		expect(await seeded.read(['meta'], (rows) => readMeta(rows, key)), key).toEqual(held);
	}
	expect(await seeded.read(['facts'], (rows) => rows.count('facts'))).toBeLessThan(
		days.flat().length
	);
});

const TABLES = ['product', 'customer', 'setting', 'stock', 'record', 'balance', 'day_total'];

async function tablesOf(): Promise<Record<string, readonly object[]>> {
	const { sql } = database;
	const read: Record<string, readonly object[]> = {};
	for (const table of TABLES) {
		const rows = await sql`select * from ${sql(table)}`;
		read[table] = rows.map((row) => ({ ...row })).toSorted(byText);
		await sql`truncate ${sql(table)}`;
	}
	return read;
}

function byText(a: object, b: object): number {
	return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

it('[LOAD-2] the tables of a seeded relay are those that its projections make', async () => {
	const { sql } = database;
	const days = await daysOf();
	const last = await seedRelay(sql, again(days), shop);
	expect(last).toBe(days.flat().length);
	const seeded = await tablesOf();

	const project = createProject(shop.crypto);
	for (const day of days)
		await sql.begin((tx) =>
			project(
				tx as never,
				day.map((fact) => ({ ...shop, fact }))
			)
		);
	const real = await tablesOf();
	for (const table of TABLES) expect(seeded[table], table).toEqual(real[table]);
});
