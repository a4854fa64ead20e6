import { encodeBase64url } from '#domain/bytes.ts';
import type { Signer } from '#domain/crypto.ts';
import { parseDeviceCode } from '#domain/ids.ts';
import { ok } from '#domain/result.ts';
import { createAccountApi } from '#state/account-api.ts';
import type { Identity } from '#state/device.ts';
import { becomeHeir, type HeirParts, type NewBook } from '#state/heir.ts';
import { ticketFrom } from '#state/have-from.ts';
import { createHeirApi } from '#state/heir-api.ts';
import { readMeta } from '#state/meta.ts';
import { createRelayHttp, tokenRefusal, type RelayHttp } from '#state/relay-http.ts';
import type { LinkedDevice } from '#state/linked-device.ts';
import { createRelayLink, type RelayLink, type RelayLinkParts } from '#state/relay-link.ts';
import { createWebsocketProviders } from '#state/relay-provider.ts';
import { createSigner, createSigningKeys } from '#state/web-crypto.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import { only, type DeviceStore } from '#storage/device-store.ts';
import { createMemoryDocumentsHost } from '#storage/documents-host.ts';
import type { HostileStand, StandShop } from './hostile-stand.ts';
import { until } from './relay-stand.ts';
import { seeded, wide } from './seeded.ts';
import { shortTimers } from './short-timers.ts';
import { openTestDevice, type TestDevice } from './test-device.ts';

/** A shop's real device on the whole service: its book, its line, and what it asks over HTTP. */
export interface WayBackDevice extends TestDevice {
	readonly signer: Signer;
	readonly link: RelayLink;
	readonly http: RelayHttp;
	readonly faults: unknown[];
}

export function identityOf({ business, branch, person, code, signer }: StandShop): Identity {
	const parsed = parseDeviceCode(code);
	if (!parsed.ok) throw new Error('no device code');
	return {
		...{ business, branch, person },
		member: 1,
		code: parsed.value,
		publicKey: encodeBase64url(signer.publicKey),
		sight: 'office',
		claimed: true
	};
}

export function baseOf({ syncUrl }: HostileStand): string {
	return syncUrl.replace(/^ws/, 'http').replace(/\/sync$/, '');
}

export interface Opening {
	readonly seed: number;
	readonly signer: Signer;
	readonly identity: Identity;
	readonly store?: DeviceStore;
}

export async function openOnStand(
	stand: HostileStand,
	{ seed, signer, identity, store = createMemoryDeviceStore() }: Opening
): Promise<WayBackDevice> {
	const test = await openTestDevice({
		seed,
		signer,
		store,
		joins: { identity, code: identity.code }
	});
	test.clock.now = stand.clock.now;
	const line = linkOn(stand, { device: test.device, parts: test.parts, signer, seed });
	return { ...test, signer, ...line };
}

/** Waits until nothing is left on its disk, of the feed, and of what it carries after a restore. */
export async function atRest({ link, store }: WayBackDevice): Promise<void> {
	await until(async () => {
		const { state, feedBehind } = link.status;
		const [unsent, carry] = await store.read(['journal', 'meta'], async (rows) => [
			await rows.countIn('journal', only('sent', 0)),
			await readMeta(rows, 'carry')
		]);
		const isCarried = carry === undefined || carry.isDone;
		return state === 'online' && unsent === 0 && feedBehind === 0 && isCarried;
	}, 15_000);
}

export interface Linking {
	readonly device: LinkedDevice;
	readonly parts: Pick<RelayLinkParts, 'store' | 'changes' | 'clock'>;
	readonly signer: Signer;
	readonly seed: number;
}

/** The real line of a device or phone to the stand's relay, with short timers. */
export function linkOn(
	stand: HostileStand,
	{ device, parts, signer, seed }: Linking
): Pick<WayBackDevice, 'link' | 'http' | 'faults'> {
	const base = baseOf(stand);
	const api = createAccountApi({ fetch: globalThis.fetch, base });
	const http = createRelayHttp({
		fetch: globalThis.fetch,
		base,
		clock: () => stand.clock.now,
		getToken: async () => {
			const token = await api.deviceToken(device.identity, signer);
			return token.ok ? ok(token.value) : { ok: false, error: tokenRefusal(token.error) };
		}
	});
	const faults: unknown[] = [];
	const draw = seeded(seed);
	const link = createRelayLink({
		...parts,
		device,
		documents: createMemoryDocumentsHost(wide(draw)),
		http,
		createProvider: createWebsocketProviders({
			origin: base.replace(/^http/, 'ws'),
			WebSocket: globalThis.WebSocket,
			getTicket: (document) => ticketFrom(parts.store, http.ticket(document)),
			code: () => device.identity.code
		}),
		random: draw,
		timers: shortTimers(30),
		onFault: (fault) => faults.push(fault)
	});
	return { link, http, faults };
}

/** Makes the heir's book of a device whose numbers are used by two. */
export async function heirOn(
	stand: HostileStand,
	old: Pick<WayBackDevice, 'store' | 'signer' | 'parts'>,
	changed: Partial<HeirParts> = {}
): Promise<NewBook & { readonly signer: Signer }> {
	const stores = new Map<string, DeviceStore>();
	const signers: Signer[] = [];
	const became = await becomeHeir({
		...old.parts,
		old: old.store,
		oldName: 'old',
		oldSigner: old.signer,
		openBook: (code) => {
			const store = stores.get(code) ?? createMemoryDeviceStore();
			stores.set(code, store);
			return store;
		},
		createKeys: createSigningKeys,
		signerOf: async (keys) => {
			const signer = await createSigner(keys);
			signers.push(signer);
			return signer;
		},
		api: createHeirApi({
			fetch: globalThis.fetch,
			base: baseOf(stand),
			clock: () => stand.clock.now
		}),
		...changed
	});
	const signer = signers.at(-1);
	if (!became.ok || signer === undefined) throw new Error('no heir');
	return { ...became.value, signer };
}
