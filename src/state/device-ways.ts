import type { Signer } from '#domain/crypto.ts';
import { createDexieDeviceStore } from '#storage/device-store.dexie.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import { databaseName, REGISTRY_NAME } from './database-name.ts';
import type { Device } from './device.ts';
import type { HeirWays } from './follow-heir.ts';
import { becomeHeir, carryOver } from './heir.ts';
import { createHeirApi } from './heir-api.ts';
import { createLateApi } from './late-facts-api.ts';
import { createRegistry } from './registry.ts';
import { uuidV7 } from './uuid-v7.ts';
import { createSigner, createSigningKeys, createWebCrypto } from './web-crypto.ts';

export interface DeviceWaysParts {
	readonly device: Device;
	readonly store: DeviceStore;
	readonly signer: Signer;
	readonly clock: () => number;
}

/** The ways back of a shop's device in a browser. */
export function deviceWays(parts: DeviceWaysParts): HeirWays {
	const { device, store, signer } = parts;
	return {
		make: () => make(parts),
		carryOver: (old) => carryOver({ old, store, crypto: createWebCrypto() }),
		late: createLateApi({
			fetch: (...asked) => fetch(...asked),
			device: device.identity,
			signer,
			crypto: createWebCrypto()
		})
	};
}

async function make(parts: DeviceWaysParts): ReturnType<HeirWays['make']> {
	const { business } = parts.device.identity;
	const registry = createRegistry(createDexieDeviceStore(REGISTRY_NAME));
	try {
		const made = await makeBook(parts, await registry.bookOf(business));
		if (!made.ok) return made.error;
		made.value.store.close();
		await registry.enter(business, made.value.identity.code);
		return 'done';
	} finally {
		registry.close();
	}
}

function makeBook(
	{ device, store, signer, clock }: DeviceWaysParts,
	oldName: string
): ReturnType<typeof becomeHeir> {
	const { business } = device.identity;
	const chance = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));
	return becomeHeir({
		old: store,
		oldName,
		oldSigner: signer,
		openBook: (code) => createDexieDeviceStore(databaseName(business, code)),
		createKeys: createSigningKeys,
		signerOf: createSigner,
		api: createHeirApi({ fetch: (...asked) => fetch(...asked), clock }),
		crypto: createWebCrypto(),
		clock,
		uuid: { v4: () => crypto.randomUUID(), v7: () => uuidV7(clock(), chance(16)) }
	});
}
