import { createHeirApi } from '#state/heir-api.ts';
import { becomeHeir, carryOver, type HeirParts } from '#state/heir.ts';
import { leaveLate } from '#state/late-facts.ts';
import { createLateApi } from '#state/late-facts-api.ts';
import { readMeta } from '#state/meta.ts';
import { backoffMs } from '#state/relay-link.ts';
import { uuidV7 } from '#state/uuid-v7.ts';
import type { Signer } from '#domain/crypto.ts';
import { createSimSigner, simCrypto } from './crypto.ts';
import { storeOf } from './disk.ts';
import { createDisk, type Disk } from './disk-contents.ts';
import { RELAY_ORIGIN } from './network.ts';
import { tellFault, type ShopTab, type Station, type World } from './world.ts';

/** What the page around a line does: an heir's book where numbers fork, the owner's inbox after a removal. */
export function followLine(world: World, station: Station, tab: ShopTab): void {
	let isTaking = false;
	let isLeaving = false;
	tab.link.on(({ halted, unsent }) => {
		if (halted === 'fork' && !isTaking) {
			isTaking = true;
			take(world, { station, tab }, 0);
		}
		if (halted === 'rights' && unsent > 0 && !isLeaving) {
			isLeaving = true;
			leave(world, { station, tab, over: () => (isLeaving = false) }, 0);
		}
	});
}

/** Takes in what was written in the book before this one since it was taken over. */
export async function takeIn(world: World, station: Station, tab: ShopTab): Promise<void> {
	const inheritance = await tab.store.read(['meta'], (rows) => readMeta(rows, 'inheritance'));
	if (inheritance === undefined) return;
	const book = station.books.get(inheritance.book);
	if (book === undefined) return;
	const old = diskOf(world, tab, book);
	const carried = await carryOver({ old, store: tab.store, crypto: simCrypto });
	if (carried > 0) tab.changes.tell(['journal', 'facts', 'stock', 'days', 'records', 'balances']);
}

interface AtTab {
	readonly station: Station;
	readonly tab: ShopTab;
}

function diskOf({ machine }: World, { user }: ShopTab, disk: Disk): ReturnType<typeof storeOf> {
	return storeOf({ ...machine, disk, user });
}

function take(world: World, at: AtTab, attempt: number): void {
	const { tab, station } = at;
	const { profile } = station;
	makeBook(world, at).then(
		(outcome) => {
			if (tab.isDead()) return;
			if (outcome !== 'unreachable') return;
			world.time.after(backoffMs(attempt, world.machine.chance.below), () => {
				if (!tab.isDead()) take(world, at, attempt + 1);
			});
		},
		(fault: unknown) => {
			if (tab.isDead()) return;
			tellFault(world, profile.name, fault);
			world.time.after(1_000, () => {
				if (!tab.isDead()) take(world, at, attempt + 1);
			});
		}
	);
}

async function makeBook(world: World, at: AtTab): Promise<'done' | 'unreachable' | 'refused'> {
	const { station, tab } = at;
	const { profile } = station;
	const oldName = profile.identity.code;
	const made = await becomeHeir(heirParts(world, at, oldName));
	if (!made.ok) return made.error;
	if (tab.isDead()) return 'done';
	const { code } = made.value.identity;
	const book = station.books.get(code);
	const signer = station.keys.get(keyOf(await readKeys(made.value.store)));
	if (book === undefined || signer === undefined) throw new Error('the heir has a book and a key');
	world.count('heir made');
	Object.assign(profile, { disk: book, signer, identity: made.value.identity });
	// The page is loaded anew in it.
	for (const one of [...station.tabs]) one.kill();
	return 'done';
}

async function readKeys(store: ReturnType<typeof storeOf>): Promise<CryptoKeyPair> {
	const keys = await store.read(['meta'], (rows) => readMeta(rows, 'keys'));
	if (keys === undefined) throw new Error('an heir’s book has its keys');
	return keys;
}

function heirParts(world: World, { station, tab }: AtTab, oldName: string): HeirParts {
	const { machine } = world;
	const { profile } = station;
	const { clock } = tab;
	const { fetch } = profile.line.connector(tab.user);
	station.books.set(oldName, profile.disk);
	return {
		old: tab.store,
		oldName,
		oldSigner: profile.signer,
		openBook: (code) => {
			const book = station.books.get(code) ?? createDisk();
			station.books.set(code, book);
			return diskOf(world, tab, book);
		},
		createKeys: () => Promise.resolve(keysOf(station, machine.chance)),
		signerOf: (keys) => {
			const signer = station.keys.get(keyOf(keys));
			if (signer === undefined) throw new Error('a key of another machine');
			return Promise.resolve(signer);
		},
		api: createHeirApi({ fetch, base: RELAY_ORIGIN, clock }),
		crypto: simCrypto,
		clock,
		uuid: {
			v4: machine.chance.uuid,
			v7: () => uuidV7(clock(), machine.chance.bytes(16))
		}
	};
}

/** A key pair that only says which signer it is. */
function keysOf({ keys }: Station, chance: World['chance']): CryptoKeyPair {
	const name = chance.uuid();
	const signer: Signer = createSimSigner(chance);
	keys.set(name, signer);
	return { privateKey: { name }, publicKey: { name } } as unknown as CryptoKeyPair;
}

function keyOf({ privateKey }: CryptoKeyPair): string {
	return (privateKey as unknown as { readonly name: string }).name;
}

interface Leaving extends AtTab {
	readonly over: () => void;
}

/** What a removed device had not sent goes to its owner, as often as it takes to reach the relay. */
function leave(world: World, at: Leaving, attempt: number): void {
	const { tab, station, over } = at;
	const { profile } = station;
	const api = createLateApi({
		fetch: profile.line.connector(tab.user).fetch,
		base: RELAY_ORIGIN,
		device: profile.identity,
		signer: profile.signer,
		crypto: simCrypto
	});
	const again = (): void => {
		world.time.after(backoffMs(attempt, world.machine.chance.below), () => {
			if (!tab.isDead()) leave(world, at, attempt + 1);
		});
	};
	leaveLate(tab.store, api).then(
		(left) => {
			tab.changes.tell(['journal']);
			if (left.ok) over();
			else if (left.error === 'unreachable') again();
		},
		(fault: unknown) => {
			if (tab.isDead()) return;
			tellFault(world, profile.name, fault);
			again();
		}
	);
}
