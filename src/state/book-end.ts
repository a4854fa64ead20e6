import type { BusinessId } from '#domain/ids.ts';
import type { StoreReader } from '#storage/device-store.ts';
import { readMeta } from './meta.ts';

/**
 * HEIR-13. Throws where an act must not be said to be saved in this book, since it would be on no
 * screen again: another book has all of it and is about to take its place, or what is here is a new
 * database under its name. To be asked in the transaction of the act.
 */
export async function throwWhereOver(
	rows: StoreReader,
	owner: 'identity' | 'phone'
): Promise<void> {
	if ((await mintedOf(rows)) !== undefined || (await readMeta(rows, 'heir'))?.isOver === true)
		throw new Error('this book goes on in another one');
	if ((await readMeta(rows, owner)) === undefined) throw new Error('this book was removed');
}

/** HEIR-12. The business of its own that this book became, and is over; undefined for one that goes on. */
export async function mintedOf(rows: StoreReader): Promise<BusinessId | undefined> {
	const heir = await readMeta(rows, 'heir');
	return heir?.code === undefined ? undefined : heir.minted?.business;
}
