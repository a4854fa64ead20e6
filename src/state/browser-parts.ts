import { createDexieDeviceStore } from '#storage/device-store.dexie.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import { heldMeta, readMeta, writeMeta } from './meta.ts';
import { createTabLead, type Locks, type TabLead } from './tab-lead.ts';
import { createSigningKeys } from './web-crypto.ts';

/** Which of this browser's tabs may write in the database `name`. */
export function leadOf(name: string): TabLead {
	return createTabLead({
		locks: locksOf(navigator),
		name,
		isVisible: () => document.visibilityState === 'visible',
		onVisibility: (changed) => {
			document.addEventListener('visibilitychange', changed);
			return () => {
				document.removeEventListener('visibilitychange', changed);
			};
		},
		channel: new BroadcastChannel(`${name}-lead`),
		timers: {
			after(ms, work) {
				const timer = setTimeout(work, ms);
				return () => {
					clearTimeout(timer);
				};
			}
		}
	});
}

/** Where there are none, every tab is the only one it knows of. */
function locksOf({ locks }: Partial<Navigator>): Locks | undefined {
	if (locks === undefined) return undefined;
	return { request: (name, options, held) => locks.request(name, options, held) };
}

/** Opens the book that this page shows. */
export function openBook(name: string): DeviceStore {
	return createDexieDeviceStore(name, {
		// By its heir's page, while this one slept: the book that goes on is another.
		onRemoved: () => {
			location.reload();
		}
	});
}

/** The device's keys, made at its first start; of two tabs that make them the first one's are kept. */
export async function keysOf(store: DeviceStore): Promise<CryptoKeyPair> {
	const held = await heldMeta(store, 'keys');
	if (held !== undefined) return held;
	const fresh = await createSigningKeys();
	return store.write(['meta'], async (rows) => {
		const first = await readMeta(rows, 'keys');
		if (first !== undefined) return first;
		await writeMeta(rows, 'keys', fresh);
		return fresh;
	});
}
