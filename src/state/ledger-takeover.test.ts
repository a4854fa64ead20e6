import Dexie from 'dexie';
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { expect, it } from 'vitest';
import { createDexieDeviceStore } from '#storage/device-store.dexie.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import type { FactRow } from '#storage/device-store.ts';
import type { LedgerId } from '#domain/ids.ts';
import { checkpointOf } from '#tests/support/shop-numbers.ts';
import { relayTongue } from '#tests/support/relay-facts.ts';
import { openTestDevice } from '#tests/support/test-device.ts';
import { UNKNOWN_REF } from './arrived-fact.ts';
import { openDevice } from './device.ts';
import { createLedgerBook } from './ledger-book.ts';
import { countKept } from './receive.ts';

/** The tables of the program of before, as it declared them. */
const BEFORE = {
	meta: 'key',
	journal: 'n, sent, document, refused',
	facts: 'id, [branch+on], kind, *refs',
	products: 'id, searchKey, *codeKeys',
	customers: 'ledger, searchKey',
	settings: 'field',
	members: 'number',
	devices: 'code',
	records: 'h, ledger, factId',
	balances: '[ledger+currency], ledger',
	stock: '[branch+product]',
	days: '[branch+on]'
};
const KINDS_BEFORE = ['sale', 'return', 'adjust', 'product', 'customer', 'setting', 'record'];

it('[DEVICE-44] takes a database of the program of before over with every row, and makes its list', async () => {
	const from = await openTestDevice({ seed: 5, currency: 'GBP' });
	const added = await from.device.addCustomer({ name: 'Amina' });
	if (!added.ok) throw new Error('no customer');
	await from.device.writeRecords(added.value, [{ kind: 'due', minor: 500 }]);
	await from.device.addCustomer({ name: 'Bilal' });
	// Came before anybody knew what a link is.
	await relayTongue(from, added.value).link({ state: 'linked', way: 'app', at: 1 });

	const indexedDB = new IDBFactory();
	const old = new Dexie('daftar-old', { indexedDB, IDBKeyRange });
	old.version(1).stores(BEFORE);
	for (const table of Object.keys(BEFORE)) {
		const rows = await from.store.read([table as 'facts'], (read) => read.all(table as 'facts'));
		const kept: readonly object[] =
			table === 'meta' ? rows.filter((row) => Reflect.get(row, 'key') !== 'tallies') : rows;
		await old.table<object>(table).bulkPut([...kept]);
	}
	await old
		.table<FactRow>('facts')
		.filter(({ kind }) => !KINDS_BEFORE.includes(kind))
		.modify({ refs: [UNKNOWN_REF] });
	old.close();

	const store = createDexieDeviceStore('daftar-old', { indexedDB, keyRange: IDBKeyRange });
	const device = await openDevice({ ...from.parts, store });
	await countKept({ ...from.parts, store }, device.identity);
	const clock = (): number => from.clock.now;
	const ledgers = createLedgerBook({ store, identity: () => device.identity, clock });
	expect((await ledgers.customers({})).rows).toMatchObject([
		{ totalMinor: 500n, tally: { name: 'Amina', link: 'app' } },
		{ totalMinor: 0n, tally: { name: 'Bilal', link: 'none' } }
	]);
	const facts = await store.read(['facts'], (rows) => rows.count('facts'));
	expect(facts).toBe(await from.store.read(['facts'], (rows) => rows.count('facts')));
	await device.writeRecords(added.value, [{ kind: 'payment', minor: 200 }]);
	expect((await ledgers.customers({})).owedMinor).toBe(300n);
});

it('[BOOK-14] the list follows what moved, and a checkpoint of another epoch that takes rows away', async () => {
	const from = await openTestDevice({ seed: 6, currency: 'GBP' });
	const names = ['Amina', 'Bilal', 'Chen'];
	const ids: LedgerId[] = [];
	for (const name of names) {
		const added = await from.device.addCustomer({ name });
		if (added.ok) ids.push(added.value);
	}
	const checkpoint = await checkpointOf(from.store, 1);
	const inner = createMemoryDeviceStore();
	let rowsRead = 0;
	const store: typeof inner = {
		...inner,
		read: (tables, work) =>
			inner.read(tables, (rows) =>
				work({
					...rows,
					find: async (table, span) => {
						const found = await rows.find(table, span);
						if (table === 'tallies') rowsRead += found.length;
						return found;
					}
				})
			)
	};
	const { identity } = from.device;
	const to = await openTestDevice({ seed: 7, store, joins: { identity, code: 'B' } });
	const ledgers = createLedgerBook({
		store,
		identity: () => to.device.identity,
		clock: () => to.clock.now
	});
	expect((await ledgers.customers({})).rows).toEqual([]);
	await to.device.takeCheckpoint(checkpoint);
	expect((await ledgers.customers({})).rows).toHaveLength(3);
	rowsRead = 0;
	const [first] = ids;
	if (first === undefined) throw new Error('three customers were made');
	await to.device.writeRecords(first, [{ kind: 'due', minor: 9 }]);
	expect((await ledgers.customers({})).owedMinor).toBe(9n);
	expect(rowsRead).toBe(1);
	await to.device.takeCheckpoint({
		...checkpoint,
		epoch: 2,
		customers: checkpoint.customers.slice(0, 1)
	});
	expect((await ledgers.customers({})).rows.length).toBeLessThan(3);
});
