import { idAtStart } from '#domain/fact/issued-again.ts';
import { groupBy } from '#domain/group-by.ts';
import { parseFactId } from '#domain/ids.ts';
import {
	only,
	type DeviceStore,
	type NumberRanges,
	type StoreReader
} from '#storage/device-store.ts';
import type { FactText } from './arrived-fact.ts';
import type { NextPage } from './checkpoint.ts';
import type { Device } from './device.ts';
import { heldMeta, readMeta, writeMeta, type FeedPlace } from './meta.ts';
import { withNumbers } from './number-ranges.ts';
import type { RelayHttp, RelayRefusal } from './relay-http.ts';

export interface CheckpointPullParts {
	readonly device: Pick<Device, 'identity' | 'takeCheckpoint' | 'takePiece'>;
	readonly store: DeviceStore;
	readonly http: Pick<RelayHttp, 'checkpoint'>;
	/** Takes in the feed up to there and no further, so that a piece of that place can be taken. */
	readonly follow: (place: FeedPlace) => Promise<void>;
}

/** How filling went: something came, all is here, or the relay is not to be had now. */
export type Filled = 'some' | 'all' | 'none';

const FIRST: NextPage = { part: 'first', after: '' };
/** What a till asks for at once: the rest comes when nothing else does. */
const HURRIED: ReadonlySet<string> = new Set(['first', 'products', 'customers']);

/** Begins anew with the first piece: the till sells what is sold most. */
export async function beginCheckpoint({
	device,
	store,
	http
}: Omit<CheckpointPullParts, 'follow'>): Promise<FeedPlace | RelayRefusal> {
	const first = await http.checkpoint(device.identity.branch, FIRST);
	if (!first.ok) return first.error;
	const { epoch, s, ranges } = first.value;
	if (ranges === undefined) return 'unreachable';
	await device.takeCheckpoint({ ...first.value, ranges });
	return (await heldMeta(store, 'feed')) ?? { epoch, s };
}

/** Fetches the pieces that a till waits for, one after the other. */
export async function fillHurried(parts: CheckpointPullParts): Promise<void> {
	const asked = new Set<string>();
	for (;;) {
		const { next, wanted } = await parts.store.read(['meta', 'bases'], readWanted);
		if (!next || !HURRIED.has(next.part)) return;
		if (!isNew(asked, next, wanted)) return;
		if ((await fillNext(parts)) !== 'some') return;
	}
}

/** LINK-24. Whether it was not asked for before: a relay may lead round in a circle. */
function isNew(asked: Set<string>, { part, after }: NextPage, wanted = ''): boolean {
	const name = `${part} ${after} ${wanted}`;
	if (asked.has(name)) return false;
	asked.add(name);
	return true;
}

/**
 * Fetches one piece: a ledger that somebody looks at first, else what is next. LINK-24. That is next too
 * where the ledger is not to be had.
 */
export async function fillNext(parts: CheckpointPullParts): Promise<Filled> {
	const { wanted } = await parts.store.read(['meta', 'bases'], readWanted);
	const filled = wanted === undefined ? 'none' : await fillLedger(parts, wanted);
	if (filled !== 'none') return filled;
	const { next, begunAt } = await parts.store.read(['meta'], async (rows) => ({
		next: await readMeta(rows, 'checkpointNext'),
		begunAt: await beginning(rows)
	}));
	if (!next) return wanted === undefined ? 'all' : 'none';
	const piece = await fetchPiece(parts, next);
	if (piece === undefined) return 'none';
	await parts.store.write(['meta'], async (rows) => {
		const now = await readMeta(rows, 'checkpointNext');
		// One that was begun meanwhile has its own way to go, from the same piece too.
		if (now?.epoch !== next.epoch || now.part !== next.part || now.after !== next.after) return;
		if ((await beginning(rows)) !== begunAt) return;
		await writeMeta(rows, 'checkpointNext', piece.next && { epoch: next.epoch, ...piece.next });
		if (piece.next === null) await writeMeta(rows, 'reached', null);
	});
	return 'some';
}

async function readWanted(rows: StoreReader): Promise<{
	readonly next: (NextPage & FeedEpoch) | null | undefined;
	readonly wanted: string | undefined;
}> {
	const [base] = await rows.find('bases', { ...only('isWanted', 1), limit: 1 });
	return { next: await readMeta(rows, 'checkpointNext'), wanted: base?.ledger };
}

type FeedEpoch = Pick<FeedPlace, 'epoch'>;

/** The place of the checkpoint that was begun last. */
async function beginning(rows: StoreReader): Promise<number | undefined> {
	return (await readMeta(rows, 'checkpoint'))?.s;
}

/** LINK-39. A long one goes on where it was cut off. */
async function fillLedger(parts: CheckpointPullParts, ledger: string): Promise<Filled> {
	const asked = new Set<string>();
	const { begunAt, from } = await parts.store.read(['meta', 'bases'], (rows) =>
		placeIn(rows, ledger)
	);
	let next: NextPage | null = from;
	while (next !== null) {
		const isFurther = isNew(asked, next);
		const piece: Piece | undefined = isFurther ? await fetchPiece(parts, next) : undefined;
		if (!isFurther) await keepPlaceIn(parts, ledger, { begunAt, isWanted: 1 });
		if (piece === undefined) return 'none';
		({ next } = piece);
		const place = { begunAt, isWanted: 1, after: next?.after } as const;
		if (next !== null) await keepPlaceIn(parts, ledger, place);
	}
	// One of which all came and that is not whole comes with all others, and holds none of them up.
	await keepPlaceIn(parts, ledger, { begunAt, isWanted: 0 });
	return 'some';
}

/** Of another checkpoint than was begun last a place says nothing: what came between is missing. */
async function placeIn(
	rows: StoreReader,
	ledger: string
): Promise<{ readonly begunAt: number | undefined; readonly from: NextPage }> {
	const base = await rows.get('bases', ledger);
	const begunAt = await beginning(rows);
	const held = base?.next?.s === begunAt ? base?.next?.after : undefined;
	return { begunAt, from: { part: 'ledger', after: held ?? `${ledger}/` } };
}

interface PlaceIn {
	/** The place of the checkpoint that its pieces were asked for. */
	readonly begunAt: number | undefined;
	readonly isWanted: 0 | 1;
	readonly after?: string | undefined;
}

/** LINK-39. Of one that was begun anew since, by another tab, nothing is known here. */
async function keepPlaceIn(
	{ store }: CheckpointPullParts,
	ledger: string,
	{ begunAt, isWanted, after }: PlaceIn
): Promise<void> {
	await store.write(['meta', 'bases'], async (rows) => {
		const base = await rows.get('bases', ledger);
		if (base === undefined || begunAt === undefined) return;
		if ((await beginning(rows)) !== begunAt) return;
		const { sums, ranges } = base;
		const next = after === undefined ? {} : { next: { s: begunAt, after } };
		await rows.put('bases', [{ ledger: base.ledger, sums, ranges, isWanted, ...next }]);
	});
}

interface Piece {
	readonly next: NextPage | null;
}

/** Undefined where it could not be taken now. */
async function fetchPiece(parts: CheckpointPullParts, asked: NextPage): Promise<Piece | undefined> {
	const answer = await parts.http.checkpoint(parts.device.identity.branch, asked);
	if (!answer.ok) return undefined;
	const { epoch, s, next = null } = answer.value;
	// What leads back to where it was asked leads no further.
	if (next?.part === asked.part && next.after === asked.after) return undefined;
	await parts.follow({ epoch, s });
	const taken = await parts.device.takePiece(answer.value);
	if (taken === 'taken') return { next };
	if (taken === 'begin') await beginCheckpoint(parts);
	return undefined;
}

/** LINK-38. What the relay has with these facts, too. */
export function withFacts(ranges: NumberRanges, facts: readonly FactText[]): NumberRanges {
	const names = facts.flatMap(({ text }) => {
		const name = parseFactId(idAtStart(text));
		return name.ok ? [name.value] : [];
	});
	const fresh = [...groupBy(names, ({ code }) => code)].map(([code, of]) => {
		const numbers = of.map(({ n }) => n);
		return [code, withNumbers(ranges[code] ?? [], numbers)] as const;
	});
	return { ...ranges, ...Object.fromEntries(fresh) };
}
