import type { Signer } from '#domain/crypto.ts';
import { createDexieDeviceStore } from '#storage/device-store.dexie.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import { personDatabase } from '../database-name.ts';
import type { HeirWays } from '../follow-heir.ts';
import { relayAs, takePlace } from '../heir-api.ts';
import type { LinkedPhone } from '../linked-device.ts';
import { createSigner, createSigningKeys, createWebCrypto } from '../web-crypto.ts';
import { readEnrolled } from './connections.ts';
import { becomePhoneHeir, carryPhoneOver, type PhoneHeirApi } from './phone-heir.ts';

export interface PhoneWaysParts {
	readonly phone: LinkedPhone;
	readonly store: DeviceStore;
	readonly signer: Signer;
	readonly clock: () => number;
	/** The code in whose book this phone works, where it is an heir itself. */
	readonly heir: string | undefined;
	/** Makes the heir's book the person's. */
	readonly becameHeir: (code: string) => Promise<void>;
}

/** The ways back of a customer's phone in a browser. */
export function phoneWays(parts: PhoneWaysParts): HeirWays {
	const { store } = parts;
	return {
		make: () => make(parts),
		carryOver: (old) => carryPhoneOver({ old, store, crypto: createWebCrypto() })
	};
}

async function make(parts: PhoneWaysParts): ReturnType<HeirWays['make']> {
	const { phone, store, signer, clock, heir, becameHeir } = parts;
	const { person } = phone.identity;
	const made = await becomePhoneHeir({
		person,
		old: store,
		oldName: personDatabase(person, heir),
		oldSigner: signer,
		openBook: (code) => createDexieDeviceStore(personDatabase(person, code)),
		createKeys: createSigningKeys,
		signerOf: createSigner,
		api: createPhoneHeirApi({ fetch: (...asked) => fetch(...asked), clock }),
		crypto: createWebCrypto(),
		clock,
		zone: () => new Intl.DateTimeFormat().resolvedOptions().timeZone,
		token: () => crypto.randomUUID()
	});
	if (!made.ok) return made.error;
	made.value.store.close();
	await becameHeir(made.value.code);
	return 'done';
}

/** The relay's routes for a phone that takes another's place. */
export function createPhoneHeirApi(parts: Parameters<typeof relayAs>[0]): PhoneHeirApi {
	return {
		takePlace: (name, keys) => takePlace(parts, { name, keys, read: readEnrolled }),
		as: (name, signer) => relayAs(parts, name, signer)
	};
}
