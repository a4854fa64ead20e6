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
	const heir = await readMeta(rows, 'heir');
	if ((heir?.minted !== undefined && heir.code !== undefined) || heir?.isOver === true)
		throw new Error('this book goes on in another one');
	if ((await readMeta(rows, owner)) === undefined) throw new Error('this book was removed');
}
