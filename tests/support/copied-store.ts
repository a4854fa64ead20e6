import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import { TABLES, type DeviceStore, type TableName } from '#storage/device-store.ts';

const NAMES = Object.keys(TABLES) as TableName[];

/** The whole database again, as a copied profile or a backup that is put back has it. */
export async function copiedStore(store: DeviceStore): Promise<DeviceStore> {
	const copy = createMemoryDeviceStore();
	for (const table of NAMES) {
		const rows = await store.read([table], (read) => read.all(table));
		await copy.write([table], (write) => write.put(table, rows));
	}
	return copy;
}
