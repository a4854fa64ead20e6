import { deviceStoreContract } from '#tests/contract/device-store.ts';
import { tileKeyOf } from '#domain/tile-key.ts';
import { Dexie } from 'dexie';
import { IDBDatabase, IDBFactory, IDBKeyRange, IDBObjectStore } from 'fake-indexeddb';
import { afterEach, expect, it, vi } from 'vitest';
import { createDexieDeviceStore } from './device-store.dexie.ts';
import { isStorageFull, only, STORE_VERSION, type DeviceStore } from './device-store.ts';

function open(indexedDB = new IDBFactory()): DeviceStore {
	return createDexieDeviceStore('daftar-test', { indexedDB, keyRange: IDBKeyRange });
}

deviceStoreContract('dexie', () => Promise.resolve(open()));

afterEach(() => {
	vi.restoreAllMocks();
});

it('[STORAGE-9] keeps what was written when the store is opened again', async () => {
	const indexedDB = new IDBFactory();
	const first = open(indexedDB);
	await first.write(['meta'], (rows) => rows.put('meta', [{ key: 'sequence', value: 7n }]));
	first.close();
	const second = open(indexedDB);
	const row = await second.read(['meta'], (rows) => rows.get('meta', 'sequence'));
	expect(row).toEqual({ key: 'sequence', value: 7n });
});

it('[STORAGE-9] asks for a strict write', async () => {
	const asked = vi.spyOn(IDBDatabase.prototype, 'transaction');
	const store = open();
	await store.write(['meta'], (rows) => rows.put('meta', [{ key: 'a', value: 1 }]));
	expect(asked.mock.calls.map(([, mode, options]) => [mode, options])).toContainEqual([
		'readwrite',
		{ durability: 'strict' }
	]);
});

it('[STORAGE-8] turns an abort for want of room into its own fault, and keeps what was there', async () => {
	const store = open();
	await store.write(['meta'], (rows) => rows.put('meta', [{ key: 'cart', value: 'small' }]));
	fullDisk();
	const fault: unknown = await store
		.write(['meta'], (rows) => rows.put('meta', [{ key: 'cart', value: 'large' }]))
		.catch((cause: unknown) => cause);
	vi.restoreAllMocks();
	expect(isStorageFull(fault)).toBe(true);
	const cart = await store.read(['meta'], (rows) => rows.get('meta', 'cart'));
	expect(cart?.value).toBe('small');
});

it.each([
	['UnknownError', 'Connection to Indexed Database server lost. Refresh the page to try again'],
	['InvalidStateError', 'The database connection is closing.'],
	['AbortError', 'Connection is closing.']
])('[STORAGE-10] opens a lost connection again, once, and does the work: %s', async (name, why) => {
	const indexedDB = new IDBFactory();
	const store = open(indexedDB);
	await store.write(['meta'], (rows) => rows.put('meta', [{ key: 'a', value: 1 }]));
	const opened = vi.spyOn(indexedDB, 'open');
	const losses = loseConnection(1, new DOMException(why, name));
	await store.write(['meta'], (rows) => rows.put('meta', [{ key: 'a', value: 2 }]));
	expect(losses.left).toBe(0);
	expect(opened).toHaveBeenCalledTimes(1);
	vi.restoreAllMocks();
	expect((await store.read(['meta'], (rows) => rows.get('meta', 'a')))?.value).toBe(2);
});

it('[STORAGE-10] does nothing once more after another fault', async () => {
	const store = open();
	await store.write(['meta'], (rows) => rows.put('meta', [{ key: 'a', value: 1 }]));
	const losses = loseConnection(2, new DOMException('Internal error.', 'UnknownError'));
	const put = store.write(['meta'], (rows) => rows.put('meta', [{ key: 'a', value: 2 }]));
	await expect(put).rejects.toThrow('Internal error.');
	expect(losses.left).toBe(1);
});

it('[STORAGE-8] knows a full disk by the fault of what was asked, too', async () => {
	const store = open();
	await store.write(['meta'], (rows) => rows.put('meta', [{ key: 'a', value: 1 }]));
	loseConnection(1, new DOMException('No room.', 'QuotaExceededError'));
	const fault: unknown = await store
		.write(['meta'], (rows) => rows.put('meta', [{ key: 'a', value: 2 }]))
		.catch((cause: unknown) => cause);
	expect(isStorageFull(fault)).toBe(true);
});

it('[STORAGE-10] gives up when the connection is lost again', async () => {
	const store = open();
	await store.write(['meta'], (rows) => rows.put('meta', [{ key: 'a', value: 1 }]));
	loseConnection(9);
	await expect(
		store.write(['meta'], (rows) => rows.put('meta', [{ key: 'a', value: 2 }]))
	).rejects.toThrow(/connection/i);
});

it('[STORAGE-16] finds what was issued again before it was looked for by its first name', async () => {
	const indexedDB = new IDBFactory();
	const old = new Dexie('daftar-test', { indexedDB, IDBKeyRange });
	old.version(4).stores({ facts: 'id, [branch+on], kind, [code+n], *refs' });
	const row = { code: 'D', kind: 'sale', branch: '', on: '2026-11-20', refs: ['receipt:B-000001'] };
	await old.table<object>('facts').bulkPut([
		{ ...row, id: 'D-1', n: 1, text: '[["D-1","B-1",["B-2","D-2"]],"sale"]' },
		{ ...row, id: 'D-2', n: 2, text: '["D-2","sale"]' }
	]);
	old.close();
	const store = open(indexedDB);
	const found = await store.read(['facts'], (rows) => rows.find('facts', only('refs', 'was:B-1')));
	expect(found.map(({ id, refs }) => [id, refs])).toEqual([
		['D-1', ['receipt:B-000001', 'was:B-1']]
	]);
	const other = await store.read(['facts'], (rows) => rows.get('facts', 'D-2'));
	expect(other?.refs).toEqual(['receipt:B-000001']);
	expect(await store.read(['facts'], (rows) => rows.count('facts'))).toBe(2);
});

it('[STORAGE-17] gives products of before the third version their place among the tiles', async () => {
	const indexedDB = new IDBFactory();
	const old = new Dexie('daftar-test', { indexedDB, IDBKeyRange });
	old.version(2).stores({ products: 'id, *codeKeys' });
	const row = { id: 'A-1', name: 'Tea', codes: [], codeKeys: [], searchKey: 'tea', stamps: {} };
	await old.table<object>('products').bulkPut([row, { ...row, id: 'A-2', active: false }]);
	old.close();
	const store = open(indexedDB);
	const products = await store.read(['products'], (rows) => rows.all('products'));
	expect(products.map(({ id, tileKey }) => [id, tileKey])).toEqual(
		products.map((product) => [product.id, tileKeyOf(product)])
	);
	expect(products).toHaveLength(2);
});

it('[STORAGE-13] makes no new one where the browser cleared it under an open page, which hears of that', async () => {
	const indexedDB = new IDBFactory();
	let removals = 0;
	const onRemoved = (): void => {
		removals += 1;
	};
	const keyRange = IDBKeyRange;
	const store = createDexieDeviceStore('daftar-test', { indexedDB, keyRange, onRemoved });
	const put = (value: number): Promise<void> =>
		store.write(['meta'], (rows) => rows.put('meta', [{ key: 'a', value }]));
	const opened = vi.spyOn(indexedDB, 'open');
	const closeLast = (): void => {
		const request = opened.mock.results.at(-1)?.value as IDBOpenDBRequest;
		request.result.close();
		request.result.onclose?.(new Event('close'));
	};
	await put(1);
	// What the browser closed and kept is opened again.
	closeLast();
	await put(2);
	expect(removals).toBe(0);

	closeLast();
	await new Dexie('daftar-test', { indexedDB, IDBKeyRange }).delete();
	await expect(put(3)).rejects.toThrow();
	await expect(put(4)).rejects.toThrow();
	expect(removals).toBe(1);
	expect(await indexedDB.databases()).toEqual([]);
});

it('[STORAGE-13] holds up no removal once it is closed', async () => {
	const indexedDB = new IDBFactory();
	let removals = 0;
	const onRemoved = (): void => {
		removals += 1;
	};
	const store = createDexieDeviceStore('daftar-test', {
		...{ indexedDB, keyRange: IDBKeyRange, onRemoved }
	});
	await store.write(['meta'], (rows) => rows.put('meta', [{ key: 'a', value: 1 }]));
	store.close();
	await new Dexie('daftar-test', { indexedDB, IDBKeyRange }).delete();
	expect(removals).toBe(0);
});

/** Another tab opens the database with the program that comes after this one. */
async function upgrade(indexedDB: IDBFactory): Promise<unknown> {
	const newer = new Dexie('daftar-test', { indexedDB, IDBKeyRange });
	newer.version(STORE_VERSION + 1).stores({ meta: 'key' });
	const rows = await newer.table('meta').toArray();
	newer.close();
	return rows;
}

it('[STORAGE-18] gives way to a newer program, of which its page hears, and writes no more beside it', async () => {
	const indexedDB = new IDBFactory();
	const onRemoved = vi.fn<() => void>();
	const keyRange = IDBKeyRange;
	const store = createDexieDeviceStore('daftar-test', { indexedDB, keyRange, onRemoved });
	const put = (value: number): Promise<void> =>
		store.write(['meta'], (rows) => rows.put('meta', [{ key: 'a', value }]));
	await put(1);
	expect(await upgrade(indexedDB)).toEqual([{ key: 'a', value: 1 }]);
	expect(onRemoved).toHaveBeenCalledOnce();
	await expect(put(2)).rejects.toThrow();
	expect(await upgrade(indexedDB)).toEqual([{ key: 'a', value: 1 }]);
});

it('[STORAGE-18] gives way to a newer program where no page hears of it, and goes on', async () => {
	const indexedDB = new IDBFactory();
	const store = open(indexedDB);
	await store.write(['meta'], (rows) => rows.put('meta', [{ key: 'a', value: 1 }]));
	expect(await upgrade(indexedDB)).toEqual([{ key: 'a', value: 1 }]);
	expect(await store.read(['meta'], (rows) => rows.count('meta'))).toBe(1);
});

it('[STORAGE-13] opens no lost connection again where the database was removed meanwhile', async () => {
	const indexedDB = new IDBFactory();
	const store = open(indexedDB);
	await store.write(['meta'], (rows) => rows.put('meta', [{ key: 'a', value: 1 }]));
	const opened = vi.spyOn(indexedDB, 'open');
	vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore) {
		const { onversionchange } = this.transaction.db as { onversionchange?: (of: object) => void };
		onversionchange?.({ newVersion: null });
		throw new DOMException('The database connection is closing.', 'InvalidStateError');
	});
	const put = store.write(['meta'], (rows) => rows.put('meta', [{ key: 'a', value: 2 }]));
	await expect(put).rejects.toThrow(/closing/);
	expect(opened).not.toHaveBeenCalled();
});

it('[STORAGE-13] is closed for good where the database is removed, and makes no new one', async () => {
	const indexedDB = new IDBFactory();
	let removals = 0;
	const slept = createDexieDeviceStore('daftar-test', {
		indexedDB,
		keyRange: IDBKeyRange,
		onRemoved: () => {
			removals += 1;
		}
	});
	await slept.write(['meta'], (rows) => rows.put('meta', [{ key: 'a', value: 1 }]));
	await new Dexie('daftar-test', { indexedDB, IDBKeyRange }).delete();
	const put = slept.write(['meta'], (rows) => rows.put('meta', [{ key: 'a', value: 2 }]));
	await expect(put).rejects.toThrow();
	await expect(slept.read(['meta'], (rows) => rows.all('meta'))).rejects.toThrow();
	expect(await indexedDB.databases()).toEqual([]);
	expect(removals).toBe(1);
});

/** A put that the browser takes and then aborts, as it does when the disk is full. */
function fullDisk(): void {
	const put = Object.getOwnPropertyDescriptor(IDBObjectStore.prototype, 'put')?.value as (
		this: IDBObjectStore,
		...given: unknown[]
	) => unknown;
	vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (
		this: IDBObjectStore,
		...given: unknown[]
	) {
		const request = put.apply(this, given);
		const transaction = this.transaction as unknown as { _abort(name: string): void };
		transaction._abort('QuotaExceededError');
		return request as never;
	});
}

const LOST = new DOMException('Connection to Indexed Database server lost.', 'UnknownError');

function loseConnection(times: number, fault = LOST): { left: number } {
	const losses = { left: times };
	const put = Object.getOwnPropertyDescriptor(IDBObjectStore.prototype, 'put')?.value as (
		this: IDBObjectStore,
		...given: unknown[]
	) => unknown;
	vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (
		this: IDBObjectStore,
		...given: unknown[]
	) {
		if (losses.left > 0) {
			losses.left -= 1;
			throw fault;
		}
		return put.apply(this, given) as never;
	});
	return losses;
}
