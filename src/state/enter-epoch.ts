import type { Hello } from '#sync/frames.ts';
import type { DeviceStore, StoreReader, StoreWriter } from '#storage/device-store.ts';
import { readMeta, writeMeta, type CarryPlace, type FeedPlace } from './meta.ts';

/**
 * CARRY-2. What an epoch that is new to this device means for its places in the feed: they go back to what
 * survived of the epoch they are of, all rows stay, and what the relay lacks is handed in. A
 * checkpoint that held what was forgotten is to be taken anew.
 */
export async function enterEpoch(
	rows: StoreWriter,
	{ epoch, ends }: Pick<Hello, 'epoch' | 'ends'>
): Promise<void> {
	await beginCarry(rows, epoch);
	// A relay that does not name them tells it when it is asked for the feed.
	if (ends === undefined) return;
	const survived = (place: FeedPlace): number =>
		ends.find(([ended]) => ended === place.epoch)?.[1] ?? 0;
	const feed = await readMeta(rows, 'feed');
	if (feed !== undefined && feed.epoch !== epoch) {
		await writeMeta(rows, 'feed', { epoch, s: Math.min(feed.s, survived(feed)) });
	}
	const history = await readMeta(rows, 'history');
	if (history !== undefined && history.epoch !== epoch) {
		await writeMeta(rows, 'history', { epoch, s: Math.min(history.s, survived(history) + 1) });
	}
	const checkpoint = await readMeta(rows, 'checkpoint');
	if (
		checkpoint !== undefined &&
		checkpoint.epoch !== epoch &&
		checkpoint.s > survived(checkpoint)
	) {
		await writeMeta(rows, 'isCheckpointLost', true);
	}
}

/**
 * Whether what a book holds of others may be nowhere else: the relay was restored since it was last
 * heard, or since the book was begun.
 */
export async function isOfRestored(rows: StoreReader, epoch: number): Promise<boolean> {
	return (await readMeta(rows, 'epoch')) !== epoch || (await readMeta(rows, 'carry')) !== undefined;
}

/**
 * What the relay would not have yet is handed in again from the beginning: its author may be known
 * by now, or the day is another. For each time that the device goes on the network, and now and then.
 */
export async function carryAgain(store: DeviceStore): Promise<void> {
	await store.write(['meta'], handInAgain);
}

/** The same, when a connection came in: it may be what the relay did not know. */
export async function handInAgain(rows: StoreWriter): Promise<void> {
	const place = await readMeta(rows, 'carry');
	if (place?.isDone !== true || place.left === 0) return;
	await beginCarry(rows, place.epoch);
}

/** Whether something is still to be handed in to the relay of this epoch. */
export function isToCarry(place: CarryPlace | undefined, epoch: number): boolean {
	return place?.epoch === epoch && !place.isDone;
}

/** All that is held is to be handed in, whatever a pass that is under way has come to. */
export async function beginCarry(rows: StoreWriter, epoch: number): Promise<void> {
	const before = await readMeta(rows, 'carry');
	const pass = (before?.pass ?? 0) + 1;
	await writeMeta(rows, 'carry', { epoch, pass, code: '', n: 0, left: 0, isDone: false });
}
