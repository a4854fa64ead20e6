import { recordHashOf } from '#domain/confirmation/record-hash.ts';
import type { RecordKind } from '#domain/confirmation/record-kind.ts';
import { factId, parseLedgerId, type LedgerId } from '#domain/ids.ts';
import { searchKey } from '#domain/text.ts';
import { createDexieDeviceStore } from '#storage/device-store.dexie.ts';
import type { CustomerRow, DeviceStore, RecordRow } from '#storage/device-store.ts';
import { foldTallies } from '#state/fold-tallies.ts';
import { createLedgerBook, type CustomerQuery } from '#state/ledger-book.ts';
import { READ_MODEL_TABLES } from '#state/read-model.ts';
import { tradeIdentity } from '#tests/support/trade-identity.ts';

const NOW = Date.parse('2026-11-20T10:00:00Z');
const DAY_MS = 86_400_000;
const PIECE = 250;
const IDENTITY = tradeIdentity('A');
const NAMES = ['Amina', 'Bilal', 'Chen', 'Divya', 'Emeka', 'Fatuma', 'Grace', 'Hassan', 'Ines'];
const QUERIES: readonly CustomerQuery[] = [
	{},
	{ text: 'amina' },
	{ text: 'hassan 41' },
	{ text: '0042' },
	{ text: '12' },
	{ filter: 'owes', sort: 'oldestDue' },
	{ filter: 'overdue' },
	{ filter: 'quiet', sort: 'lastRecord' },
	{ filter: 'overLimit', sort: 'name' },
	{ text: 'g', filter: 'owes', sort: 'balance' }
];

/** In the page: makes a shop of so many customers, each with so many records; ms that folding took. */
export async function fill(customers: number, recordsEach: number): Promise<number> {
	const store = open();
	const { business } = IDENTITY;
	let folded = 0;
	await store.write(['settings'], (rows) =>
		rows.put('settings', [{ field: 'currency', value: 'KES', stamps: {} }])
	);
	for (let start = 0; start < customers; start += PIECE) {
		const numbers = Array.from({ length: Math.min(PIECE, customers - start) }, (_, i) => start + i);
		await store.write(READ_MODEL_TABLES, async (rows) => {
			await rows.put('customers', numbers.map(customerRow));
			await rows.put(
				'records',
				numbers.flatMap((number) => recordRows(number, recordsEach))
			);
		});
		const began = performance.now();
		await store.write(READ_MODEL_TABLES, (rows) =>
			foldTallies(rows, numbers.map(ledgerOf), business)
		);
		folded += performance.now() - began;
	}
	store.close();
	return folded;
}

/** In the page: the first answer of a book that was just opened, ms. */
export async function first(): Promise<number> {
	const store = open();
	const book = createLedgerBook({ store, identity: () => IDENTITY, clock: () => NOW });
	const began = performance.now();
	await book.customers({});
	const ms = performance.now() - began;
	store.close();
	return ms;
}

/** In the page: each further answer, ms, and one after each record that is written. */
export async function next(rounds: number): Promise<Readonly<Record<string, number[]>>> {
	const store = open();
	const book = createLedgerBook({ store, identity: () => IDENTITY, clock: () => NOW });
	await book.customers({});
	const asked: number[] = [];
	const afterRecord: number[] = [];
	const page: number[] = [];
	for (let round = 0; round < rounds; round += 1) {
		for (const query of QUERIES) asked.push(await timed(() => book.customers(query)));
		await store.write(READ_MODEL_TABLES, (rows) =>
			foldTallies(rows, [ledgerOf(round)], IDENTITY.business)
		);
		afterRecord.push(await timed(() => book.customers({ text: 'amina' })));
		page.push(await timed(() => book.page(ledgerOf(round), 100)));
	}
	const dashboard = [await timed(() => book.dashboard()), await timed(() => book.dashboard())];
	store.close();
	return { asked, afterRecord, page, dashboard };
}

async function timed(ask: () => Promise<unknown>): Promise<number> {
	const began = performance.now();
	await ask();
	return performance.now() - began;
}

function open(): DeviceStore {
	return createDexieDeviceStore('daftar-bench');
}

function ledgerOf(number: number): LedgerId {
	const hex = number.toString(16).padStart(8, '0');
	const ledger = parseLedgerId(`${hex}-3b7d-4bad-9bdd-2b0d7b3dcb6d`);
	if (!ledger.ok) throw new Error('no ledger');
	return ledger.value;
}

function customerRow(number: number): CustomerRow {
	const name = `${NAMES[number % NAMES.length] ?? ''} ${String(number)}`;
	const phone = `07${String(number * 7_919)
		.padStart(8, '0')
		.slice(0, 8)}`;
	const limit = number % 3 === 0 ? 500_000 : null;
	return {
		ledger: ledgerOf(number),
		name,
		phone,
		limit,
		searchKey: searchKey(`${name} ${phone}`),
		stamps: {}
	};
}

function recordRows(number: number, count: number): readonly RecordRow[] {
	return Array.from({ length: count }, (_, place): RecordRow => {
		const bytes = new Uint8Array(32);
		new DataView(bytes.buffer).setUint32(0, number);
		new DataView(bytes.buffer).setUint32(4, place);
		const at = NOW - (count - place) * 6 * DAY_MS - number * 1_000;
		const kind: RecordKind = place % 3 === 2 ? 'payment' : 'due';
		return {
			h: recordHashOf(bytes),
			ledger: ledgerOf(number),
			factId: factId('A', number * 100 + place + 1),
			kind,
			amount: kind === 'payment' ? 90_000 + (number % 7) * 10_000 : 50_000 + place * 100,
			currency: 'KES',
			exponent: 2,
			at,
			on: new Date(at).toISOString().slice(0, 10),
			record: `018f${String(number).padStart(4, '0')}-${String(place)}`,
			...(kind === 'due' && { dueAt: at + 14 * DAY_MS })
		};
	});
}
