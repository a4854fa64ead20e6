import { Dexie } from 'dexie';

/** Removes a whole database; a tab that still has it open makes it wait until that tab is gone. */
export async function deleteStore(name: string): Promise<void> {
	await Dexie.delete(name);
}
