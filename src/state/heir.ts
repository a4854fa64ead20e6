import { encodeBase64url } from '#domain/bytes.ts';
import type { CryptoParts, Signer } from '#domain/crypto.ts';
import { firstText, idAtStart, issueAgain } from '#domain/fact/issued-again.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { factId, productIdOf, parseFactId, type DeviceCode, type FactId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { compareStamps, type Stamp } from '#domain/stamp.ts';
import { assert } from '#domain/assert.ts';
import {
	only,
	TEXT_END,
	type DeviceStore,
	type FactRow,
	type JournalRow,
	type StoreReader,
	type StoreWriter
} from '#storage/device-store.ts';
import type { Joined } from './account-answers.ts';
import { arrive } from './arrive.ts';
import { factText, type ArrivedFact } from './arrived-fact.ts';
import { createChanges } from './changes.ts';
import { openDevice, type Device } from './device.ts';
import { beginCarry, isOfRestored } from './enter-epoch.ts';
import { createFeedPull } from './feed-pull.ts';
import type { LinkedDevice } from './linked-device.ts';
import type { Identity } from './identity.ts';
import { digestOf } from './journal-digest.ts';
import {
	heldMeta,
	readMeta,
	writeMeta,
	type HeirToBe,
	type Inheritance,
	type MetaValues
} from './meta.ts';
import { isInRanges } from './number-ranges.ts';
import { foldsFor, READ_MODEL_TABLES } from './read-model.ts';
import type { RelayHttp, RelayRefusal } from './relay-http.ts';
import { foldActs } from './same-act.ts';
import type { DeviceParts } from './write-path.ts';

/** A fact as the relay is asked for it: its id and digest, and those that it had first. */
export type AskedFact =
	| readonly [id: string, digest: string]
	| readonly [id: string, digest: string, first: string, firstDigest: string];

/** What a device that takes another's place asks of the relay. */
export interface HeirApi {
	/**
	 * Gives a code of its own to the key of `heir`; the same again is told the same. `told`: the
	 * relay's own fact of the heir, by which one that a restored relay forgot has its code again.
	 */
	takePlace(
		old: Pick<Identity, 'business' | 'code'>,
		keys: { readonly old: Signer; readonly heir: Signer },
		told?: string
	): Promise<Result<Joined, RelayRefusal>>;
	/** The relay as the new device sees it. */
	as(
		identity: Identity,
		signer: Signer
	): {
		readonly http: RelayHttp;
		/** The ids of those facts that the database has under no name. */
		readonly lacking: (
			facts: readonly AskedFact[]
		) => Promise<Result<readonly string[], RelayRefusal>>;
	};
}

export interface HeirParts extends Pick<DeviceParts, 'crypto' | 'clock' | 'uuid'> {
	/** The book whose numbers are used by two, and its database's name. */
	readonly old: DeviceStore;
	readonly oldName: string;
	readonly oldSigner: Signer;
	/** Opens the database of the heir's book, or makes it. */
	readonly openBook: (code: DeviceCode) => DeviceStore;
	readonly createKeys: () => Promise<CryptoKeyPair>;
	readonly signerOf: (keys: CryptoKeyPair) => Promise<Signer>;
	readonly api: HeirApi;
}

/** The heir's book, whole: what is left is to make it the current one. */
export interface NewBook {
	readonly identity: Identity;
	readonly store: DeviceStore;
	/** How many facts were issued again. */
	readonly issued: number;
}

/** A line of 10 kB/s takes at most fifteen seconds for their names, and nobody waits longer than thirty. */
const LOT = 2_000;
const PAGE = 500;
/** What is on the last pages of today's screens comes along; what is older comes from the relay. */
const RECENT_MS = 3 * 86_400_000;
/** Beyond every number of a feed. */
const FEED_END = 1_000_000_000_000_000;
const ATTEMPTS_MAX = 5;

/**
 * HEIR-1. Makes the book of a device that goes on in this one's place: a code and key of its own, the
 * relay's numbers, and every own fact that the relay lacks, issued again. Nothing of the old book
 * changes but a note of what it will be, so that it may be begun again after a crash at any point; until
 * the caller makes the new book the current one, the old one is written in as before: what the relay
 * was not asked for is issued again in any case.
 */
export async function becomeHeir(parts: HeirParts): Promise<Result<NewBook, RelayRefusal>> {
	const { old, api } = parts;
	const before = await heldMeta(old, 'identity');
	assert(before !== undefined, 'a book has an identity');
	const { keys } = await heirToBe(parts);
	const signer = await parts.signerOf(keys);
	const joined = await api.takePlace(before, { old: parts.oldSigner, heir: signer });
	if (!joined.ok) return joined;

	const identity = identityOf(joined.value, before, signer);
	const store = parts.openBook(identity.code);
	await beginBook(parts, store, { identity, keys, epoch: joined.value.epoch });
	const device = await openDevice({ ...parts, store, signer, changes: createChanges() }, identity);
	const relay = api.as(identity, signer);
	const caughtUp = await catchUp(device, store, { http: relay.http, epoch: joined.value.epoch });
	if (!caughtUp.ok) return caughtUp;
	const answered = await askLacking(parts, { ask: relay.lacking, epoch: joined.value.epoch });
	if (!answered.ok) return answered;
	await takeFacts(parts, store, { device, before, answered: answered.value });
	const issued = await issueAll({ ...parts, store }, answered.value);
	await old.write(['meta'], (rows) => writeMeta(rows, 'heir', { keys, code: identity.code }));
	return ok({ identity, store, issued });
}

/**
 * HEIR-4. Issues what was written in the old book after its heir's was made: another tab may have had
 * it open. Answers how many facts that were.
 */
export async function carryOver(
	parts: Pick<HeirParts, 'old' | 'crypto'> & { readonly store: DeviceStore }
): Promise<number> {
	return issueAll(parts, NOTHING_ASKED);
}

/**
 * Whether the heir's book has all of the old one, and the relay has it too: each fact that was unsent
 * there was issued again, or found at the relay under another name.
 */
export async function isOldBookSpent(old: DeviceStore, store: DeviceStore): Promise<boolean> {
	const inheritance = await heldMeta(store, 'inheritance');
	if (inheritance === undefined) return false;
	const { upTo, names, known = [] } = inheritance;
	const { left, unsent } = await old.read(['journal'], async (rows) => ({
		left: await rows.find('journal', { from: upTo + 1, to: Number.MAX_SAFE_INTEGER, limit: 1 }),
		unsent: await rows.find('journal', only('sent', 0))
	}));
	const taken = new Set([...known, ...names.map(([n]) => n)]);
	const mine = await store.read(['journal'], (rows) =>
		rows.getMany(
			'journal',
			names.map(([, n]) => n)
		)
	);
	return left.length === 0 && unsent.every(({ n }) => taken.has(n)) && mine.every(isDone);
}

/**
 * HEIR-13. Ends the old book where the heir's has all of it: from the transaction that says so nothing
 * more is written there, by whichever tab wakes late. Answers whether it may be removed.
 */
export async function endOldBook(old: DeviceStore, store: DeviceStore): Promise<boolean> {
	if (!(await isOldBookSpent(old, store))) return false;
	const inheritance = await heldMeta(store, 'inheritance');
	const from = (inheritance?.upTo ?? 0) + 1;
	return old.write(['meta', 'journal'], async (rows) => {
		const later = { from, to: Number.MAX_SAFE_INTEGER, limit: 1 };
		const heir = await readMeta(rows, 'heir');
		if (heir === undefined || (await rows.find('journal', later)).length > 0) return false;
		await writeMeta(rows, 'heir', { ...heir, isOver: true });
		return true;
	});
}

/** What is gone was pruned, which is done with what the relay has for sure. */
function isDone(row: JournalRow | undefined): boolean {
	return row === undefined || row.sent === 1 || row.refused !== undefined;
}

export async function heirToBe({
	old,
	createKeys
}: Pick<HeirParts, 'old' | 'createKeys'>): Promise<HeirToBe> {
	const fresh = await createKeys();
	return old.write(['meta'], async (rows) => {
		const held = await readMeta(rows, 'heir');
		// What it was to become before it was claimed after all is another business, with keys of its own.
		const isOther = held?.minted !== undefined && held.code === undefined;
		if (held !== undefined && !isOther) return held;
		await writeMeta(rows, 'heir', { keys: fresh });
		return { keys: fresh };
	});
}

function identityOf(joined: Joined, before: Identity, { publicKey }: Signer): Identity {
	const { business, branch, person, member, code, sight } = joined;
	return {
		...{ business, branch, person, member, code, sight },
		publicKey: encodeBase64url(publicKey),
		claimed: true,
		heirOf: before.code
	};
}

const CARRIED_META: readonly (keyof MetaValues)[] = [
	...(['offset', 'contactAt', 'sms', 'notices', 'leftBehind', 'alone', 'apart'] as const)
];

interface Beginning {
	readonly identity: Identity;
	readonly keys: CryptoKeyPair;
	/** Of the relay's database. */
	readonly epoch: number;
}

/** The new database: an identity, a key, and the small things that belong to nobody's numbers. */
async function beginBook(
	{ old, oldName, clock }: HeirParts,
	store: DeviceStore,
	{ identity, keys, epoch }: Beginning
): Promise<void> {
	const carried = await old.read(['meta', 'tries'], async (rows) => ({
		meta: await rows.getMany('meta', CARRIED_META),
		tries: await rows.all('tries'),
		stamp: await readMeta(rows, 'stamp'),
		isRestored: await isOfRestored(rows, epoch),
		nowMs: clock() + ((await readMeta(rows, 'offset')) ?? 0)
	}));
	const { heirOf } = identity;
	assert(heirOf !== undefined, 'an heir is somebody’s');
	await store.write(['meta', 'tries'], async (rows) => {
		// What others wrote and a restored relay lacks is handed in by whoever goes on with it; so does a
		// book that was begun before the restore.
		if (carried.isRestored) await beginCarry(rows, epoch);
		if ((await readMeta(rows, 'identity')) !== undefined) return;
		await writeMeta(rows, 'identity', identity);
		await writeMeta(rows, 'keys', keys);
		await rows.put(
			'meta',
			carried.meta.filter((row) => row !== undefined)
		);
		await rows.put('tries', carried.tries);
		if (carried.stamp !== undefined) await writeMeta(rows, 'stamp', carried.stamp);
		await writeMeta(rows, 'inheritance', {
			code: heirOf,
			book: oldName,
			at: carried.nowMs,
			upTo: 0,
			names: [],
			known: []
		});
	});
}

/** Takes the relay's numbers before any of its own, as every new device does. */
export async function catchUp(
	device: LinkedDevice,
	store: DeviceStore,
	{ http, epoch }: { readonly http: RelayHttp; readonly epoch: number }
): Promise<Result<undefined, RelayRefusal>> {
	const end = await http.feed({ epoch, s: FEED_END });
	if (!end.ok) return end;
	if (end.value.kind !== 'page') return err('unreachable');
	const outcome = await createFeedPull({ device, store, http }).pull({ epoch, s: end.value.last });
	return outcome === 'caughtUp' ? ok(undefined) : err(outcome);
}

/** Of each fact that the relay was asked for, by its id: whether it lacks it. */
export type Answered = ReadonlyMap<string, boolean>;

/** As long as nobody was asked. */
export const NOTHING_ASKED: Answered = new Map();

interface LackingAsk {
	readonly ask: (facts: readonly AskedFact[]) => Promise<Result<readonly string[], RelayRefusal>>;
	/** Of the relay's database. */
	readonly epoch: number;
}

/**
 * Asks which own facts the database has under no name. Of those it said to have, none is asked for:
 * unless it is another database than the one that said so.
 */
export async function askLacking(
	{ old, crypto }: Pick<HeirParts, 'old' | 'crypto'>,
	{ ask, epoch }: LackingAsk
): Promise<Result<Answered, RelayRefusal>> {
	const doubted = await old.read(['journal', 'meta'], async (rows) =>
		(await readMeta(rows, 'epoch')) === epoch
			? rows.find('journal', only('sent', 0))
			: rows.all('journal')
	);
	const answered = new Map<string, boolean>();
	for (let start = 0; start < doubted.length; start += LOT) {
		const asked: AskedFact[] = [];
		for (const row of doubted.slice(start, start + LOT)) asked.push(await askedFact(row, crypto));
		const answer = await ask(asked);
		if (!answer.ok) return answer;
		const lacking = new Set(answer.value);
		for (const [id] of asked) answered.set(id, lacking.has(id));
	}
	return ok(answered);
}

/** HEIR-8. What nobody was asked for was written since, and the relay can have it under no name. */
export function isToIssue({ id, sent }: JournalRow, answered: Answered): boolean {
	return answered.get(id) ?? sent === 0;
}

async function askedFact(
	{ id, text, digest }: JournalRow,
	crypto: CryptoParts
): Promise<AskedFact> {
	const first = firstText(text);
	const name = idAtStart(first);
	if (first === text || name === undefined) return [id, digest];
	return [id, digest, name, await digestOf(first, crypto)];
}

interface Taking {
	readonly device: Device;
	readonly before: Identity;
	readonly answered: Answered;
}

/**
 * HEIR-5. Brings along what the old book holds of others and the relay's numbers do not: a restored
 * relay may have forgotten it. What is recent comes too, so that the last days stand on the screens and
 * a relay that forgets them later gets them back, what its device sent itself among it.
 */
async function takeFacts(
	{ old }: HeirParts,
	store: DeviceStore,
	{ device, before, answered }: Taking
): Promise<void> {
	const held = await store.read(['meta'], async (rows) => ({
		checkpoint: await readMeta(rows, 'checkpoint'),
		inheritance: await readMeta(rows, 'inheritance'),
		stamp: await readMeta(rows, 'stamp')
	}));
	const { inheritance } = held;
	const recentFrom = (held.stamp?.wall ?? 0) - RECENT_MS;
	let after = '';
	for (;;) {
		const { page, own } = await old.read(['facts', 'journal'], async (rows) => {
			const found = await rows.find('facts', { from: after, to: TEXT_END, limit: PAGE });
			return { page: found, own: await doubtedOf(rows, found, { before, answered, inheritance }) };
		});
		// What was let go of the journal is issued by nobody again, and goes as what others wrote.
		const others = page.filter(({ id }) => id !== after && !own.has(id));
		const inside = (row: FactRow): boolean => isInRanges(row, held.checkpoint?.ranges);
		await device.receive(
			others.filter((row) => !inside(row) || row.wall >= recentFrom).map(factText)
		);
		const last = page.at(-1)?.id;
		if (last === undefined || page.length < PAGE) return;
		after = last;
	}
}

interface Doubting extends Omit<Taking, 'device'> {
	readonly inheritance: Inheritance | undefined;
}

/**
 * Of these facts the own ones that are issued again, or may be at the relay under another name: all but
 * those that it said to have under this one, be it before it was restored and lost them. The book of before
 * may know of that, and hold them for unsent.
 */
async function doubtedOf(
	rows: StoreReader,
	found: readonly FactRow[],
	{ before: { code }, answered, inheritance }: Doubting
): Promise<ReadonlySet<string>> {
	const own = found.filter((row) => row.code === code);
	const held = await rows.getMany(
		'journal',
		own.map(({ n }) => n)
	);
	const journal = held.filter((row) => row !== undefined);
	const isLost = inheritance && lostOf(inheritance, answered);
	// Unsent when it was looked at first, it may have been found under another name.
	const known = new Set(inheritance?.known);
	const doubted = journal.filter((row) => {
		if (row.sent === 0 && known.has(row.n)) return true;
		return (row.sent === 0 || answered.has(row.id)) && isLost?.(row) !== true;
	});
	return new Set(doubted.map(({ id }) => id));
}

interface Issuing extends Pick<HeirParts, 'old' | 'crypto'> {
	readonly store: DeviceStore;
}

/** Another tab may write meanwhile, in either book: then it is looked again. */
async function issueAll(parts: Issuing, answered: Answered): Promise<number> {
	for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
		const issued = await issueOnce(parts, answered);
		if (issued !== undefined) return issued;
	}
	throw new Error('another tab keeps writing before the book is carried over');
}

interface Basis {
	readonly identity: Identity;
	readonly inheritance: Inheritance;
	readonly n: number;
}

/** Undefined where the book moved since it was looked at. */
async function issueOnce(
	{ old, store, crypto }: Issuing,
	answered: Answered
): Promise<number | undefined> {
	const basis = await store.read(['meta'], readBasis);
	if (basis === undefined) return 0;
	const { inheritance, identity } = basis;
	const left = await old.read(['journal', 'meta'], async (rows) => ({
		rows: await leftOf(rows, inheritance, answered),
		cart: await readMeta(rows, 'cart'),
		stamp: await readMeta(rows, 'stamp')
	}));
	const toIssue = left.rows.filter((row) => isToIssue(row, answered));
	const issued = await reissue(await notBrought(store, toIssue, inheritance), basis, crypto);
	const arrived = issued.flatMap((one) => one.arrived ?? []);
	const { business, code } = identity;
	const folding = { business, code, folds: await foldsFor(arrived) };
	return store.write(['journal', ...READ_MODEL_TABLES], async (rows) => {
		if (!(await isStill(rows, basis))) return undefined;
		await keepIssued(rows, issued, { ...left, basis });
		await foldActs(rows, arrived, folding);
		return issued.length;
	});
}

/**
 * What was not looked at yet; and what was, and found at the relay, by a try that was cut off before the
 * relay was restored and lacks it.
 */
export async function leftOf(
	rows: StoreReader,
	inheritance: Inheritance,
	answered: Answered
): Promise<readonly JournalRow[]> {
	const { upTo } = inheritance;
	const from = answered.size === 0 ? upTo + 1 : 1;
	const held = await rows.find('journal', { from, to: Number.MAX_SAFE_INTEGER });
	const isLost = lostOf(inheritance, answered);
	return held.filter((row) => row.n > upTo || isLost(row));
}

type IsLost = (row: Pick<JournalRow, 'id' | 'n'>) => boolean;

/** Whether it was looked at and found at the relay, which lacks it now. */
function lostOf({ upTo, names }: Inheritance, answered: Answered): IsLost {
	const issued = new Set(names.map(([n]) => n));
	return ({ id, n }) => n <= upTo && answered.get(id) === true && !issued.has(n);
}

/**
 * HEIR-8. What was looked at before and came along is handed in under the name that it had: by that one it
 * is called in what was issued then.
 */
async function notBrought(
	store: DeviceStore,
	toIssue: readonly JournalRow[],
	{ upTo }: Inheritance
): Promise<readonly JournalRow[]> {
	const ids = toIssue.map(({ id }) => id);
	const held = await store.read(['facts'], (rows) => rows.getMany('facts', ids));
	return toIssue.filter(({ n, text }, place) => n > upTo || held[place]?.text !== text);
}

interface Left {
	readonly basis: Basis;
	readonly rows: readonly JournalRow[];
	readonly cart: unknown;
	readonly stamp: Stamp | undefined;
}

/** The rows, the numbers that they took, and how far the old book was carried over. */
async function keepIssued(
	rows: StoreWriter,
	issued: readonly Issued[],
	{ basis: { identity, inheritance, n }, ...left }: Left
): Promise<void> {
	await rows.put(
		'journal',
		issued.map(({ row }) => row)
	);
	const receipt = (await readMeta(rows, 'sequence'))?.receipt ?? 0;
	await writeMeta(rows, 'sequence', { n: n + issued.length, receipt });
	const upTo = Math.max(inheritance.upTo, left.rows.at(-1)?.n ?? 0);
	const after = { ...inheritance, upTo, ...takenOver(inheritance, left.rows, issued) };
	const cart = await takeCart(rows, left.cart, { inheritance: after, identity });
	await writeMeta(rows, 'inheritance', { ...after, ...(cart !== undefined && { cart }) });
	const stamp = (await readMeta(rows, 'stamp')) ?? { wall: 0, counter: 0 };
	if (left.stamp !== undefined && compareStamps(left.stamp, stamp) > 0)
		await writeMeta(rows, 'stamp', left.stamp);
}

/** What was issued again, and what was unsent and found at the relay, or came along since it was lost there. */
export function takenOver(
	before: Inheritance,
	looked: readonly JournalRow[],
	issued: readonly { readonly from: number; readonly row: JournalRow }[]
): Pick<Inheritance, 'names' | 'known'> {
	const here = issued.map(({ from, row }) => [from, row.n] as const);
	const again = new Set(issued.map(({ from }) => from));
	const found = looked.filter(({ n, sent }) => (sent === 0 || n <= before.upTo) && !again.has(n));
	const known = new Set([...(before.known ?? []), ...found.map(({ n }) => n)]);
	return { names: [...before.names, ...here], known: [...known] };
}

async function readBasis(rows: StoreReader): Promise<Basis | undefined> {
	const identity = await readMeta(rows, 'identity');
	const inheritance = await readMeta(rows, 'inheritance');
	const sequence = await readMeta(rows, 'sequence');
	if (identity === undefined || inheritance === undefined) return undefined;
	return { identity, inheritance, n: sequence?.n ?? 0 };
}

async function isStill(rows: StoreWriter, basis: Basis): Promise<boolean> {
	const now = await readBasis(rows);
	return now?.n === basis.n && now.inheritance.upTo === basis.inheritance.upTo;
}

interface Issued {
	/** Its number in the old book. */
	readonly from: number;
	readonly row: JournalRow;
	/** Undefined where the text is no fact: then it is kept, and shown as refused. */
	readonly arrived: ArrivedFact | undefined;
}

/** HEIR-2. The same texts under the heir's ids, in their order; what they name is called as it is called now. */
async function reissue(
	rows: readonly JournalRow[],
	{ identity, inheritance, n }: Basis,
	crypto: CryptoParts
): Promise<readonly Issued[]> {
	const renamed = new Map(renamedBy(inheritance, identity));
	const issued: Issued[] = [];
	for (const [place, old] of rows.entries()) {
		const id = factId(identity.code, n + place + 1);
		const parsed = parseFact(old.text);
		const text = issueAgain(old.text, parsed.ok ? parsed.value : null, { id, renamed });
		renamed.set(old.id, id);
		const digest = await digestOf(text, crypto);
		const arrived = await arrive({ text, branch: identity.branch }, crypto);
		const row = { ...old, id, n: n + place + 1, text, digest, sent: 0 as const };
		issued.push({
			from: old.n,
			row: arrived === undefined ? { ...row, refused: old.refused ?? 'badBody' } : row,
			arrived
		});
	}
	return issued;
}

function renamedBy(
	{ code, names }: Inheritance,
	{ code: own }: Identity
): ReadonlyMap<FactId, FactId> {
	return new Map(names.map(([old, n]) => [factId(code, old), factId(own, n)]));
}

/**
 * An open cart goes on in the heir's book, with its goods as they are called there, until it is touched
 * there: what was sold from it in the old book is no cart any more. Answers what was taken last.
 */
async function takeCart(
	rows: StoreWriter,
	cart: unknown,
	{ inheritance, identity }: Omit<Basis, 'n'>
): Promise<string | undefined> {
	const { cart: taken } = inheritance;
	const here = JSON.stringify((await readMeta(rows, 'cart')) ?? []);
	if (here !== (taken ?? '[]') || !Array.isArray(cart)) return taken;
	const renamed = renamedBy(inheritance, identity);
	const lines = (cart as readonly unknown[]).map((line) => {
		if (typeof line !== 'object' || line === null || !('productId' in line)) return line;
		return { ...line, productId: productNow(line.productId, renamed) };
	});
	await writeMeta(rows, 'cart', lines);
	return JSON.stringify(lines);
}

function productNow(id: unknown, renamed: ReadonlyMap<FactId, FactId>): unknown {
	const [fact, row = '0'] = typeof id === 'string' ? id.split('.') : [];
	const parsed = parseFactId(fact);
	const now = parsed.ok ? renamed.get(parsed.value.id) : undefined;
	return now === undefined ? id : productIdOf(now, Number(row));
}
