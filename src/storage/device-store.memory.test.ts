import { deviceStoreContract } from '#tests/contract/device-store.ts';
import { expect, it } from 'vitest';
import { createMemoryDeviceStore } from './device-store.memory.ts';
import { isStorageFull } from './device-store.ts';

deviceStoreContract('memory', () => Promise.resolve(createMemoryDeviceStore()));

it('[STORAGE-8] says that there is no room, and keeps what was there', async () => {
	const store = createMemoryDeviceStore({ bytesMax: 200 });
	const put = (value: string): Promise<void> =>
		store.write(['meta'], (rows) => rows.put('meta', [{ key: 'cart', value }]));
	await put('small');
	const fault: unknown = await put('x'.repeat(300)).catch((cause: unknown) => cause);
	expect(isStorageFull(fault)).toBe(true);
	const cart = await store.read(['meta'], (rows) => rows.get('meta', 'cart'));
	expect(cart?.value).toBe('small');
});
