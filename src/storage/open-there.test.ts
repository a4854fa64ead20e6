import { Dexie } from 'dexie';
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { expect, it } from 'vitest';
import { createDexieDeviceStore } from './device-store.dexie.ts';
import { STORE_VERSION } from './device-store.ts';
import { openThere } from './open-there.ts';

it('[STORAGE-13] what was opened early gives way to a newer program, and was not removed for that', async () => {
	const indexedDB = new IDBFactory();
	const keyRange = IDBKeyRange;
	const store = createDexieDeviceStore('daftar-test', { indexedDB, keyRange });
	await store.write(['meta'], (rows) => rows.put('meta', [{ key: 'a', value: 1 }]));
	store.close();
	let removals = 0;
	const early = await openThere('daftar-test', indexedDB, () => {
		removals += 1;
	});
	expect(early?.name).toBe('daftar-test');
	const newer = new Dexie('daftar-test', { indexedDB, IDBKeyRange });
	newer.version(STORE_VERSION + 1).stores({ meta: 'key' });
	expect(await newer.table('meta').count()).toBe(1);
	expect(removals).toBe(0);
	newer.close();
});
