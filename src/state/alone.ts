import type { StoreReader } from '#storage/device-store.ts';
import { readMeta } from './meta.ts';

/** As a journal has a fact that was not taken: its id, behind the book that it is in where it is another. */
export interface NotTaken {
	readonly id: string;
	readonly sent: 0;
	readonly refused: string;
}

/** CARRY-5. What others wrote, and nobody but this device is known to have. */
export async function readAlone(rows: StoreReader): Promise<readonly NotTaken[]> {
	return ((await readMeta(rows, 'alone')) ?? []).flatMap(
		({ code, from, to, reason: refused, book = '' }) =>
			Array.from({ length: to - from + 1 }, (_none, at) => ({
				id: `${book}${code}-${String(from + at)}`,
				sent: 0,
				refused
			}))
	);
}
