import { assert } from '#domain/assert.ts';
import { HAVE_RANGE_LENGTH } from '#sync/limits.ts';
import type { JournalRow, StoreReader } from '#storage/device-store.ts';

/** Have ranges never cross from one block of numbers into the next. */
export function blockOf(n: number): number {
	return Math.floor(n / HAVE_RANGE_LENGTH);
}

/** The first number is 1. */
export function firstOf(block: number): number {
	return Math.max(1, block * HAVE_RANGE_LENGTH);
}

export function lastOf(block: number): number {
	return (block + 1) * HAVE_RANGE_LENGTH - 1;
}

/**
 * DEVICE-14. Whether an act whose answer was lost is on disk. Two tabs may write the same text in the same
 * millisecond, so it is known by its chance; by its text where its rows left the journal since. Throws
 * where the fact was let go as well: nobody can say then, and written once more it might stand twice.
 */
export async function wasWritten(
	rows: StoreReader,
	[first]: readonly JournalRow[]
): Promise<boolean> {
	assert(first !== undefined, 'an act that is kept has facts');
	const { n, id, text, act } = first;
	const there = await rows.get('journal', n);
	if (there !== undefined) return there.act === act;
	const held = await rows.get('facts', id);
	if (held !== undefined) return held.text === text;
	if ((await rows.get('backedUp', blockOf(n))) === undefined) return false;
	throw new Error('this page slept for too long to know what it wrote');
}
