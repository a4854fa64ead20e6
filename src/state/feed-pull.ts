import { parseFact } from '#domain/fact/parse-fact.ts';
import type { DeviceStore, StoreReader } from '#storage/device-store.ts';
import type { Device } from './device.ts';
import type * as Pieces from './checkpoint-pull.ts';
import type { CheckpointPullParts, Filled } from './checkpoint-pull.ts';
import type { LinkedDevice } from './linked-device.ts';
import { heldMeta, readMeta, writeMeta, type CheckpointPlace, type FeedPlace } from './meta.ts';
import type { FeedRow, RelayHttp, RelayRefusal } from './relay-http.ts';

export interface FeedPullParts {
	readonly device: LinkedDevice;
	readonly store: DeviceStore;
	readonly http: RelayHttp;
}

/** How a pull ended: at the feed's end, or not. */
export type PullOutcome = 'caughtUp' | RelayRefusal;

/** The way out of the relay: everything that this device does not hear in today's journal. */
export interface FeedPull {
	/** Takes in all that follows, up to `s` of `epoch` at the least. One at a time. */
	pull(told: FeedPlace): Promise<PullOutcome>;
	/** Takes in one page of what a checkpoint stood for, or some pieces of it. */
	backfill(): Promise<Filled>;
	/** Where this device is; undefined before its first pull, and where it is to begin anew. */
	place(): Promise<FeedPlace | undefined>;
}

/**
 * A device that is this far behind begins with a checkpoint, which is smaller than the facts. Three
 * months of a busy shop are 90,000: they come as facts, in small pieces, and nothing waits for them.
 */
const CATCH_UP_MAX = 200_000;
/** One that wrote before it was ever there has most of it by itself, or is new and sold at once. */
const FIRST_CATCH_UP_MAX = 5_000;
const NEW_DEVICE_CATCH_UP_MAX = 200;
/** Pieces of a checkpoint that are fetched before anything else has its turn. */
const PIECES_AT_A_TIME = 8;
/** Sales are kept for 400 days; what is older comes when it is asked for. */
const HISTORY_MS = 400 * 86_400_000;

export function createFeedPull(parts: FeedPullParts): FeedPull {
	const { device, store } = parts;
	let last: Promise<unknown> = Promise.resolve();

	function pull(told: FeedPlace): Promise<PullOutcome> {
		const turn = last.then(async () => {
			let outcome = await pullTo(parts, told);
			// What came may have said that it is to be begun anew.
			if (outcome === 'caughtUp' && (await isLost(store))) outcome = await pullTo(parts, told);
			if (outcome === 'caughtUp' && isShop(device))
				await (await loadPieces(store))?.fillHurried(piecesOf(parts, device));
			return outcome;
		});
		last = turn.catch(() => undefined);
		return turn;
	}

	/** Some pieces of a checkpoint that was begun. */
	async function fill(): Promise<Filled> {
		const pieces = await loadPieces(store);
		if (!isShop(device) || pieces === undefined) return 'all';
		for (let count = 0; count < PIECES_AT_A_TIME; count += 1) {
			const turn = last.then(() => pieces.fillNext(piecesOf(parts, device)));
			last = turn.catch(() => undefined);
			const filled = await turn;
			if (filled !== 'some') return filled;
		}
		return 'some';
	}

	return {
		pull,
		place: async () => ((await isLost(store)) ? undefined : heldMeta(store, 'feed')),
		backfill: async () => {
			const filled = await fill();
			return filled === 'all' ? fillOlder(parts) : filled;
		}
	};
}

/** Few devices have a checkpoint on its way: it is read for these. */
async function loadPieces(store: DeviceStore): Promise<typeof Pieces | undefined> {
	const isFilling = await store.read(
		['meta', 'bases'],
		async (rows) => !!(await readMeta(rows, 'checkpointNext')) || (await rows.count('bases')) > 0
	);
	return isFilling ? import('./checkpoint-pull.ts') : undefined;
}

/** A page of what lies before the place that history came down to. */
async function fillOlder(parts: FeedPullParts): Promise<Filled> {
	const { device, store, http } = parts;
	const from = await store.read(['meta'], historyPlace);
	if (from === undefined) return 'all';
	const answer = await http.history(from);
	if (!answer.ok) return 'none';
	const rows = answer.value;
	await device.receive(rows);
	const lowest = rows.reduce((least, { s }) => Math.min(least, s), from.s);
	const isOver = rows.length === 0 || lowest <= 1 || (await isOldEnough(parts, rows));
	if (!isOver && lowest >= from.s) return 'none';
	await store.write(['meta'], async (meta) => {
		const now = await readMeta(meta, 'history');
		// A checkpoint that came meanwhile stands for more, and has a place of its own.
		if (now?.epoch === from.epoch && now.s === from.s)
			await writeMeta(meta, 'history', { epoch: from.epoch, s: isOver ? 0 : lowest });
	});
	return isOver ? 'all' : 'some';
}

async function pullTo(
	parts: FeedPullParts,
	told: FeedPlace,
	upTo = Number.MAX_SAFE_INTEGER
): Promise<PullOutcome> {
	let place = await begin(parts, told);
	while (typeof place !== 'string') {
		if (place.epoch === told.epoch && place.s >= told.s) return 'caughtUp';
		const next = await step(parts, place, upTo);
		if (next === undefined) return 'caughtUp';
		const isOther = typeof next !== 'string' && next.epoch !== place.epoch;
		// In another epoch this device may be far behind, and a checkpoint the shorter way.
		place = isOther ? await begin(parts, told) : next;
	}
	return place;
}

/** Where to go on from: the place that was kept, or a checkpoint where that is shorter. */
async function begin(
	{ device, store, http }: FeedPullParts,
	told: FeedPlace
): Promise<FeedPlace | RelayRefusal> {
	const { feed, sequence } = await store.read(['meta'], async (rows) => ({
		feed: await readMeta(rows, 'feed'),
		sequence: await readMeta(rows, 'sequence')
	}));
	const isNew = feed === undefined && (sequence?.n ?? 0) === 0;
	const isFar = (await isLost(store)) || isBehind(feed, told, isNew);
	// A person's facts are few: they come whole, with no checkpoint before them.
	if (!isFar || !isShop(device)) return feed ?? keepPlace(store, { epoch: told.epoch, s: 0 });
	const { beginCheckpoint } = await import('./checkpoint-pull.ts');
	return beginCheckpoint({ device, store, http });
}

async function isLost(store: DeviceStore): Promise<boolean> {
	return (await heldMeta(store, 'isCheckpointLost')) === true;
}

function piecesOf(parts: FeedPullParts, device: Device): CheckpointPullParts {
	return {
		...parts,
		device,
		follow: async (place) => {
			await pullTo(parts, place, place.s);
		}
	};
}

function isBehind(feed: FeedPlace | undefined, told: FeedPlace, isNew: boolean): boolean {
	const behind = told.s - (feed?.epoch === told.epoch ? feed.s : 0);
	if (isNew) return behind > NEW_DEVICE_CATCH_UP_MAX;
	return behind > (feed === undefined ? FIRST_CATCH_UP_MAX : CATCH_UP_MAX);
}

function isShop(device: LinkedDevice): device is Device {
	return 'takeCheckpoint' in device;
}

/** One page; undefined where the place is the feed's end. */
async function step(
	{ device, store, http }: FeedPullParts,
	place: FeedPlace,
	upTo: number
): Promise<FeedPlace | RelayRefusal | undefined> {
	const answer = await http.feed(place);
	if (!answer.ok) return answer.error;
	if (answer.value.kind === 'epochEnded') {
		const { epoch, survivedTo } = answer.value;
		if (epoch <= place.epoch) return 'unreachable';
		// What was beyond is still here: the rows stay, and are handed in again where they are ours.
		return goBack(store, place, { epoch, s: Math.min(place.s, survivedTo) });
	}
	const rows = answer.value.rows.filter(({ s }) => s <= upTo);
	if (rows.length === 0) return undefined;
	await device.receive(rows);
	const s = rows.reduce((most, row) => Math.max(most, row.s), place.s);
	// LINK-24. Whoever asks again at once is told the same.
	if (s <= place.s) return 'unreachable';
	const next = { epoch: place.epoch, s };
	const isHeld = s < answer.value.last && isShop(device) && (await isUnsettled(store));
	return isHeld ? next : keepNext(store, place, { next, rows });
}

async function keepNext(
	store: DeviceStore,
	place: FeedPlace,
	{ next, rows }: { readonly next: FeedPlace; readonly rows: readonly FeedRow[] }
): Promise<FeedPlace> {
	const reached = await heldMeta(store, 'reached');
	if (reached?.epoch !== place.epoch || reached.s !== place.s) return keepPlace(store, next);
	const { withFacts } = await import('./checkpoint-pull.ts');
	return keepPlace(store, next, { ...next, ranges: withFacts(reached.ranges, rows) });
}

/** JOIN-4. Of a shop whose money is not known the first news is heard with the last of it. */
function isUnsettled(store: DeviceStore): Promise<boolean> {
	return store.read(['meta', 'settings'], async (rows) => {
		const feed = await readMeta(rows, 'feed');
		return feed?.s === 0 && (await rows.get('settings', 'currency')) === undefined;
	});
}

/** CARRY-2. No greeting need have told that what the sums here were begun with is of before. */
async function goBack(store: DeviceStore, from: FeedPlace, place: FeedPlace): Promise<FeedPlace> {
	await store.write(['meta'], async (rows) => {
		const checkpoint = await readMeta(rows, 'checkpoint');
		if (checkpoint?.epoch === from.epoch && checkpoint.s > place.s)
			await writeMeta(rows, 'isCheckpointLost', true);
	});
	return keepPlace(store, place);
}

/** After the facts are kept, never before: a page taken twice is one page. */
async function keepPlace(
	store: DeviceStore,
	place: FeedPlace,
	reached?: CheckpointPlace
): Promise<FeedPlace> {
	await store.write(['meta'], async (rows) => {
		await writeMeta(rows, 'feed', place);
		if (reached !== undefined) await writeMeta(rows, 'reached', reached);
	});
	return place;
}

/** Below which number history is missing; undefined where nothing is. */
async function historyPlace(rows: StoreReader): Promise<FeedPlace | undefined> {
	const place = await readMeta(rows, 'history');
	return place === undefined || place.s <= 1 ? undefined : place;
}

/** Whether all of the page was written longer ago than sales are kept, by this device's last stamp. */
async function isOldEnough({ store }: FeedPullParts, rows: readonly FeedRow[]): Promise<boolean> {
	const stamp = await heldMeta(store, 'stamp');
	const oldest = (stamp?.wall ?? 0) - HISTORY_MS;
	return rows.every(({ text }) => wallOf(text) < oldest);
}

function wallOf(text: string): number {
	const parsed = parseFact(text);
	return parsed.ok ? parsed.value.at.wall : 0;
}
