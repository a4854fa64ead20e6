import type { StoreReader } from '#storage/device-store.ts';
import { readMeta } from './meta.ts';

/** A fact as a journal has one that was not taken: its id, and why the relay would not have it. */
export interface NotTaken {
	readonly id: string;
	readonly sent: 0;
	readonly refused: string;
}

/** CARRY-5. What others wrote, and nobody but this device is known to have. */
export async function readAlone(rows: StoreReader): Promise<readonly NotTaken[]> {
	return ((await readMeta(rows, 'alone')) ?? []).flatMap(({ code, from, to, reason: refused }) =>
		Array.from({ length: to - from + 1 }, (_none, at) => ({
			id: `${code}-${String(from + at)}`,
			sent: 0,
			refused
		}))
	);
}
