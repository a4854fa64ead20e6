import type { DeviceStore } from '#storage/device-store.ts';

/** A store of one tab, and what another does between the moment it looked and the moment it writes. */
export interface InterruptedStore {
	readonly store: DeviceStore;
	/** Has it done once, before the next write begins. */
	readonly beforeWrite: (work: () => Promise<unknown>) => void;
}

export function createInterruptedStore(disk: DeviceStore): InterruptedStore {
	let next: (() => Promise<unknown>) | undefined;
	return {
		store: {
			...disk,
			write: async (tables, work) => {
				const first = next;
				next = undefined;
				await first?.();
				return disk.write(tables, work);
			}
		},
		beforeWrite: (work) => {
			next = work;
		}
	};
}
