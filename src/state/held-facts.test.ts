import { expect, it, vi } from 'vitest';
import { factId, type DeviceCode } from '#domain/ids.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import type { FactRow } from '#storage/device-store.ts';
import { heldOf } from './held-facts.ts';

function name(code: string, n: number): { id: FactRow['id']; code: DeviceCode; n: number } {
	return { id: factId(code, n), code: code as DeviceCode, n };
}

function row(code: string, n: number): FactRow {
	const of = { kind: 'sale', branch: '', wall: 1, counter: 0, on: '2026-11-20', by: 1 } as const;
	return { ...name(code, n), ...of, text: '', refs: [] };
}

it('[DEVICE-63] finds out which facts are here, asking once for numbers in a row', async () => {
	const store = createMemoryDeviceStore();
	await store.write(['facts'], (rows) =>
		rows.put('facts', [row('A', 2), row('A', 4), row('A', 20), row('B', 1), row('B', 9_000)])
	);
	const inARow = Array.from({ length: 16 }, (_none, place) => name('A', 2 + place));
	const asked = [...inARow, name('B', 1), name('B', 9_001), name('C', 7)];
	const held = await store.read(['facts'], async (rows) => {
		const find = vi.spyOn(rows, 'find');
		const getMany = vi.spyOn(rows, 'getMany');
		const found = await heldOf(rows, asked);
		expect([find.mock.calls.length, getMany.mock.calls.length]).toEqual([1, 2]);
		return found;
	});
	expect(asked.filter(({ id }) => held.has(id)).map(({ id }) => id)).toEqual(['A-2', 'A-4', 'B-1']);
	expect(await store.read(['facts'], (rows) => heldOf(rows, []))).toEqual(new Map());
});
