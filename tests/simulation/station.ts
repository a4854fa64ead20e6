import type { Signer } from '#domain/crypto.ts';
import type { Device } from '#state/device.ts';
import { REGISTRY_NAME } from '#state/database-name.ts';
import type { Identity } from '#state/identity.ts';
import { readMeta } from '#state/meta.ts';
import { createRegistry } from '#state/registry.ts';
import { createTabLead } from '#state/tab-lead.ts';
import type { JournalRow } from '#storage/device-store.ts';
import { only } from '#storage/device-store.ts';
import type { Disk } from './disk-contents.ts';
import { bookOf, followLine, keyOf } from './follow.ts';
import { createLocks, type MachineLocks } from './locks.ts';
import { openShop, type Tab } from './machine.ts';
import type { Line } from './network.ts';
import type { ShopRows } from './shop-rows.ts';
import { actOnce } from './workload.ts';
import {
	isExpected,
	markerOf,
	tellFault,
	wordsOf,
	type ShopTab,
	type Station,
	type World
} from './world.ts';

export interface StationParts {
	readonly shop: ShopRows;
	readonly profile: {
		readonly name: string;
		readonly line: Line;
		readonly disk: Disk;
		readonly signer: Signer;
		readonly clockOffMs: number;
		readonly identity: Identity;
	};
	readonly tabs: number;
	/** What is copied of another machine. */
	readonly of?: Pick<Station, 'books' | 'keys'>;
}

/** The key that a machine had before it made any. */
const FIRST = 'first';

/** How long until somebody opens again what died, ms. */
const REOPEN_MS = [200, 8_000] as const;

export function createStation(world: World, parts: StationParts): Station {
	const { time } = world;
	const { shop, tabs: wanted } = parts;
	const dice = world.chance.apart(`station ${parts.profile.name}`);
	const locks = createLocks(time);
	let opening = 0;
	const station: Station = {
		shop,
		said: new Map(),
		tabs: new Set(),
		books: new Map(parts.of?.books),
		keys: new Map(parts.of?.keys ?? [[FIRST, parts.profile.signer]]),
		isRemoved: false,
		profile: {
			...parts.profile,
			wrote: (rows) => {
				noteWritten(world, station, rows);
			},
			died: () => {
				for (const tab of station.tabs) if (tab.isDead()) station.tabs.delete(tab);
				opening = 0;
				time.after(dice.between(...REOPEN_MS), station.open);
			}
		},
		open: () => {
			while (station.tabs.size + opening < wanted) {
				opening += 1;
				openTab(world, { station, locks, isVisible: station.tabs.size + opening === 1 }).then(
					() => {
						opening = Math.max(0, opening - 1);
					},
					(fault: unknown) => {
						opening = Math.max(0, opening - 1);
						tellFault(world, parts.profile.name, fault);
						time.after(1_000, station.open);
					}
				);
			}
		}
	};
	return station;
}

interface Opening {
	readonly station: Station;
	readonly locks: MachineLocks;
	readonly isVisible: boolean;
}

async function openTab(world: World, { station, locks, isVisible }: Opening): Promise<void> {
	const { machine, time } = world;
	const { profile } = station;
	await findBook(station, profile.disk);
	const opened = await openShop(machine, profile, profile.identity);
	if (opened.isDead()) return;
	const seen = new Set<() => void>();
	let isSeen = isVisible;
	const after = (ms: number, work: () => void): (() => void) =>
		time.after(ms, () => {
			if (!opened.isDead()) work();
		});
	const actMeanwhile = (): void => {
		actAtOnce(world, station, opened);
	};
	const link = followLine(world, { station, tab: opened, actMeanwhile });
	const tab: ShopTab = {
		...opened,
		link,
		look: (isNow) => {
			isSeen = isNow;
			for (const one of seen) one();
			link.wake();
		},
		lead: createTabLead({
			locks: locks.of(opened.user),
			name: profile.name,
			isVisible: () => isSeen,
			onVisibility: (changed) => {
				seen.add(changed);
				return () => seen.delete(changed);
			},
			channel: channelOf(world, station, opened.isDead),
			timers: { after }
		})
	};
	opened.onDeath(() => {
		locks.left(opened.user);
	});
	station.tabs.add(tab);
	const turn = (role: 'leader' | 'reader'): void => {
		const moved = role === 'leader' ? tab.link.start() : tab.link.stop();
		moved.catch((fault: unknown) => {
			if (!tab.isDead()) tellFault(world, profile.name, fault);
		});
	};
	tab.lead.on(turn);
	if (tab.lead.role === 'leader') turn('leader');
}

/** As a page does that is loaded: it opens the book that the small list names. */
async function findBook(station: Station, first: Disk): Promise<void> {
	const { profile, shop, books, keys } = station;
	const registry = createRegistry(bookOf(station, REGISTRY_NAME).store);
	const name = await registry.bookOf(await registry.begin(shop.business));
	if (!books.has(name)) books.set(name, first);
	const disk = bookOf(station, name);
	const held = await disk.store.read(['meta'], async (rows) => ({
		identity: await readMeta(rows, 'identity'),
		keys: await readMeta(rows, 'keys')
	}));
	const signer = keys.get(held.keys === undefined ? FIRST : keyOf(held.keys));
	if (signer === undefined) throw new Error('a key of another machine');
	Object.assign(profile, { disk, signer, identity: held.identity ?? profile.identity });
}

/** Somebody goes on selling, whatever the machine is about. */
function actAtOnce(world: World, station: Station, tab: Tab<Device>): void {
	const { chance, trace, time, violations } = world;
	const { profile, shop } = station;
	const dice = chance.apart(`meanwhile ${profile.name} ${String(time.now())}`);
	const { store } = tab.disk;
	actOnce({ device: tab.app, store, chance: dice, marker: markerOf(shop.business) }).then(
		(deed) => {
			trace.note('act meanwhile', time.now(), profile.name, deed);
		},
		(fault: unknown) => {
			if (tab.isDead() || isExpected(fault)) return;
			const detail = `${profile.name}: ${wordsOf(fault)}`;
			violations.push({ promise: 'an act is done or refused in words', detail });
		}
	);
}

type Heard = (event: { readonly data: unknown }) => void;
const hearing = new WeakMap<
	Station,
	Set<{ readonly isDead: () => boolean; readonly heard: Heard }>
>();

/** Tabs of one machine talk about who leads. */
function channelOf({ time, chance }: World, station: Station, isDead: () => boolean) {
	const all = hearing.get(station) ?? new Set();
	hearing.set(station, all);
	let own: { readonly isDead: () => boolean; readonly heard: Heard } | undefined;
	return {
		postMessage: (data: unknown): void => {
			for (const other of all) {
				if (other === own) continue;
				time.after(chance.below(5), () => {
					if (!other.isDead()) other.heard({ data });
				});
			}
		},
		addEventListener: (_type: 'message', heard: Heard): void => {
			own = { isDead, heard };
			all.add(own);
		},
		close: (): void => {
			if (own !== undefined) all.delete(own);
		}
	};
}

/** A write came back to the app: from here on a person may have been told that it is saved. */
function noteWritten(world: World, station: Station, rows: readonly JournalRow[]): void {
	for (const { id, text } of rows) station.said.set(`${id} ${text}`, { id, text });
	const { profile, shop } = station;
	profile.disk.store
		.read(['journal'], (read) => read.find('journal', only('sent', 1)))
		.then(
			(sent) => {
				const ids = sent.map(({ id }) => id);
				world.watch.saysSent(profile.name, shop.business, ids);
			},
			(fault: unknown) => {
				if (!isExpected(fault)) throw new Error(wordsOf(fault), { cause: fault });
			}
		);
}
