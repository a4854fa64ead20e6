import { decodeBase64url, uuidFromBytes } from '#domain/bytes.ts';
import type { Signer } from '#domain/crypto.ts';
import { parseBusinessId, type BusinessId } from '#domain/ids.ts';
import { createDexieDeviceStore } from '#storage/device-store.dexie.ts';
import type { AccountApi, ApiRefusal, JoinBy } from './account-api.ts';
import { REGISTRY_NAME } from './database-name.ts';
import { joinBusiness } from './join-business.ts';
import { readMeta } from './meta.ts';
import { BROWSER_PAGE } from './page-parts.ts';
import { createRegistry, type Registry } from './registry.ts';

/** How far a device's joining has come. */
export type JoiningStage =
	| { readonly kind: 'looking' }
	| { readonly kind: 'asking'; readonly here: BookHere }
	| { readonly kind: 'joining'; readonly here: BookHere }
	| { readonly kind: 'refused'; readonly here: BookHere; readonly code: ApiRefusal }
	/** This device works in that shop already. */
	| { readonly kind: 'known'; readonly business: BusinessId }
	| { readonly kind: 'joined'; readonly shop: string };

/** The book that this device is working in now. */
export interface BookHere {
	/** Whether anything was written in it that the shop's own settings did not write by themselves. */
	readonly isUsed: boolean;
	readonly unsent: number;
	readonly isClaimed: boolean;
}

const NOTHING_HERE: BookHere = { isUsed: false, unsent: 0, isClaimed: false };

/** Makes this device one of a shop's. What it had before stays in a book of its own. */
export class Joining {
	readonly #api: AccountApi;
	stage = $state.raw<JoiningStage>({ kind: 'looking' });

	constructor(api: AccountApi) {
		this.#api = api;
	}

	/** Looks what is on this device, before anything is done. */
	async look(by: JoinBy): Promise<void> {
		const business = businessOf(by);
		const { known, here } = await inRegistry(async (registry) => ({
			known: await registry.all(),
			here: await bookHere(await registry.current())
		}));
		const isKnown =
			business !== undefined && known.includes(business) && (await isMember(business));
		this.stage = isKnown ? { kind: 'known', business } : { kind: 'asking', here };
	}

	/** Joins; after a lost answer the same again is the same device. */
	async join(by: JoinBy): Promise<void> {
		if (this.stage.kind !== 'asking' && this.stage.kind !== 'refused') return;
		const { here } = this.stage;
		this.stage = { kind: 'joining', here };
		const ask = (signer: Signer): ReturnType<AccountApi['join']> => this.#api.join(by, signer);
		const joined = await joinBusiness(ask, BROWSER_PAGE, businessOf(by));
		if (!joined.ok) {
			this.stage = { kind: 'refused', here, code: joined.error };
			return;
		}
		this.stage = { kind: 'joined', shop: joined.value.name };
	}

	/** Works in a shop that this device has a book of. */
	async open(business: BusinessId): Promise<void> {
		await inRegistry((registry) => registry.enter(business));
	}
}

/** Every book that is on this device, by the name of its shop; the one it works in is marked. */
export async function booksHere(): Promise<readonly BookOnDevice[]> {
	return inRegistry(async (registry) => {
		const current = await registry.current();
		const books: BookOnDevice[] = [];
		for (const business of await registry.all()) {
			books.push({ business, name: await nameOf(business), isCurrent: business === current });
		}
		return books;
	});
}

/** Whether this device has a book at all. */
export async function hasBook(): Promise<boolean> {
	return inRegistry(async (registry) => (await registry.current()) !== undefined);
}

export interface BookOnDevice {
	readonly business: BusinessId;
	/** Empty where the shop has none yet. */
	readonly name: string;
	readonly isCurrent: boolean;
}

const BUSINESS_BYTES = 16;

async function inRegistry<T>(work: (registry: Registry) => Promise<T>): Promise<T> {
	const registry = createRegistry(createDexieDeviceStore(REGISTRY_NAME));
	try {
		return await work(registry);
	} finally {
		registry.close();
	}
}

/** An invite names its business; a text that is none is left to the relay to refuse. */
function businessOf(by: JoinBy): BusinessId | undefined {
	if ('business' in by) return by.business;
	const bytes = decodeBase64url(by.token);
	if (!bytes.ok || bytes.value.length < BUSINESS_BYTES) return undefined;
	const parsed = parseBusinessId(uuidFromBytes(bytes.value.subarray(0, BUSINESS_BYTES)));
	return parsed.ok ? parsed.value : undefined;
}

async function inBook<T>(
	business: BusinessId,
	work: (store: ReturnType<typeof createDexieDeviceStore>) => Promise<T>
): Promise<T> {
	const name = await inRegistry((registry) => registry.bookOf(business));
	const store = createDexieDeviceStore(name);
	try {
		return await work(store);
	} finally {
		store.close();
	}
}

async function bookHere(business: BusinessId | undefined): Promise<BookHere> {
	if (business === undefined) return NOTHING_HERE;
	return inBook(business, (store) =>
		store.read(['meta', 'journal', 'facts'], async (rows) => {
			const identity = await readMeta(rows, 'identity');
			const unsent = await rows.find('journal', { index: 'sent', from: 0, to: 0 });
			const settings = await rows.find('facts', { index: 'kind', from: 'setting', to: 'setting' });
			return {
				isUsed: (await rows.count('facts')) > settings.length,
				unsent: unsent.length,
				isClaimed: identity?.claimed === true
			};
		})
	);
}

async function isMember(business: BusinessId): Promise<boolean> {
	return inBook(business, async (store) => {
		const { identity, outAt } = await store.read(['meta'], async (rows) => ({
			identity: await readMeta(rows, 'identity'),
			outAt: (await readMeta(rows, 'removedAt')) ?? (await readMeta(rows, 'unknownAt'))
		}));
		// Whose access was ended, or forgotten, may be invited again.
		return identity?.claimed === true && outAt === undefined;
	});
}

async function nameOf(business: BusinessId): Promise<string> {
	return inBook(business, async (store) => {
		const row = await store.read(['settings'], (rows) => rows.get('settings', 'name'));
		return typeof row?.value === 'string' ? row.value : '';
	});
}
