import type { PersonId } from '#domain/ids.ts';
import { createDexieDeviceStore } from '#storage/device-store.dexie.ts';
import { keysOf, leadOf, openBook } from '../browser-parts.ts';
import { createChanges } from '../changes.ts';
import { personDatabase, REGISTRY_NAME } from '../database-name.ts';
import { createSigner, createWebCrypto } from '../web-crypto.ts';
import { CustomerApp, type OpenPerson } from './app.svelte.ts';
import { createCustomerApi, type CustomerApi, type PersonName } from './connections.ts';
import { openPhone } from './open-phone.ts';
import { createPeopleShelf, type PeopleShelf } from './people-shelf.ts';
import { provePhone } from './prove-phone.ts';

let opened: Promise<CustomerApp> | undefined;

/**
 * This page's customer app, with `first` (the account's own person) where it holds nobody yet. What
 * could not be opened is opened anew the next time.
 */
export async function openCustomer(first: PersonName): Promise<CustomerApp> {
	opened ??= open(first).catch((fault: unknown) => {
		opened = undefined;
		throw fault;
	});
	const app = await opened;
	// Signed out and in again, without a new page; and where that did not open anybody.
	const isHers = app.people.some(({ person }) => person === first.person);
	if (!isHers || app.person === undefined) await app.begin(first);
	return app;
}

async function open(first: PersonName): Promise<CustomerApp> {
	const api = createCustomerApi({ fetch: (...request) => fetch(...request) });
	const people = createPeopleShelf(createDexieDeviceStore(REGISTRY_NAME));
	const app = new CustomerApp({
		api,
		people,
		openPerson: (person) => openPerson(person, { api, people }),
		clock: () => Date.now()
	});
	await app.begin(first);
	const wake = (): void => {
		if (document.visibilityState === 'visible') app.wake();
	};
	window.addEventListener('online', wake);
	document.addEventListener('visibilitychange', wake);
	return app;
}

interface Opening {
	readonly api: CustomerApi;
	readonly people: PeopleShelf;
}

async function openPerson(person: PersonId, { api, people }: Opening): Promise<OpenPerson> {
	const heir = await people.heirOf(person);
	const name = personDatabase(person, heir);
	const store = openBook(name);
	const changes = createChanges(new BroadcastChannel(name));
	const signer = await createSigner(await keysOf(store));
	const clock = (): number => Date.now();
	const phone = await openPhone(
		{
			store,
			changes,
			signer,
			crypto: createWebCrypto(),
			clock,
			zone: () => new Intl.DateTimeFormat().resolvedOptions().timeZone,
			token: () => crypto.randomUUID()
		},
		person
	);
	const lead = leadOf(name);
	return {
		device: phone,
		lead,
		token: async () => {
			const { code } = phone.identity;
			if (code === undefined) return undefined;
			const bearer = await api.phoneToken({ person, code }, signer);
			return bearer.ok ? bearer.value.token : undefined;
		},
		prove: () => provePhone({ phone, signer, api }),
		connect: async (onFault) => {
			const { createBrowserLink } = await import('../browser-link.ts');
			const device = phone.linked;
			const parts = { device, store, changes, signer, clock, onFault, answers: phone };
			const becameHeir = (code: string): Promise<void> => people.keepHeir(person, heir, code);
			return createBrowserLink({ ...parts, becameHeir, ...(heir !== undefined && { heir }) });
		},
		enterAnew: async () => {
			const { enterPhoneAnew } = await import('../browser-link.ts');
			return enterPhoneAnew({ phone: phone.linked, store, heir }, { api, changes, clock });
		},
		close: () => {
			lead.close();
			changes.close();
			phone.close();
		}
	};
}
