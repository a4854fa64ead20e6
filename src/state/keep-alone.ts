import type { StoreWriter } from '#storage/device-store.ts';
import { readMeta, writeMeta, type AloneRange } from './meta.ts';

/** Keeps what is here alone of one book, in the place of what was known of that: this one, or one of before. */
export async function keepAlone(
	rows: StoreWriter,
	alone: readonly AloneRange[],
	book?: string
): Promise<void> {
	const held = (await readMeta(rows, 'alone')) ?? [];
	const others = held.filter((range) => range.book !== book);
	await writeMeta(rows, 'alone', [...others, ...alone]);
}
