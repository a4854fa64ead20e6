import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { parseLedgerId } from '#domain/ids.ts';
import { factRow } from '#state/arrived-fact.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { sure } from '#tests/support/sure.ts';
import { forgottenLedgers } from './awaited-answers.ts';
import { hasAll } from './customers.ts';

const BUSINESS = 'ca42c4d4-1bef-4435-bbf6-d92c128b72de';
const LEDGER = sure(parseLedgerId('02a92e6b-c5aa-40a1-865e-bf8e79359e08'));
const OTHER = sure(parseLedgerId('db366326-cc03-4152-9029-5d00c394c312'));
const CONNECTED = [{ isLinked: true, ledger: LEDGER }];

let database: TestDatabase;
let store: DeviceStore;
beforeAll(async () => {
	database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
	await database.sql`truncate ledger_link`;
	store = createMemoryDeviceStore();
});

async function holds(kind: string, ...body: readonly unknown[]): Promise<void> {
	const text = JSON.stringify(['0.1-5', kind, 1_795_168_822_755, 0, 20_777, 0, ...body]);
	const row = factRow(sure(parseFact(text)), text, null);
	await store.write(['facts'], (rows) => rows.put('facts', [row]));
}

function holdsAnswer(): Promise<void> {
	const said = ['accept', 1, 1_795_168_822_561, 'A'.repeat(86), `B${'A'.repeat(86)}`, 0, ''];
	return holds('answered', LEDGER, 'A'.repeat(43), ...said);
}

async function isQuiet(patrons: Parameters<typeof forgottenLedgers>[1]): Promise<boolean> {
	const forgotten = await forgottenLedgers(database.sql, patrons);
	return hasAll(database.sql, { scope: BUSINESS, store, forgotten });
}

it('an answer that a restored relay lacks is awaited until its customer is connected anew, and no longer', async () => {
	await holdsAnswer();
	expect(await isQuiet(CONNECTED)).toBe(true);
	// Nobody will connect there, or somebody is about to.
	expect(await isQuiet([])).toBe(false);
	expect(await isQuiet([{ isLinked: true, ledger: OTHER }])).toBe(false);
	expect(await isQuiet([{ isLinked: false, ledger: LEDGER }])).toBe(false);
	await database.sql`
		insert into ledger_link (business, ledger, person, state, way, epoch, at)
		values (${BUSINESS}, ${LEDGER}, null, 'linked', 'app', 1, 1)`;
	expect(await isQuiet(CONNECTED)).toBe(false);
});

it('nothing else that a machine holds of such a ledger is awaited', async () => {
	await holds('saw', LEDGER, 1_795_168_814_801);
	expect(await isQuiet(CONNECTED)).toBe(false);
});
