import { encodeBase64url } from '#domain/bytes.ts';
import type { Signer } from '#domain/crypto.ts';
import { ok, err } from '#domain/result.ts';
import type { DeviceStore, JournalRow } from '#storage/device-store.ts';
import { createAccountApi, type DeviceName, type PhoneName } from '#state/account-api.ts';
import { createChanges, type Changes } from '#state/changes.ts';
import { openDevice, type Device } from '#state/device.ts';
import type { Identity } from '#state/identity.ts';
import type { LinkedDevice } from '#state/linked-device.ts';
import { ticketFrom } from '#state/have-from.ts';
import { createRelayHttp, tokenRefusal } from '#state/relay-http.ts';
import { createRelayLink, type RelayLink } from '#state/relay-link.ts';
import { createWebsocketProviders } from '#state/relay-provider.ts';
import { uuidV7 } from '#state/uuid-v7.ts';
import type { Canary } from './canary.ts';
import type { Chance } from './chance.ts';
import { simCrypto } from './crypto.ts';
import { documentsOf, storeOf, type DiskUser } from './disk.ts';
import type { Disk } from './disk-contents.ts';
import { RELAY_ORIGIN, type Line } from './network.ts';
import { watched, type OpenDocument } from './open-documents.ts';
import type { SimTime } from './time.ts';
import type { Trace } from './trace.ts';

/** What a machine is, whatever runs on it: its disk, its key, its line, its clock. */
export interface Profile {
	readonly name: string;
	disk: Disk;
	signer: Signer;
	readonly line: Line;
	/** How far its clock is off, ms. */
	clockOffMs: number;
	/** Hears what the app was told is written into its journal. */
	readonly wrote: (rows: readonly JournalRow[]) => void;
	/** Hears that a tab died. */
	readonly died: () => void;
}

/** One run of the app on a machine. */
export interface Tab<T> {
	readonly profile: Profile;
	readonly user: DiskUser;
	readonly app: T;
	readonly store: DeviceStore;
	/** What it opened, and by whose key: the machine may have gone on to another book since. */
	readonly disk: Disk;
	readonly signer: Signer;
	readonly clock: () => number;
	readonly link: RelayLink;
	readonly changes: Changes;
	readonly isDead: () => boolean;
	readonly kill: () => void;
	/** Called when it dies. */
	readonly onDeath: (act: () => void) => void;
}

export interface MachineParts {
	readonly time: SimTime;
	readonly chance: Chance;
	readonly trace: Trace;
	readonly canary: Canary;
	readonly count: (name: string) => void;
	/** What becomes of the next write of a disk. */
	readonly fateOfWrite: () => 'well' | 'killBefore' | 'killAfter';
	/** Hears under which Yjs client a machine opens a document. */
	readonly born: (client: number) => void;
	readonly fault: (where: string, fault: unknown) => void;
	/** Hears what a machine has open with a line to a relay; the answer is called when that ends. */
	readonly opened: (document: OpenDocument) => () => void;
}

/** What runs in a tab, while it runs: nothing of it answers once it is dead. */
export interface Process {
	readonly user: DiskUser;
	readonly store: DeviceStore;
	readonly disk: Disk;
	readonly signer: Signer;
	readonly changes: Changes;
	readonly clock: () => number;
	/** Called when it dies. */
	readonly onDeath: (act: () => void) => void;
}

export function startProcess(parts: MachineParts, profile: Profile): Process {
	const { time, trace, canary } = parts;
	const { disk, signer } = profile;
	let isDead = false;
	const deaths: (() => void)[] = [];
	const user: DiskUser = {
		isDead: () => isDead,
		kill: () => {
			if (isDead) return;
			isDead = true;
			trace.note('dies', time.now(), profile.name);
			canary.disk?.onDeath?.(disk);
			for (const act of deaths) act();
			profile.died();
		},
		fate: () => parts.fateOfWrite()
	};
	const store = storeOf({ ...parts, disk, user });
	return {
		user,
		disk,
		signer,
		store: noting(canary.store?.(store, disk) ?? store, profile),
		changes: createChanges(channelOf(parts, profile, user)),
		clock: () => time.now() + profile.clockOffMs,
		onDeath: (act) => {
			deaths.push(act);
		}
	};
}

/** What was put into the journal counts as told when the write came back to the app. */
function noting(store: DeviceStore, profile: Profile): DeviceStore {
	return {
		...store,
		write: async (tables, work) => {
			const written: JournalRow[] = [];
			const done = await store.write(tables, (rows) =>
				work({
					...rows,
					put: (table, given) => {
						if (table === 'journal') written.push(...(given as readonly JournalRow[]));
						return rows.put(table, given);
					}
				})
			);
			if (written.length > 0) profile.wrote(written);
			return done;
		}
	};
}

type Heard = (event: { readonly data: unknown }) => void;
const channels = new WeakMap<Disk, Set<{ readonly user: DiskUser; readonly heard: Heard }>>();

/** Tabs of one machine hear of each other's changes, a moment later. */
function channelOf({ time, chance }: MachineParts, { disk }: Profile, user: DiskUser) {
	const all = channels.get(disk) ?? new Set();
	channels.set(disk, all);
	return {
		postMessage: (data: unknown): void => {
			for (const other of all) {
				if (other.user === user || other.user.isDead()) continue;
				time.after(chance.below(5), () => {
					if (!other.user.isDead()) other.heard({ data });
				});
			}
		},
		addEventListener: (_type: 'message', heard: Heard): void => {
			all.add({ user, heard });
		},
		close: (): void => undefined
	};
}

/** The line of a tab to the relay: the product's own, on the simulated network. */
export function startLink(
	parts: MachineParts,
	profile: Profile,
	given: { readonly process: Process; readonly device: LinkedDevice }
): RelayLink {
	const { time, chance, canary } = parts;
	const { process, device } = given;
	const { user, disk, signer } = process;
	const { WebSocket, fetch } = profile.line.connector(user);
	const after = (ms: number, work: () => void): (() => void) =>
		time.after(ms, () => {
			if (!user.isDead()) work();
		});
	const api = createAccountApi({ fetch, base: RELAY_ORIGIN });
	const http = createRelayHttp({
		fetch,
		base: RELAY_ORIGIN,
		clock: process.clock,
		getToken: async () => {
			const token = await api.deviceToken(nameOf(device), signer);
			return token.ok ? ok(token.value) : err(tokenRefusal(token.error));
		}
	});
	const stock = createWebsocketProviders({
		origin: RELAY_ORIGIN.replace('http', 'ws'),
		WebSocket,
		getTicket: (document) => ticketFrom(process.store, http.ticket(document)),
		code: () => device.identity.code,
		timers: { after },
		clock: time.now
	});
	const watchedStock = watched(stock, process, (name, doc) =>
		parts.opened({ who: profile.name, name, doc })
	);
	const documents = documentsOf({ ...parts, disk, user });
	return createRelayLink({
		device,
		store: process.store,
		changes: process.changes,
		documents: canary.documents?.(documents, disk) ?? documents,
		createProvider: canary.provider?.(watchedStock, disk) ?? watchedStock,
		http,
		clock: process.clock,
		random: chance.below,
		timers: { after },
		onFault: (fault) => {
			if (!user.isDead()) parts.fault(profile.name, fault);
		}
	});
}

function nameOf({ identity }: LinkedDevice): DeviceName | PhoneName {
	if ('business' in identity) return { business: identity.business, code: identity.code };
	return { person: identity.person, code: identity.code };
}

/** Opens the shop's app on a machine. `minted` is kept where the disk knows no device yet. */
export async function openShop(
	parts: MachineParts,
	profile: Profile,
	minted?: Identity
): Promise<Tab<Device>> {
	const { chance } = parts;
	const process = startProcess(parts, profile);
	const { user } = process;
	const device = await openDevice(
		{
			store: process.store,
			signer: profile.signer,
			crypto: simCrypto,
			clock: process.clock,
			uuid: {
				v4: chance.uuid,
				v7: () => uuidV7(process.clock(), chance.bytes(16))
			},
			changes: process.changes
		},
		minted === undefined
			? undefined
			: { ...minted, publicKey: encodeBase64url(profile.signer.publicKey) }
	);
	const link = startLink(parts, profile, { process, device });
	const { changes, onDeath, store, disk, signer, clock } = process;
	return {
		profile,
		user,
		store,
		disk,
		signer,
		clock,
		app: device,
		link,
		changes,
		isDead: user.isDead,
		kill: user.kill,
		onDeath
	};
}
