import { expect, it, vi } from 'vitest';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import { createJoinedReads } from './joined-reads.ts';

it('[READS-1] answers what is asked in one moment in one transaction, and later questions in another', async () => {
	const inner = createMemoryDeviceStore();
	await inner.write(['meta'], (rows) => rows.put('meta', [{ key: 'a', value: 1 }]));
	const read = vi.spyOn(inner, 'read');
	const store = createJoinedReads(inner);
	const answers = await Promise.all([
		store.read(['meta'], async (rows) => (await rows.get('meta', 'a'))?.value),
		store.read(['meta', 'stock'], (rows) => rows.count('stock'))
	]);
	expect(answers).toEqual([1, 0]);
	expect(read.mock.calls.map(([tables]) => tables)).toEqual([['meta', 'stock']]);
	expect(await store.read(['days'], (rows) => rows.count('days'))).toBe(0);
	expect(read.mock.calls.length).toBe(2);
});

it('[READS-1] gives a fault to the question that had it', async () => {
	const store = createJoinedReads(createMemoryDeviceStore());
	const answers = await Promise.allSettled([
		store.read(['meta'], () => Promise.reject(new Error('no such row'))),
		store.read(['meta'], (rows) => rows.count('meta'))
	]);
	expect(answers).toMatchObject([
		{ status: 'rejected', reason: { message: 'no such row' } },
		{ status: 'fulfilled', value: 0 }
	]);
});
