import { expect, it } from 'vitest';
import { factId, parseDeviceCode, type DeviceCode } from '#domain/ids.ts';
import type { DeviceRow } from '#storage/device-store.ts';
import { accessOf } from './devices-list.svelte.ts';

function code(text: string): DeviceCode {
	const parsed = parseDeviceCode(text);
	if (!parsed.ok) throw new Error('no device code');
	return parsed.value;
}

function removedIn(epoch: number): DeviceRow {
	const id = factId(`0.${String(epoch)}`, 7);
	return { code: code('B'), removedAt: 1_000, stamps: { removedAt: [1_000, 0, id] } };
}

it('[REMOVAL-3] a removal that a restore may have undone is doubted, and not where none was since', () => {
	const own = code('A');
	expect(accessOf({ code: code('B'), stamps: {} }, 3, own)).toBe('open');
	expect(accessOf(removedIn(3), 3, own)).toBe('ended');
	expect(accessOf(removedIn(3), undefined, own)).toBe('ended');
	expect(accessOf(removedIn(2), 3, own)).toBe('doubtful');
	expect(accessOf(removedIn(10), 9, own)).toBe('ended');
	expect(accessOf(removedIn(2), 3, code('B'))).toBe('open');
});
