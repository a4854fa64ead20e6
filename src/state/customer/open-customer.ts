import type { PersonId } from '#domain/ids.ts';
import { createDexieDeviceStore } from '#storage/device-store.dexie.ts';
import { keysOf, leadOf } from '../browser-parts.ts';
import { createChanges } from '../changes.ts';
import { REGISTRY_NAME } from '../database-name.ts';
import { createSigner, createWebCrypto } from '../web-crypto.ts';
import { CustomerApp, type OpenPerson } from './app.svelte.ts';
import { createCustomerApi, type CustomerApi, type PersonName } from './connections.ts';
import { openPhone } from './open-phone.ts';
import { createPeopleShelf } from './people-shelf.ts';
import { provePhone } from './prove-phone.ts';

let opened: Promise<CustomerApp> | undefined;

/** This page's customer app, with `first` (the account's own person) where it holds nobody yet. */
export async function openCustomer(first: PersonName): Promise<CustomerApp> {
	opened ??= open(first);
	const app = await opened;
	// Signed out and in again, without a new page.
	if (!app.people.some(({ person }) => person === first.person)) await app.begin(first);
	return app;
}

async function open(first: PersonName): Promise<CustomerApp> {
	const api = createCustomerApi({ fetch: (...request) => fetch(...request) });
	const app = new CustomerApp({
		api,
		people: createPeopleShelf(createDexieDeviceStore(REGISTRY_NAME)),
		openPerson: (person) => openPerson(person, api),
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

/** The database of one person on this device. */
function personDatabase(person: PersonId): string {
	return `${REGISTRY_NAME}-person-${person}`;
}

async function openPerson(person: PersonId, api: CustomerApi): Promise<OpenPerson> {
	const name = personDatabase(person);
	const store = createDexieDeviceStore(name);
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
			return createBrowserLink({ device: phone.linked, store, changes, signer, clock, onFault });
		},
		close: () => {
			lead.close();
			changes.close();
			phone.close();
		}
	};
}
