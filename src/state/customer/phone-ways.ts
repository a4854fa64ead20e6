import type { Signer } from '#domain/crypto.ts';
import { ok, type Result } from '#domain/result.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import type { ApiRefusal } from '../account-api.ts';
import type { Changes } from '../changes.ts';
import { personDatabase } from '../database-name.ts';
import type { HeirWays } from '../follow-heir.ts';
import { relayAs, takePlace } from '../heir-api.ts';
import type { LinkedPhone } from '../linked-device.ts';
import { readMeta } from '../meta.ts';
import { BROWSER_PAGE, type PageParts } from '../page-parts.ts';
import { readEnrolled, type CustomerApi } from './connections.ts';
import type { CustomerDevice } from './device.ts';
import { answerAgain, enterAnew } from './enter-anew.ts';
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
	/** Answers on this phone; absent where it cannot be asked to. */
	readonly answers?: Pick<CustomerDevice, 'giveAgain'> | undefined;
}

/** The ways back of a customer's phone. */
export function phoneWays(parts: PhoneWaysParts): HeirWays {
	const { store, becameHeir, page } = parts;
	return {
		make: () => make(parts),
		enter: becameHeir,
		carryOver: (old) => carryPhoneOver({ old, store, crypto: page.crypto }),
		leaveBehind: () => leaveBehind(parts)
	};
}

/** CUSTOMER-12. Gives what waits in the book of before, where another tab may have answered since. */
async function leaveBehind({ store, page, answers }: PhoneWaysParts): Promise<boolean> {
	const book = await store.read(['meta'], (rows) => readMeta(rows, 'leftBehind'));
	if (book === undefined || answers === undefined) return true;
	const old = page.openStore(book);
	try {
		await answerAgain(old, answers);
	} finally {
		old.close();
	}
	return true;
}

/**
 * Makes this phone one of its person's again where the relay lets it in no more, by his session. The
 * page goes over into its new book by itself, once that is told to `changes`.
 */
export async function enterPhoneAnew(
	{ phone, store, heir }: Pick<PhoneWaysParts, 'phone' | 'store' | 'heir'>,
	{ api, changes, clock, page = BROWSER_PAGE }: EnteringAnew
): Promise<Result<undefined, ApiRefusal>> {
	const { person } = phone.identity;
	const entered = await enterAnew({
		person,
		clock,
		old: store,
		oldName: personDatabase(person, heir),
		openBook: (code) => page.openStore(personDatabase(person, code)),
		createKeys: page.createKeys,
		signerOf: page.signerOf,
		api: { ...api, as: (name, signer) => relayAs({ ...page, clock }, name, signer) },
		crypto: page.crypto,
		zone: hereZone,
		token: page.uuidV4
	});
	if (!entered.ok) return entered;
	changes.tell(['meta']);
	return ok(undefined);
}

export interface EnteringAnew extends Pick<PhoneWaysParts, 'clock'> {
	readonly api: Pick<CustomerApi, 'enrol' | 'dismissPhone'>;
	readonly changes: Pick<Changes, 'tell'>;
	readonly page?: PageParts;
}

function hereZone(): string {
	return new Intl.DateTimeFormat().resolvedOptions().timeZone;
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
		zone: hereZone,
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
