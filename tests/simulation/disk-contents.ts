import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import type { DeviceStore } from '#storage/device-store.ts';

/** What a machine keeps through the end of a process. */
export interface Disk {
	store: DeviceStore;
	/** Updates of documents, as y-indexeddb keeps them. */
	readonly documents: Map<string, Uint8Array[]>;
	/** No write finds room; y-indexeddb does not even say so. */
	isFull: boolean;
}

export function createDisk(): Disk {
	return { store: createMemoryDeviceStore(), documents: new Map(), isFull: false };
}
