import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { expect, it, vi } from 'vitest';
import type { BranchId, BusinessId, ProductId } from '#domain/ids.ts';
import { createDexieDeviceStore } from '#storage/device-store.dexie.ts';
import type { DeviceStore, ProductRow } from '#storage/device-store.ts';
import { createBook } from './book.ts';
import { databaseName, REGISTRY_NAME } from './database-name.ts';
import { readEarly, seenOf, type EarlyParts } from './early-read.ts';
import {
	createFirstReads,
	keepPlace,
	oftenKey,
	PLACE_KEY,
	TILES_FIRST,
	type FirstRead
} from './first-read.ts';
import type { Identity } from './identity.ts';
import { readMeta } from './meta.ts';
import { createRegistry } from './registry.ts';

const BUSINESS = '1b4e28ba-2fa1-4d2b-883f-0016d3cca427' as BusinessId;
const BRANCH = '9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d' as BranchId;
const BOOK = databaseName(BUSINESS);

interface Phone extends EarlyParts {
	readonly indexedDB: IDBFactory;
	readonly store: DeviceStore;
	readonly kept: Map<string, string>;
}

/** A device with a book of some products, as its last start left it. */
async function phone({ products = 20, unsent = 2 } = {}): Promise<Phone> {
	const indexedDB = new IDBFactory();
	const parts = { indexedDB, keyRange: IDBKeyRange };
	const registry = createRegistry(createDexieDeviceStore(REGISTRY_NAME, parts));
	await registry.begin(BUSINESS);
	registry.close();
	const store = createDexieDeviceStore(BOOK, parts);
	await store.write(['meta', 'settings', 'products', 'stock', 'journal'], async (rows) => {
		await rows.put('meta', [
			{ key: 'identity', value: { branch: BRANCH } },
			{ key: 'cart', value: [{ key: 1 }] }
		]);
		await rows.put('settings', [{ field: 'name', value: 'Duka', stamps: {} }]);
		await rows.put(
			'products',
			Array.from({ length: products }, (_none, n) => productRow(n))
		);
		await rows.put(
			'stock',
			Array.from({ length: products }, (_none, n) => ({
				branch: BRANCH,
				product: productId(n),
				level: BigInt(n) * 1_000n
			}))
		);
		await rows.put(
			'journal',
			Array.from({ length: unsent }, (_none, n) => journalRow(n + 1))
		);
	});
	const place = { business: BUSINESS, book: BOOK, branch: BRANCH, tiles: [productId(3)] };
	const kept = new Map([
		[PLACE_KEY, JSON.stringify(place)],
		[oftenKey(BUSINESS), JSON.stringify([productId(19), productId(7), productId(99)])]
	]);
	const shelf = { getItem: (key: string) => kept.get(key) ?? null };
	return { ...parts, store, kept, shelf, onRemoved: vi.fn() };
}

function productId(n: number): ProductId {
	return `A-${String(n)}` as ProductId;
}

/** Of the first three the last is a favourite, and one is not in use. */
function productRow(n: number): ProductRow {
	const name = `product ${String(n).padStart(2, '0')}`;
	const isOut = n === 1;
	return {
		id: productId(n),
		name,
		...(isOut && { active: false }),
		...(n === 2 && { favourite: true }),
		codeKeys: [],
		searchKey: name,
		tileKey: isOut ? '' : `${n === 2 ? '0' : '1'}${name}`,
		stamps: {}
	};
}

function journalRow(n: number): never {
	return {
		n,
		id: `A-${String(n)}`,
		document: 'j',
		text: '[]',
		digest: '',
		sent: 0,
		at: n,
		minor: 5n
	} as never;
}

async function read(of: EarlyParts): Promise<FirstRead> {
	const first = await readEarly(of);
	if (first === undefined) throw new Error('nothing was read');
	return first;
}

function bookOn(store: DeviceStore): ReturnType<typeof createBook> {
	return createBook({ store, identity: () => ({ branch: BRANCH }) as Identity });
}

it('[FIRST-1] answers the first screen as the store does, and opens no store for it', async () => {
	const device = await phone();
	const first = await read(device);
	const open = vi.fn(() => device.store);
	const early = createFirstReads(first, open);
	const often = [productId(19), productId(7), productId(99)];
	const asked = async (store: DeviceStore): Promise<unknown> => {
		const book = bookOn(store);
		return {
			tiles: await book.tiles(often, TILES_FIRST),
			settings: { ...(await book.settings()) },
			members: await book.members(),
			unsent: await book.unsent(),
			meta: await store.read(['meta'], async (rows) => ({
				identity: await readMeta(rows, 'identity'),
				cart: await readMeta(rows, 'cart'),
				none: await readMeta(rows, 'contactAt')
			}))
		};
	};
	const answers = await asked(early);
	expect(open).not.toHaveBeenCalled();
	expect(answers).toEqual(await asked(device.store));
	expect((await bookOn(early).tiles(often, 4)).map(({ id }) => id)).toEqual(
		[2, 19, 7, 0].map(productId)
	);
	early.close();
});

it('[FIRST-2] asks the device what the first read does not know, and everything once something was written', async () => {
	const device = await phone();
	const early = createFirstReads(await read(device), () => device.store);
	expect(await early.read(['products'], (rows) => rows.count('products'))).toBe(20);
	expect((await bookOn(early).tiles([], 60)).length).toBe(19);
	expect((await bookOn(early).tiles([productId(8)], 5)).length).toBe(5);

	await early.write(['meta'], (rows) => rows.put('meta', [{ key: 'cart', value: [] }]));
	const cart = await early.read(['meta'], (rows) => readMeta(rows, 'cart'));
	expect(cart).toEqual([]);
	early.close();
});

it('[FIRST-2] asks the device from the moment at which the first screen stands', async () => {
	const device = await phone();
	const first = await read(device);
	const release = vi.fn(first.release);
	const early = createFirstReads({ ...first, release }, () => device.store);
	await device.store.write(['meta'], (rows) => rows.put('meta', [{ key: 'cart', value: [] }]));
	early.end();
	expect(await early.read(['meta'], (rows) => readMeta(rows, 'cart'))).toEqual([]);
	await vi.waitFor(() => {
		expect(release).toHaveBeenCalled();
	});
	early.close();
});

it('[FIRST-2] leaves what waits to be sent to the device where it is much', async () => {
	const device = await phone({ unsent: 70 });
	const open = vi.fn(() => device.store);
	const early = createFirstReads(await read(device), open);
	expect((await bookOn(early).unsent()).count).toBe(70);
	expect(open).toHaveBeenCalled();
	early.close();
});

it('[FIRST-3] reads no book but the one that this device works in', async () => {
	const device = await phone();
	device.store.close();
	const names = async (): Promise<unknown> =>
		(await device.indexedDB.databases()).map(({ name }) => name).sort();
	const before = await names();
	for (const place of [
		undefined,
		'{',
		'{}',
		JSON.stringify({ business: BUSINESS, book: `${BOOK}-B`, branch: BRANCH, tiles: [] }),
		JSON.stringify({
			business: BRANCH,
			book: databaseName(BRANCH as never),
			branch: BRANCH,
			tiles: []
		})
	]) {
		if (place === undefined) device.kept.delete(PLACE_KEY);
		else device.kept.set(PLACE_KEY, place);
		expect(await readEarly(device)).toBeUndefined();
	}
	expect(await names()).toEqual(before);
});

it('[FIRST-3] reads nothing of a book whose heir goes on, nor of one of another form', async () => {
	const device = await phone();
	const registry = createRegistry(createDexieDeviceStore(REGISTRY_NAME, device));
	await registry.succeed(BUSINESS, BOOK, 'B' as never);
	expect(await readEarly(device)).toBeUndefined();
	registry.close();

	const other = await phone();
	other.store.close();
	await new Promise((resolve) => {
		const request = other.indexedDB.open(BOOK, 60);
		request.onsuccess = () => {
			request.result.close();
			resolve(undefined);
		};
	});
	expect(await readEarly(other)).toBeUndefined();
});

it('[FIRST-4] hears that the book is removed, and stands in nobody’s way', async () => {
	const device = await phone();
	device.store.close();
	await read(device);
	await new Promise((resolve) => {
		device.indexedDB.deleteDatabase(BOOK).onsuccess = resolve;
	});
	expect(device.onRemoved).toHaveBeenCalledOnce();
});

it('[FIRST-5] keeps where the book lies, and starts all the same where nothing more is kept', () => {
	const kept = new Map<string, string>();
	const place = { business: BUSINESS, book: BOOK, branch: BRANCH, tiles: [] };
	keepPlace({ setItem: (name, value) => kept.set(name, value) }, place);
	expect(JSON.parse(kept.get(PLACE_KEY) ?? '')).toEqual(place);
	const full = (): never => {
		throw new DOMException('no room', 'QuotaExceededError');
	};
	expect(() => {
		keepPlace({ setItem: full }, place);
	}).not.toThrow();
});

it('[FIRST-6] tells what the first screen is drawn from, and nothing that is on none', async () => {
	const device = await phone();
	const seen = async (): Promise<string | undefined> => {
		const first = await read(device);
		first.release();
		return seenOf(first);
	};
	const before = await seen();
	expect(before).toContain('product 19');

	await device.store.write(['meta'], (rows) =>
		rows.put('meta', [
			{ key: 'contactAt', value: 5 },
			{ key: 'offset', value: 7 }
		])
	);
	expect(await seen()).toBe(before);

	const others = [before];
	const changes: Parameters<DeviceStore['write']>[1][] = [
		(rows) => rows.put('products', [{ ...productRow(19), price: 5 }]),
		(rows) => rows.put('stock', [{ branch: BRANCH, product: productId(7), level: 1n }]),
		(rows) => rows.put('settings', [{ field: 'name', value: 'Duka la Amina', stamps: {} }]),
		(rows) => rows.put('meta', [{ key: 'cart', value: [{ key: 2 }] }]),
		(rows) => rows.put('journal', [journalRow(3)])
	];
	for (const change of changes) {
		await device.store.write(['meta', 'settings', 'products', 'stock', 'journal'], change);
		const now = await seen();
		expect(others).not.toContain(now);
		others.push(now);
	}
});

it('[FIRST-6] [FIRST-9] tells the tiles in their order, and nothing where more wait than were read', async () => {
	const first = await read(await phone());
	first.release();
	expect(first.tiles.slice(0, 4)).toEqual([2, 19, 7, 0].map(productId));
	expect(first.tiles).toHaveLength(TILES_FIRST);

	const behind = await read(await phone({ unsent: 65 }));
	behind.release();
	expect(seenOf(behind)).toBeUndefined();
});
