import type { Signer } from '#domain/crypto.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { parseDeviceCode, parseFactId } from '#domain/ids.ts';
import {
	only,
	TEXT_END,
	type DeviceStore,
	type FactRow,
	type StoreReader,
	type StoreWriter
} from '#storage/device-store.ts';
import { assert } from '#domain/assert.ts';
import { factText } from './arrived-fact.ts';
import type { Changes } from './changes.ts';
import { databaseName, REGISTRY_NAME } from './database-name.ts';
import type { Device } from './device.ts';
import { beginCarry } from './enter-epoch.ts';
import type { HeirWays } from './follow-heir.ts';
import { journaled } from './have.ts';
import { becomeHeir, carryOver } from './heir.ts';
import { createHeirApi } from './heir-api.ts';
import type { Identity } from './identity.ts';
import { joinedRanges, keepAlone } from './keep-alone.ts';
import { leaveLate, WITH_OWNER } from './late-facts.ts';
import { createLateApi } from './late-facts-api.ts';
import { heldMeta, readMeta, writeMeta, type AloneRange } from './meta.ts';
import { withNumbers } from './number-ranges.ts';
import type { PageParts } from './page-parts.ts';
import { createRegistry } from './registry.ts';
import { uuidV7 } from './uuid-v7.ts';

export interface DeviceWaysParts {
	readonly device: Pick<Device, 'identity' | 'receive'>;
	readonly store: DeviceStore;
	readonly changes: Pick<Changes, 'tell'>;
	readonly signer: Signer;
	readonly clock: () => number;
	readonly page: PageParts;
}

/** The ways back of a shop's device. */
export function deviceWays(parts: DeviceWaysParts): HeirWays {
	const { device, store, signer, page } = parts;
	return {
		make: () => make(parts),
		enter: (code) => enter(parts, code),
		takeAlong: (code) => takeAlong(parts, code),
		retake: () => retake(parts),
		carryOver: (old) => carryOver({ old, store, crypto: page.crypto }),
		late: createLateApi({ ...page, device: device.identity, signer }),
		leaveBehind: () => leaveBehind(parts)
	};
}

async function retake(parts: DeviceWaysParts): Promise<boolean | 'unreachable'> {
	const { device, store, signer, clock, page } = parts;
	const { inheritance, told } = await store.read(['meta', 'facts'], async (rows) => ({
		inheritance: await readMeta(rows, 'inheritance'),
		told: toldOf(await rows.find('facts', only('kind', 'device')), device.identity)
	}));
	if (inheritance === undefined) return false;
	const before = await ownerOf(page, inheritance.book);
	if (before === undefined) return false;
	const api = createHeirApi({ ...page, clock });
	const old = await page.signerOf(before.keys);
	const taken = await api.takePlace(before.identity, { old, heir: signer }, told);
	if (!taken.ok) return taken.error === 'unreachable' ? 'unreachable' : false;
	return taken.value.code === device.identity.code;
}

/** What the relay said as it let this device in; undefined where it came packed. */
function toldOf(
	rows: readonly FactRow[],
	{ code, publicKey }: Pick<Identity, 'code' | 'publicKey'>
): string | undefined {
	return rows.find(({ text }) => {
		const fact = parseFact(text);
		if (!fact.ok || fact.value.kind !== 'device') return false;
		return fact.value.device === code && fact.value.fields.key === publicKey;
	})?.text;
}

interface Owner {
	readonly identity: Identity;
	readonly keys: CryptoKeyPair;
}

/** Whose book it is, and the keys that prove it. */
async function ownerOf(page: PageParts, book: string): Promise<Owner | undefined> {
	const store = page.openStore(book);
	try {
		const held = await store.read(['meta'], async (rows) => ({
			identity: await readMeta(rows, 'identity'),
			keys: await readMeta(rows, 'keys')
		}));
		const { identity, keys } = held;
		return identity === undefined || keys === undefined ? undefined : { identity, keys };
	} finally {
		store.close();
	}
}

/**
 * Nothing is read of it but what its owner is to have; it stays as it is. What he cannot have any more
 * is noted, with its book, until somebody says that he has the file of it (UNSENT-6).
 */
async function leaveBehind(parts: DeviceWaysParts): Promise<boolean> {
	const { store, changes } = parts;
	let { before: book, known: asked } = await store.read(['meta'], readBefore);
	if (book === undefined) return true;
	const leftByBook = new Map<string, LeftBook>();
	// Whose access was ended before it had left anything has a book of before as well.
	while (book !== undefined && !leftByBook.has(book)) {
		// What it was told is sent, too: a relay that forgot it is known by its answer alone.
		const left = await leaveBook(parts, { book, again: asked.length === 0 });
		if (left === undefined) return false;
		leftByBook.set(book, left);
		asked = [...asked, ...left.known];
		book = left.before;
	}
	const all = [...leftByBook.values()].reverse();
	const known = all.flatMap((one) => one.known).filter((one) => !leftByBook.has(one.book ?? ''));
	const notLeft = [...known, ...all.flatMap((one) => one.notLeft)];
	await store.write(['meta'], async (rows) => {
		if (notLeft.length === 0) await rows.remove('meta', ['leftBehind']);
		await keepAlone(rows, 'before', notLeft);
	});
	changes.tell(['journal']);
	return true;
}

interface Before {
	/** The book that a device has left behind. */
	readonly before: string | undefined;
	/** What the owner has not got of the books before its own, as far as it was answered there. */
	readonly known: readonly AloneRange[];
}

async function readBefore(rows: StoreReader): Promise<Before> {
	const alone = (await readMeta(rows, 'alone')) ?? [];
	const known = alone.filter(({ book }) => book !== undefined);
	return { before: await readMeta(rows, 'leftBehind'), known };
}

/** What became of a book that was left behind. */
interface LeftBook extends Before {
	/** What the owner has not got of it. */
	readonly notLeft: readonly AloneRange[];
}

interface BookToLeave {
	readonly book: string;
	/** Whether what it had sent is asked about too. */
	readonly again: boolean;
}

/** Undefined where the relay was not reached. */
async function leaveBook(
	parts: DeviceWaysParts,
	{ book, again }: BookToLeave
): Promise<LeftBook | undefined> {
	const { page } = parts;
	const owner = await ownerOf(page, book);
	const old = page.openStore(book);
	try {
		const doubt = await doubtIn(parts, old);
		if (doubt === 'unheard') return undefined;
		const became = owner === undefined ? 'left' : await leaveTo(parts, old, { ...owner, again });
		if (became === 'unreachable') return undefined;
		const held = await old.read(['meta'], readBefore);
		if (became === 'handedIn') return { before: held.before, known: [], notLeft: [] };
		if (doubt !== undefined && owner !== undefined)
			await bringOthers(parts, old, { code: owner.identity.code, epoch: doubt });
		return { ...held, notLeft: await notLeftOf(old, book) };
	} finally {
		old.close();
	}
}

async function leaveTo(
	parts: DeviceWaysParts,
	old: DeviceStore,
	{ identity, keys, again }: Owner & { readonly again: boolean }
): Promise<'left' | 'handedIn' | 'unreachable'> {
	const { page } = parts;
	const signer = await page.signerOf(keys);
	const left = await leaveLate(old, createLateApi({ ...page, device: identity, signer }), {
		again
	});
	if (left.ok || left.error === 'ended') return 'left';
	const isHandedIn = left.error === 'unknown' && (await handInFor(parts, old, identity));
	return isHandedIn ? 'handedIn' : 'unreachable';
}

/** What the owner has not got of a book. */
async function notLeftOf(old: DeviceStore, book: string): Promise<readonly AloneRange[]> {
	const unsent = await old.read(['journal'], (rows) => rows.find('journal', only('sent', 0)));
	const own = unsent.filter(({ refused }) => refused !== WITH_OWNER);
	const ranges = own.flatMap(({ id, refused: reason = NOT_LEFT }): readonly AloneRange[] => {
		const parsed = parseFactId(id);
		if (!parsed.ok) return [];
		const { code, n } = parsed.value;
		return [{ code, from: n, to: n, reason, book }];
	});
	return joinedRanges(ranges);
}

/** Why it is not with the owner: he was not to have it any more. */
const NOT_LEFT = 'notLeft';

const PAGE = 500;

/**
 * JOIN-2. A restored relay forgot the device of before: what its book holds is handed in as what others
 * wrote; until the relay has it, what that device wrote itself is here alone. False where the relay was
 * not heard yet.
 */
async function handInFor(
	{ device, store, changes }: DeviceWaysParts,
	old: DeviceStore,
	{ code }: Identity
): Promise<boolean> {
	const epoch = await heldMeta(store, 'epoch');
	if (epoch === undefined) return false;
	const numbers: number[] = [];
	await eachPage(old, async (held) => {
		await device.receive(held.map(factText));
		for (const row of held) if (row.code === code) numbers.push(row.n);
	});
	const alone = withNumbers([], numbers).map(([from, to]): AloneRange => ({
		code,
		from,
		to,
		reason: 'authorUnknown'
	}));
	await store.write(['meta'], async (rows) => {
		await handInAll(rows, epoch);
		await keepAlone(rows, 'others', alone);
	});
	// The line hands in what there is at once where it hears that whose facts it holds may be known.
	changes.tell(['journal', 'links']);
	return true;
}

/** Of now: the relay may have been restored once more while the book was read. */
async function handInAll(rows: StoreWriter, epoch: number): Promise<void> {
	await beginCarry(rows, (await readMeta(rows, 'epoch')) ?? epoch);
}

async function eachPage(
	old: DeviceStore,
	work: (held: readonly FactRow[]) => Promise<void>
): Promise<void> {
	for (let after = ''; ;) {
		const span = { from: after, to: TEXT_END, limit: PAGE };
		const held = await old.read(['facts'], (rows) => rows.find('facts', span));
		await work(held);
		const last = held.at(-1)?.id;
		if (last === undefined || held.length < PAGE) return;
		after = last;
	}
}

/**
 * The epoch in which what others wrote may be in a book of before alone: the relay was restored since that
 * book heard it, or did not take from it all that it forgot. Undefined where nothing is in doubt.
 */
async function doubtIn(
	{ store }: Pick<DeviceWaysParts, 'store'>,
	old: DeviceStore
): Promise<number | 'unheard' | undefined> {
	const before = await old.read(['meta'], async (rows) => ({
		epoch: await readMeta(rows, 'epoch'),
		carry: await readMeta(rows, 'carry'),
		alone: (await readMeta(rows, 'alone')) ?? []
	}));
	if (before.epoch === undefined) return undefined;
	const epoch = await heldMeta(store, 'epoch');
	if (epoch === undefined) return 'unheard';
	const { isDone = true, left = 0 } = before.carry ?? {};
	const hasAlone = before.alone.some(({ book }) => book === undefined);
	return before.epoch !== epoch || !isDone || left > 0 || hasAlone ? epoch : undefined;
}

/**
 * JOIN-1. Brings along what others wrote, to be handed in as by an heir. What the device of before wrote
 * itself is its owner's to take in. Noted in the old book once it is here.
 */
async function bringOthers(
	{ device, store, changes }: DeviceWaysParts,
	old: DeviceStore,
	{ code, epoch }: { readonly code: string; readonly epoch: number }
): Promise<void> {
	await eachPage(old, async (held) => {
		const own = await old.read(['journal'], (rows) => journaled(rows, held, code));
		await device.receive(held.filter(({ id }) => !own.has(id)).map(factText));
	});
	await store.write(['meta'], (rows) => handInAll(rows, epoch));
	await old.write(['meta'], async (rows) => {
		await writeMeta(rows, 'epoch', epoch);
		await writeMeta(rows, 'carry', { epoch, code: '', n: 0, left: 0, isDone: true });
		await keepAlone(rows, 'others', []);
	});
	changes.tell(['journal', 'links']);
}

/** The database of the book in which a device works. */
function ownBook({ business, code, heirOf }: Identity): string {
	return databaseName(business, heirOf === undefined ? undefined : code);
}

async function enter({ device, store, page }: DeviceWaysParts, code: string): Promise<void> {
	const heir = parseDeviceCode(code);
	assert(heir.ok, 'a device’s heir has a device’s code');
	const registry = createRegistry(page.openStore(REGISTRY_NAME));
	try {
		const { business } = device.identity;
		const minted = (await heldMeta(store, 'heir'))?.minted;
		if (minted !== undefined) await registry.replace(business, minted.business);
		else await registry.succeed(business, ownBook(device.identity), heir.value);
	} finally {
		registry.close();
	}
}

/** What could not be taken along now is taken in by the page that opens the heir's book. */
async function takeAlong({ device, store, page }: DeviceWaysParts, code: string): Promise<void> {
	const heir = parseDeviceCode(code);
	assert(heir.ok, 'a device’s heir has a device’s code');
	// A business that was minted anew has all of this book already.
	if ((await heldMeta(store, 'heir'))?.minted !== undefined) return;
	const book = page.openStore(databaseName(device.identity.business, heir.value));
	try {
		await carryOver({ old: store, store: book, crypto: page.crypto });
	} finally {
		book.close();
	}
}

async function make(parts: DeviceWaysParts): ReturnType<HeirWays['make']> {
	const { device, store, signer, clock, page } = parts;
	const { business } = device.identity;
	const made = await becomeHeir({
		old: store,
		oldName: ownBook(device.identity),
		oldSigner: signer,
		openBook: (code) => page.openStore(databaseName(business, code)),
		createKeys: page.createKeys,
		signerOf: page.signerOf,
		api: createHeirApi({ ...page, clock }),
		crypto: page.crypto,
		clock,
		uuid: { v4: page.uuidV4, v7: () => uuidV7(clock(), page.chance(16)) }
	});
	if (!made.ok) return made.error;
	made.value.store.close();
	return 'done';
}
