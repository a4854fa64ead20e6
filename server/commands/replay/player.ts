import { randomBytes, randomUUID } from 'node:crypto';
import { encodeBase64url } from '#domain/bytes.ts';
import type { Signer } from '#domain/crypto.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { createAccountApi, type AccountApi } from '#state/account-api.ts';
import { createChanges } from '#state/changes.ts';
import { openDevice, type Device, type DeviceParts } from '#state/device.ts';
import { mintIdentity, type Identity } from '#state/identity.ts';
import { createRelayHttp, tokenRefusal, type RelayHttp } from '#state/relay-http.ts';
import { createRelayLink, type RelayLink } from '#state/relay-link.ts';
import { createWebsocketProviders } from '#state/relay-provider.ts';
import { uuidV7 } from '#state/uuid-v7.ts';
import { createSigner, createSigningKeys } from '#state/web-crypto.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import { createMemoryDocumentsHost, type Random } from '#storage/documents-host.ts';
import { createNetwork, type Network } from './network.ts';
import { createSessionFetch } from './session-fetch.ts';
import type { ShopClock } from './shop-clock.ts';

/** A whole device of the shop, such as a phone is one: only that its tables are in memory. */
export interface Player {
	/** Origin of the server. */
	readonly url: string;
	readonly device: Device;
	readonly store: DeviceStore;
	readonly link: RelayLink;
	readonly network: Network;
	readonly http: RelayHttp;
	readonly signer: Signer;
}

export interface PlayerParts {
	/** Origin of the server. */
	readonly url: string;
	readonly clock: ShopClock;
	readonly onFault: (fault: unknown) => void;
}

/** The device that founds the business, and the account whose business it is. */
export interface Founder extends Player {
	readonly account: AccountApi;
}

/** The file says pounds sterling, and its times are taken as UTC. */
const SETTINGS = { name: 'Replay', currency: 'GBP', zone: 'UTC', tax: 'none' } as const;

/** Founds a business on a new device, signs its owner up and claims it. */
export async function foundShop(parts: PlayerParts): Promise<Founder> {
	const box = await createBox(parts);
	const { signer } = box.deviceParts;
	const minted = mintIdentity({ uuid: box.deviceParts.uuid, publicKey: signer.publicKey });
	const player = await switchOn(parts, box, minted);
	accepted('the settings', await player.device.changeSettings(SETTINGS));

	const account = createAccountApi({ fetch: createSessionFetch(parts.url), base: parts.url });
	const { business, branch, person } = player.device.identity;
	const username = `replay${randomBytes(5).toString('hex')}`;
	const name = SETTINGS.name;
	const form = { kind: 'store', username, name, email: `${username}@example.org` } as const;
	accepted('the account', await account.signUp({ ...form, password: randomUUID(), person }));
	const claim = await account.claim({ business, branch, person, name }, signer);
	const { code, member } = accepted('the business', claim);
	await player.device.markClaimed({ code, member });
	await player.link.start();
	return { ...player, account };
}

/** A new device joins the founder's business by an invite. */
export async function joinShop(parts: PlayerParts, founder: Founder): Promise<Player> {
	const { business, branch } = founder.device.identity;
	const invite = accepted('an invite', await founder.account.invite({ business, branch }));
	const box = await createBox(parts);
	const { signer } = box.deviceParts;
	const api = createAccountApi({ fetch: box.network.fetch, base: parts.url });
	const joined = accepted('a device', await api.join({ token: invite.token }, signer));
	const { person, member, code, sight } = joined;
	const player = await switchOn(parts, box, {
		business: joined.business,
		branch: joined.branch,
		...{ person, member, code, sight },
		publicKey: encodeBase64url(signer.publicKey),
		claimed: true
	});
	await player.link.start();
	return player;
}

/** What an act or a request came to; anything else than success ends the replay in words. */
export function accepted<T>(what: string, result: Result<T, unknown>): T {
	if (result.ok) return result.value;
	throw new Error(`${what} was refused: ${JSON.stringify(result.error)}`);
}

/** A device as it comes out of its box: a key of its own, and nothing written. */
interface Box {
	readonly deviceParts: DeviceParts;
	readonly network: Network;
}

async function createBox({ clock }: PlayerParts): Promise<Box> {
	return {
		network: createNetwork(),
		deviceParts: {
			store: createMemoryDeviceStore(),
			signer: await createSigner(await createSigningKeys()),
			crypto: createNodeCrypto(),
			clock: clock.now,
			uuid: { v4: () => randomUUID(), v7: () => uuidV7(clock.now(), randomBytes(16)) },
			changes: createChanges()
		}
	};
}

async function switchOn(
	{ url, clock, onFault }: PlayerParts,
	{ deviceParts, network }: Box,
	identity: Identity
): Promise<Player> {
	const { store, signer, changes } = deviceParts;
	const device = await openDevice(deviceParts, identity);
	const api = createAccountApi({ fetch: network.fetch, base: url });
	const http = createRelayHttp({
		fetch: network.fetch,
		base: url,
		// What the server hands out expires by the machine's time.
		clock: Date.now,
		async getToken() {
			const { business, code } = device.identity;
			const token = await api.deviceToken({ business, code }, signer);
			return token.ok ? ok(token.value) : err(tokenRefusal(token.error));
		}
	});
	const link = createRelayLink({
		...{ device, store, changes, http, random, onFault },
		clock: clock.now,
		timers: clock.timers,
		documents: createMemoryDocumentsHost(random),
		createProvider: createWebsocketProviders({
			origin: url.replace(/^http/, 'ws'),
			WebSocket: network.WebSocket,
			getTicket: (document) => http.ticket(document)
		}),
		correctsClock: false
	});
	return { url, device, store, link, network, http, signer };
}

const random: Random = (limit) => Number(randomBytes(8).readBigUInt64BE() % BigInt(limit));
