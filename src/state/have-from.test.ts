import { expect, it } from 'vitest';
import type { FactId } from '#domain/ids.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import { haveFrom, ticketFrom } from './have-from.ts';
import { writeMeta } from './meta.ts';

const EPOCH = 3;

/** A device that wrote so many facts, of which the relay is known to have some. */
async function deviceOf(count: number, unsent: readonly number[]): Promise<DeviceStore> {
	const store = createMemoryDeviceStore();
	const journal = Array.from({ length: count }, (_none, at) => ({
		n: at + 1,
		id: `A-${String(at + 1)}` as FactId,
		document: 'j/x',
		text: '',
		digest: '0'.repeat(16),
		sent: unsent.includes(at + 1) ? (0 as const) : (1 as const),
		at: 0,
		minor: 0n
	}));
	await store.write(['meta', 'journal'], async (rows) => {
		await rows.put('journal', journal);
		await writeMeta(rows, 'sequence', { n: count, receipt: 0 });
		await writeMeta(rows, 'epoch', EPOCH);
	});
	return store;
}

it('[DEVICE-48] a device hears from its first unsent fact on, or from its next', async () => {
	expect(await haveFrom(await deviceOf(0, []))).toBe('3.1');
	expect(await haveFrom(await deviceOf(900, []))).toBe('3.901');
	expect(await haveFrom(await deviceOf(900, [880, 17, 899]))).toBe('3.17');
});

it('[DEVICE-48] one that knows no epoch hears all, and who gets no ticket says nothing', async () => {
	const fresh = createMemoryDeviceStore();
	expect(await haveFrom(fresh)).toBeUndefined();
	const store = await deviceOf(2, []);
	const given = Promise.resolve({ ticket: 'once' });
	expect(await ticketFrom(store, given)).toEqual({ ticket: 'once', from: '3.3' });
	const refused = Promise.resolve({ refused: 'rights' } as const);
	expect(await ticketFrom(store, refused)).toEqual({ refused: 'rights' });
});
