import { parseFactId } from '#domain/ids.ts';
import type { Have, HaveRange } from '#sync/frames.ts';
import { HAVE_RANGE_LENGTH } from '#sync/limits.ts';
import { mayPass } from '#sync/nack-reason.ts';
import {
	only,
	TEXT_END,
	type BackedUpRow,
	type DeviceStore,
	type FactRow,
	type JournalRow,
	type StoreReader,
	type StoreWriter
} from '#storage/device-store.ts';
import { readMeta } from './meta.ts';
import { blockOf } from './number-ranges.ts';

/** What the relay's ranges mean for this device's own facts. */
export type HaveOutcome =
	/** `documents`: those in which something was unsent until now. */
	| { readonly kind: 'sent'; readonly documents: ReadonlySet<string> }
	/** The relay holds another text under one of our ids: this device's numbers are used by two. */
	| { readonly kind: 'fork'; readonly range: HaveRange };

/**
 * Marks own facts as sent: those of a range whose digest is that of this device's own rows. Marks
 * nothing of a range that it cannot agree with. Looks at what may tell something new alone, and keeps
 * nobody from writing where nothing is to be marked. Ranges of another epoch than the book is in are of
 * a database that is no more.
 */
export async function markSent(store: DeviceStore, { epoch, ranges }: Have): Promise<HaveOutcome> {
	const documents = new Set<string>();
	for (const range of await worthLooking(store, ranges)) {
		const found = await store.read(['journal', 'backedUp'], (rows) => unsentOf(rows, range));
		if (found === undefined) return { kind: 'fork', range };
		if (found.length === 0) continue;
		const marked = await store.write(['meta', 'journal', 'backedUp'], async (rows) =>
			// Another tab may have heard of a restore while this one slept.
			(await readMeta(rows, 'epoch')) === epoch ? markRange(rows, range) : []
		);
		if (marked === undefined) return { kind: 'fork', range };
		for (const { document } of marked) documents.add(document);
	}
	return { kind: 'sent', documents };
}

/** So many are looked at whatever they say: it is less work than to find out. */
const FEW_RANGES = 4;
const EVERY_NUMBER = { from: 0, to: Number.MAX_SAFE_INTEGER };
/** With more unsent than that, nearly every range is of some. */
const UNSENT_READ_MAX = 10_000;

/**
 * A greeting names all that the relay ever had of this device. A row is sent in this epoch alone where
 * its range agreed already, so what is new is in ranges of unsent rows, or of numbers that this device
 * never wrote.
 */
async function worthLooking(
	store: DeviceStore,
	ranges: readonly HaveRange[]
): Promise<readonly HaveRange[]> {
	if (ranges.length <= FEW_RANGES) return ranges;
	const { last, unsent } = await store.read(['journal'], async (rows) => ({
		last: await rows.find('journal', { ...EVERY_NUMBER, isReverse: true, limit: 1 }),
		unsent: await rows.find('journal', { ...only('sent', 0), limit: UNSENT_READ_MAX })
	}));
	if (unsent.length === UNSENT_READ_MAX) return ranges;
	const lastNumber = last[0]?.n ?? 0;
	const ofUnsent = new Set(unsent.map(({ n }) => blockOf(n)));
	return ranges.filter(([from, to]) => to > lastNumber || ofUnsent.has(blockOf(from)));
}

/** The rows that were marked; undefined where the digests differ. */
async function markRange(
	rows: StoreWriter,
	range: HaveRange
): Promise<readonly JournalRow[] | undefined> {
	const unsent = await unsentOf(rows, range);
	await rows.put('journal', (unsent ?? []).map(asSent));
	return unsent;
}

/** Which rows of a range are unsent as yet; undefined where this device's own are not those of its digest. */
async function unsentOf(
	rows: StoreReader,
	[from, to, digest]: HaveRange
): Promise<readonly JournalRow[] | undefined> {
	// A range never crosses a multiple of its length, so a longer one is not an honest relay's.
	if (to - from >= HAVE_RANGE_LENGTH) return undefined;
	const keys = Array.from({ length: to - from + 1 }, (_none, place) => from + place);
	const held = await rows.getMany('journal', keys);
	const own = held.filter((row) => row !== undefined);
	if (own.length === 0) {
		const gone = await rows.get('backedUp', blockOf(from));
		if (gone !== undefined) return agrees(gone, [from, to, digest]) ? [] : undefined;
	}
	if (own.length < held.length || xorDigests(own) !== digest) return undefined;
	return own.filter(({ sent }) => sent === 0);
}

/**
 * Of a block that left the journal there is nothing to mark. A relay that was restored may have less
 * of it than all: what it lacks is handed in from the facts, and compared there.
 */
function agrees({ block, digest: own }: BackedUpRow, [from, to, digest]: HaveRange): boolean {
	const isWhole = from === firstOf(block) && to === lastOf(block);
	return !isWhole || digest === own;
}

/** The first number is 1. */
export function firstOf(block: number): number {
	return Math.max(1, block * HAVE_RANGE_LENGTH);
}

export function lastOf(block: number): number {
	return (block + 1) * HAVE_RANGE_LENGTH - 1;
}

/** What the database has cannot have been refused for good. */
export function asSent(row: JournalRow): JournalRow {
	return { ...asWaiting(row), sent: 1 };
}

/** The XOR of the rows' digests, 16 hex digits. */
export function xorDigests(rows: readonly Pick<JournalRow, 'digest'>[]): string {
	const xor = rows.reduce((sum, { digest }) => sum ^ BigInt(`0x${digest}`), 0n);
	return xor.toString(16).padStart(16, '0');
}

/** Rows that are unmarked in one transaction: a sale that is rung up meanwhile waits for no more. */
const UNMARKED_AT_ONCE = 500;

/**
 * After the database was restored, nothing is sent until it says so again. A piece at a time; what
 * stops in the middle is gone on with, as long as the epoch is not entered.
 */
export async function unmarkSent(store: DeviceStore): Promise<void> {
	for (let count = UNMARKED_AT_ONCE; count === UNMARKED_AT_ONCE;)
		count = await store.write(['journal'], unmarkSome);
}

/** LINK-10. What a tab that slept marked since; in the transaction that enters the epoch. */
export async function unmarkRest(rows: StoreWriter): Promise<void> {
	for (let count = UNMARKED_AT_ONCE; count === UNMARKED_AT_ONCE;) count = await unmarkSome(rows);
}

async function unmarkSome(rows: StoreWriter): Promise<number> {
	const sent = await rows.find('journal', { ...only('sent', 1), limit: UNMARKED_AT_ONCE });
	await rows.put(
		'journal',
		sent.map((row) => ({ ...row, sent: 0 }))
	);
	return sent.length;
}

/** Keeps why the relay would not have some of our facts. Answers how many rows that were. */
export async function keepRefused(
	store: DeviceStore,
	refused: readonly (readonly [id: string, reason: string])[]
): Promise<number> {
	return store.write(['journal'], async (rows) => {
		const marked: JournalRow[] = [];
		for (const [id, reason] of refused) {
			const parsed = parseFactId(id);
			const row = parsed.ok ? await rows.get('journal', parsed.value.n) : undefined;
			if (row?.id === id && row.sent === 0) marked.push({ ...row, refused: reason });
		}
		await rows.put('journal', marked);
		return marked.length;
	});
}

/** Lets go out again what was refused for a reason that may have passed, or `ids` whatever their reason. */
export async function tryRefusedAgain(
	store: DeviceStore,
	ids?: readonly string[]
): Promise<number> {
	return store.write(['journal'], async (rows) => {
		const held = await rows.find('journal', { index: 'refused', from: '', to: TEXT_END });
		const again = held.filter(({ id, refused = '' }) =>
			ids === undefined ? mayPass(refused) : ids.includes(id)
		);
		await rows.put('journal', again.map(asWaiting));
		return again.length;
	});
}

function asWaiting(row: JournalRow): JournalRow {
	const waiting: Omit<JournalRow, 'refused'> & { refused?: string } = { ...row, sent: 0 };
	delete waiting.refused;
	return waiting;
}

/** Puts what waits in one document into another. Answers the rows as they are now. */
export async function moveUnsent(
	store: DeviceStore,
	{ from, to }: { readonly from: string; readonly to: string }
): Promise<readonly JournalRow[]> {
	return store.write(['journal'], async (rows) => {
		const held = await rows.find('journal', only('document', from));
		const moved = held
			.filter(({ sent, refused }) => sent === 0 && refused === undefined)
			.map((row) => ({ ...row, document: to }));
		await rows.put('journal', moved);
		return moved;
	});
}

/** Of these facts the own ones that stand in the journal: they go to the relay by their documents. */
export async function journaled(
	read: StoreReader,
	rows: readonly FactRow[],
	code: string
): Promise<ReadonlySet<string>> {
	const own = rows.filter((row) => row.code === code);
	const held = await read.getMany(
		'journal',
		own.map(({ n }) => n)
	);
	return new Set(held.flatMap((row) => row?.id ?? []));
}
