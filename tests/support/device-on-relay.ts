import { Hono } from 'hono';
import { ok } from '#domain/result.ts';
import { checkpointRoutes } from '#server/api/checkpoint.ts';
import { feedRoutes } from '#server/api/feed.ts';
import { createReads } from '#server/api/read-turns.ts';
import type { DeviceCaller } from '#server/auth/device-auth.ts';
import { createRelayHttp, type RelayHttp } from '#state/relay-http.ts';
import { createRelayLink, type RelayLink } from '#state/relay-link.ts';
import { createWebsocketProviders } from '#state/relay-provider.ts';
import { createMemoryDocumentsHost } from '#storage/documents-host.ts';
import { deviceCaller } from './device-caller.ts';
import { EPOCH, ticketFor, type RelayStand } from './relay-stand.ts';
import { seeded, wide } from './seeded.ts';
import { shortTimers } from './short-timers.ts';
import { openTestDevice, type TestDevice } from './test-device.ts';
import { tradeIdentity } from './trade-identity.ts';

/** A real device of the trade's business on a real relay: stock provider, tickets, feed and checkpoint. */
export interface DeviceOnRelay extends TestDevice {
	readonly link: RelayLink;
	readonly faults: unknown[];
}

export interface DeviceOpening {
	readonly code: string;
	readonly seed: number;
	/** Where its sockets go; the relay itself where it is absent. */
	readonly origin?: string;
}

export async function openOnRelay(
	stand: RelayStand,
	{ code, seed, origin = stand.url.replace('/sync', '') }: DeviceOpening
): Promise<DeviceOnRelay> {
	const signer = await stand.addDevice(code);
	const test = await openTestDevice({
		seed,
		signer,
		joins: { identity: tradeIdentity(code), code }
	});
	const faults: unknown[] = [];
	const random = seeded(seed);
	const link = createRelayLink({
		...test.parts,
		device: test.device,
		documents: createMemoryDocumentsHost(wide(random)),
		http: httpOf(stand, deviceCaller(code, signer.publicKey)),
		createProvider: createWebsocketProviders({
			origin,
			WebSocket: globalThis.WebSocket,
			getTicket: async (document) => ({ ticket: await ticketFor(stand, code, document) })
		}),
		random,
		timers: shortTimers(20),
		onFault: (fault) => faults.push(fault)
	});
	return { ...test, link, faults };
}

function httpOf({ database: { sql }, clock }: RelayStand, caller: DeviceCaller): RelayHttp {
	const deviceAuth = { authenticateDevice: () => Promise.resolve(ok(caller)) };
	const app = new Hono();
	const parts = { sql, epoch: EPOCH, deviceAuth, reads: createReads() };
	app.route('/api', feedRoutes(parts));
	app.route('/api', checkpointRoutes(parts));
	return createRelayHttp({
		fetch: async (address, init) =>
			app.request(address instanceof Request ? address : address.toString(), init),
		base: 'http://relay.test',
		getToken: () => Promise.resolve(ok({ token: 'stand' })),
		clock: () => clock.now
	});
}
