import type { Device } from '#state/device.ts';
import { databaseName } from '#state/database-name.ts';
import { deviceWays } from '#state/device-ways.ts';
import { followHeir } from '#state/follow-heir.ts';
import type { HeirWays } from '#state/follow-heir.ts';
import type { PageParts } from '#state/page-parts.ts';
import type { RelayLink, Timers } from '#state/relay-link.ts';
import { createSimSigner, simCrypto } from './crypto.ts';
import { documentsOf, storeOf } from './disk.ts';
import { createDisk, type Disk } from './disk-contents.ts';
import type { Tab } from './machine.ts';
import { RELAY_ORIGIN } from './network.ts';
import { tellFault, type Station, type World } from './world.ts';

interface Following {
	readonly station: Station;
	readonly tab: Tab<Device>;
	/** What somebody does at this machine while its heir's book is being made. */
	readonly actMeanwhile: () => void;
}

/** The line of a shop's tab as its page has it: the product's own ways back, on a simulated page. */
export function followLine(world: World, following: Following): RelayLink {
	const { machine } = world;
	const { station, tab } = following;
	const { store, changes, clock, signer, user } = tab;
	const timers: Timers = {
		after: (ms, work) =>
			world.time.after(ms, () => {
				if (!tab.isDead()) work();
			})
	};
	const page = pageOf(world, following, timers);
	const ways = deviceWays({ device: tab.app, store, changes, signer, clock, page });
	const book = databaseName(station.shop.business);
	return followHeir(tab.link, {
		...{ store, changes, clock, timers, page },
		ways: counting(world, ways),
		random: machine.chance.below,
		onFault: (fault) => {
			if (!tab.isDead()) tellFault(world, station.profile.name, fault);
		},
		documentsOf: (heir) => {
			const disk = bookOf(station, heir === undefined ? book : `${book}-${heir}`);
			return documentsOf({ ...machine, disk, user });
		}
	});
}

function counting({ count }: World, ways: HeirWays): HeirWays {
	return {
		...ways,
		make: async () => {
			const outcome = await ways.make();
			if (outcome === 'done') count('heir made');
			return outcome;
		}
	};
}

/** A database of a machine by its name; there is one disk for all of them, and its room. */
export function bookOf({ books, profile }: Station, name: string): Disk {
	const held = books.get(name);
	if (held !== undefined) return held;
	const made = { ...createDisk(), isFull: profile.disk.isFull };
	books.set(name, made);
	return made;
}

const LACKING = '/facts/lacking';
const TYPING_PERCENT = 20;
const FROZEN_PERCENT = 20;
const REMOVE_MS_MAX = 2_000;

function pageOf(
	world: World,
	{ station, tab, actMeanwhile }: Following,
	timers: Timers
): PageParts {
	const { machine, count } = world;
	const { profile, keys } = station;
	const { chance } = machine;
	const { fetch } = profile.line.connector(tab.user);
	return {
		openStore: (name) => storeOf({ ...machine, disk: bookOf(station, name), user: tab.user }),
		removeStore: (name) =>
			new Promise((resolve) => {
				// A frozen tab has it open, and goes on having it open.
				if (chance.percent(FROZEN_PERCENT)) return;
				timers.after(chance.below(REMOVE_MS_MAX), () => {
					count('book before removed');
					station.books.delete(name);
					resolve();
				});
			}),
		createKeys: () => {
			const name = chance.uuid();
			keys.set(name, createSimSigner(chance));
			return Promise.resolve(pairCalled(name));
		},
		signerOf: (pair) => {
			const signer = keys.get(keyOf(pair));
			if (signer === undefined) throw new Error('a key of another machine');
			return Promise.resolve(signer);
		},
		crypto: simCrypto,
		uuidV4: chance.uuid,
		chance: chance.bytes,
		fetch: (asked, init) => {
			if (typeof asked === 'string' && asked.includes(LACKING)) actMeanwhile();
			return fetch(asked, init);
		},
		base: RELAY_ORIGIN,
		isTyping: () => chance.percent(TYPING_PERCENT),
		// Somebody opens it again a moment later, as after any other end.
		reload: tab.kill
	};
}

/** A key pair that only says which signer it is. */
export function pairCalled(name: string): CryptoKeyPair {
	return { privateKey: { name }, publicKey: { name } } as unknown as CryptoKeyPair;
}

export function keyOf({ privateKey }: CryptoKeyPair): string {
	return (privateKey as unknown as { readonly name: string }).name;
}
