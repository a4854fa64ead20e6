import { err, ok } from '#domain/result.ts';
import type { Signer } from '#domain/crypto.ts';
import { createIndexeddbDocumentsHost } from '#storage/documents-indexeddb.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import type { Random } from '#storage/documents-host.ts';
import { createAccountApi } from './account-api.ts';
import type { Changes } from './changes.ts';
import type { LinkedDevice } from './linked-device.ts';
import { createRelayHttp, tokenRefusal } from './relay-http.ts';
import { createRelayLink, type RelayLink } from './relay-link.ts';
import { createWebsocketProviders } from './relay-provider.ts';

export interface BrowserLinkParts {
	readonly device: LinkedDevice;
	readonly store: DeviceStore;
	readonly changes: Changes;
	readonly signer: Signer;
	readonly clock: () => number;
	readonly onFault: (fault: unknown) => void;
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
	return createRelayLink({
		...parts,
		http,
		random,
		documents: createIndexeddbDocumentsHost(random),
		createProvider: createWebsocketProviders({
			origin: location.origin.replace(/^http/, 'ws'),
			WebSocket,
			getTicket: (document) => http.ticket(document)
		}),
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

/** 53 random bits, cut to the limit by their share of it. */
const random: Random = (limit) => {
	const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
	const share = ((high >>> 5) * 0x4000000 + (low >>> 6)) / Number.MAX_SAFE_INTEGER;
	return Math.min(limit - 1, Math.floor(share * limit));
};
