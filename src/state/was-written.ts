import type { JournalRow, StoreReader } from '#storage/device-store.ts';
import { blockOf } from './number-ranges.ts';

/**
 * DEVICE-14. Whether an act whose answer was lost is on disk, whose last number is `lastN`. Two tabs may write
 * the same text in the same millisecond, so it is known by its chance; by its text where its rows left the
 * journal since. Throws where the fact was let go as well: nobody can say then, and written once more
 * it might stand twice. A number whose row never left was passed by, as where a copy's come back.
 */
export async function wasWritten(
	rows: StoreReader,
	[first]: readonly JournalRow[],
	lastN: number
): Promise<boolean> {
	if (first === undefined || first.n > lastN) return false;
	const there = await rows.get('journal', first.n);
	if (there !== undefined) return there.act === first.act;
	const held = await rows.get('facts', first.id);
	if (held !== undefined) return held.text === first.text;
	if ((await rows.get('backedUp', blockOf(first.n))) === undefined) return false;
	throw new Error('slept too long');
}
