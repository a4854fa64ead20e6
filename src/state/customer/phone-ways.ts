import type { Signer } from '#domain/crypto.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import { personDatabase } from '../database-name.ts';
import type { HeirWays } from '../follow-heir.ts';
import { relayAs, takePlace } from '../heir-api.ts';
import type { LinkedPhone } from '../linked-device.ts';
import type { PageParts } from '../page-parts.ts';
import { readEnrolled } from './connections.ts';
import { becomePhoneHeir, carryPhoneOver, type PhoneHeirApi } from './phone-heir.ts';

export interface PhoneWaysParts {
	readonly phone: LinkedPhone;
	readonly store: DeviceStore;
	readonly signer: Signer;
	readonly clock: () => number;
	/** The code in whose book this phone works, where it is an heir itself. */
	readonly heir: string | undefined;
	/** Makes the heir's book the person's, where this one is. */
	readonly becameHeir: (code: string) => Promise<void>;
	readonly page: PageParts;
}

/** The ways back of a customer's phone. */
export function phoneWays(parts: PhoneWaysParts): HeirWays {
	const { store, becameHeir, page } = parts;
	return {
		make: () => make(parts),
		enter: becameHeir,
		carryOver: (old) => carryPhoneOver({ old, store, crypto: page.crypto })
	};
}

async function make(parts: PhoneWaysParts): ReturnType<HeirWays['make']> {
	const { phone, store, signer, clock, heir, page } = parts;
	const { person } = phone.identity;
	const made = await becomePhoneHeir({
		person,
		old: store,
		oldName: personDatabase(person, heir),
		oldSigner: signer,
		openBook: (code) => page.openStore(personDatabase(person, code)),
		createKeys: page.createKeys,
		signerOf: page.signerOf,
		api: createPhoneHeirApi({ ...page, clock }),
		crypto: page.crypto,
		clock,
		zone: () => new Intl.DateTimeFormat().resolvedOptions().timeZone,
		token: page.uuidV4
	});
	if (!made.ok) return made.error;
	made.value.store.close();
	return 'done';
}

/** The relay's routes for a phone that takes another's place. */
export function createPhoneHeirApi(parts: Parameters<typeof relayAs>[0]): PhoneHeirApi {
	return {
		takePlace: (name, keys) => takePlace(parts, { name, keys, read: readEnrolled }),
		as: (name, signer) => relayAs(parts, name, signer)
	};
}
