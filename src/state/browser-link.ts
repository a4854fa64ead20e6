import { err, ok } from '#domain/result.ts';
import type { Signer } from '#domain/crypto.ts';
import { createIndexeddbDocumentsHost } from '#storage/documents-indexeddb.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import type { DocumentsHost, Random } from '#storage/documents-host.ts';
import { createAccountApi } from './account-api.ts';
import type { Changes } from './changes.ts';
import type { Device } from './device.ts';
import { phoneWays, type PhoneWaysParts } from './customer/phone-ways.ts';
import { deviceWays } from './device-ways.ts';
import { followHeir, type HeirWays } from './follow-heir.ts';
import { ticketFrom } from './have-from.ts';
import type { LinkedDevice } from './linked-device.ts';
import { BROWSER_PAGE } from './page-parts.ts';
import { countKept } from './receive.ts';
import { createRelayHttp, tokenRefusal } from './relay-http.ts';
import { createRelayLink, type RelayLink, type Timers } from './relay-link.ts';
import { createWebsocketProviders } from './relay-provider.ts';
import type { SyncStatus } from './sync-status.svelte.ts';
import type { TabLead } from './tab-lead.ts';
import { createWebCrypto } from './web-crypto.ts';

// Needed as seldom as a way back, and in the same file of the app: each further one is a fetch more.
export { claimAnew } from './claim-anew.ts';
export { enterPhoneAnew } from './customer/phone-ways.ts';

export interface BrowserLinkParts {
	readonly device: LinkedDevice;
	readonly store: DeviceStore;
	readonly changes: Changes;
	readonly signer: Signer;
	readonly clock: () => number;
	readonly onFault: (fault: unknown) => void;
	/** Of a phone: the code in whose book it works, where it is an heir; and what to do with one's own. */
	readonly heir?: string;
	readonly becameHeir?: (code: string) => Promise<void>;
	readonly answers?: PhoneWaysParts['answers'];
}

/**
 * The link of a browser's device to the relay of its page. This module is imported when the till
 * stands, never before: Yjs and the sockets are no part of the first load.
 */
export function createBrowserLink({ signer, ...parts }: BrowserLinkParts): RelayLink {
	const api = createAccountApi({ fetch: (...request) => fetch(...request) });
	const http = createRelayHttp({
		fetch: (...request) => fetch(...request),
		clock: parts.clock,
		async getToken() {
			const { identity } = parts.device;
			const token = await api.deviceToken(identity, signer);
			return token.ok ? ok(token.value) : err(tokenRefusal(token.error));
		}
	});
	const { device } = parts;
	const documentsOf = (book?: string): DocumentsHost => createIndexeddbDocumentsHost(random, book);
	const link = createRelayLink({
		...parts,
		http,
		random,
		timers,
		documents: documentsOf(bookOf(device, parts.heir)),
		createProvider: createWebsocketProviders({
			origin: location.origin.replace(/^http/, 'ws'),
			WebSocket,
			getTicket: (document) => ticketFrom(parts.store, http.ticket(document)),
			code: () => device.identity.code
		})
	});
	const ways = waysOf(signer, parts);
	return followHeir(link, { ...parts, page: BROWSER_PAGE, ways, timers, random, documentsOf });
}

/** As much of a shop's app as its line needs. */
export interface LinedApp extends Pick<BrowserLinkParts, 'store' | 'changes' | 'signer' | 'clock'> {
	readonly device: Device;
	readonly sync: Pick<SyncStatus, 'take'>;
	fault: unknown;
	awaitless(work: Promise<unknown>): Promise<void>;
}

/** Makes the line of a shop's app: its state is told there, and it stands while this tab leads. */
export async function connectTill(app: LinedApp, lead: TabLead): Promise<void> {
	const { device, store, changes, signer, clock } = app;
	const onFault = (fault: unknown): void => {
		app.fault = fault;
	};
	const link = createBrowserLink({ device, store, changes, signer, clock, onFault });
	link.on((status) => {
		app.sync.take(status);
	});
	app.sync.take(link.status);
	const counting = countKept({ store, changes, crypto: createWebCrypto() }, device.identity);
	void app.awaitless(counting);
	lead.on((role) => void app.awaitless(role === 'leader' ? link.start() : link.stop()));
	const wake = (): void => {
		if (document.visibilityState === 'visible') link.wake();
	};
	window.addEventListener('online', wake);
	document.addEventListener('visibilitychange', wake);
	if (lead.role === 'leader') await link.start();
}

function waysOf(signer: Signer, parts: Omit<BrowserLinkParts, 'signer'>): HeirWays {
	const { device, heir, becameHeir = () => Promise.resolve() } = parts;
	if (isShop(device)) return deviceWays({ ...parts, device, signer, page: BROWSER_PAGE });
	return phoneWays({ ...parts, phone: device, signer, heir, becameHeir, page: BROWSER_PAGE });
}

function isShop(device: LinkedDevice): device is Device {
	return 'takeCheckpoint' in device;
}

/** An heir's documents are apart from those of the device that it goes on for. */
function bookOf({ identity }: LinkedDevice, heir = ''): string {
	return 'heirOf' in identity ? identity.code : heir;
}

const timers: Timers = {
	after(ms, work) {
		const timer = setTimeout(work, ms);
		return () => {
			clearTimeout(timer);
		};
	}
};

/** 53 random bits, cut to the limit by their share of it. */
const random: Random = (limit) => {
	const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
	const share = ((high >>> 5) * 0x4000000 + (low >>> 6)) / Number.MAX_SAFE_INTEGER;
	return Math.min(limit - 1, Math.floor(share * limit));
};
