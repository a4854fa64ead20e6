import type { HaveRange } from '#sync/frames.ts';
import type { DeviceStore, JournalRow, StoreReader } from '#storage/device-store.ts';
import { firstOf, lastOf, xorDigests } from './have.ts';
import { readMeta } from './meta.ts';
import { blockOf } from './number-ranges.ts';
import type { RelayHttp } from './relay-http.ts';

/**
 * Own rows stay so long after they were written, though a backup holds them: a relay that was restored
 * from one that is older gets them back the way they came.
 */
export const JOURNAL_KEPT_DAYS = 30;
const DAY_MS = 86_400_000;

export interface JournalPruneParts {
	readonly store: DeviceStore;
	readonly http: Pick<RelayHttp, 'backedUp'>;
	/** This device's own clock, ms. */
	readonly clock: () => number;
}

/** `busy`: a cart is open, so later; `over`: nothing more may go for now. */
export type PruneStep = 'some' | 'busy' | 'over';

/** Lets go of the journal what a verified backup of this epoch holds. */
export interface JournalPrune {
	/** Looks at one block of numbers. */
	step(): Promise<PruneStep>;
}

/**
 * DEVICE-47. Own facts leave the journal in blocks of numbers, as have ranges are cut: all of a block are
 * sent and old enough, and a verified backup holds them with the digest that they have here. The
 * digest stays, so that another text under one of the numbers is still found out.
 */
export function createJournalPrune(parts: JournalPruneParts, epoch: number): JournalPrune {
	let from = 1;
	let backedUp: BackedUp = { from: 1, to: 0, ranges: [] };
	return {
		step: async () => {
			const next = await parts.store.read(['journal', 'meta'], (rows) =>
				nextBlock(rows, from, parts.clock())
			);
			if (typeof next !== 'object') return next;
			from = lastOf(next.block) + 1;
			if (!next.isReady) return 'some';
			if (next.block > backedUp.to || next.block < backedUp.from) {
				const asked = await askFrom(parts, next.block, epoch);
				if (asked === undefined) return 'over';
				backedUp = asked;
			}
			const range = backedUp.ranges.find(([first]) => first === firstOf(next.block));
			if (range !== undefined) await letGo(parts.store, { ...next, range, epoch });
			return 'some';
		}
	};
}

/** What the relay said of the blocks between two, both inside. */
interface BackedUp {
	readonly from: number;
	readonly to: number;
	readonly ranges: readonly HaveRange[];
}

/** Undefined where the relay is not there, or another, or its backup holds nothing from there on. */
async function askFrom(
	{ http }: JournalPruneParts,
	block: number,
	epoch: number
): Promise<BackedUp | undefined> {
	const answer = await http.backedUp(firstOf(block));
	if (!answer.ok || answer.value.epoch !== epoch) return undefined;
	const { ranges } = answer.value;
	const last = ranges.at(-1);
	return last === undefined ? undefined : { from: block, to: blockOf(last[1]), ranges };
}

interface NextBlock {
	readonly block: number;
	/** Whether every number of it is here, and sent. */
	readonly isReady: boolean;
}

/** The first block from a number on that is full and old enough. */
async function nextBlock(
	rows: StoreReader,
	from: number,
	clockMs: number
): Promise<NextBlock | 'busy' | 'over'> {
	const cart = await readMeta(rows, 'cart');
	if (Array.isArray(cart) && cart.length > 0) return 'busy';
	const all = { from, to: Number.MAX_SAFE_INTEGER, limit: 1 };
	const [first] = await rows.find('journal', all);
	if (first === undefined) return 'over';
	const block = blockOf(first.n);
	const [last] = await rows.find('journal', { ...all, from: lastOf(block) });
	const nowMs = clockMs + ((await readMeta(rows, 'offset')) ?? 0);
	// What follows was written later still.
	if (last === undefined || last.at > nowMs - JOURNAL_KEPT_DAYS * DAY_MS) return 'over';
	return { block, isReady: isReady(block, await rowsOf(rows, block)) };
}

function rowsOf(rows: StoreReader, block: number): Promise<readonly JournalRow[]> {
	return rows.find('journal', { from: firstOf(block), to: lastOf(block) });
}

function isReady(block: number, held: readonly JournalRow[]): boolean {
	const length = lastOf(block) - firstOf(block) + 1;
	return held.length === length && held.every(({ sent }) => sent === 1);
}

interface LettingGo {
	readonly block: number;
	readonly range: HaveRange;
	readonly epoch: number;
}

/** Looked at again: the relay may have been restored since, and then nothing is sent that was. */
async function letGo(
	store: DeviceStore,
	{ block, range: [, to, digest], epoch }: LettingGo
): Promise<void> {
	await store.write(['meta', 'journal', 'backedUp'], async (rows) => {
		if ((await readMeta(rows, 'epoch')) !== epoch) return;
		const held = await rowsOf(rows, block);
		if (!isReady(block, held) || to !== lastOf(block) || xorDigests(held) !== digest) return;
		await rows.put('backedUp', [{ block, digest }]);
		await rows.remove(
			'journal',
			held.map(({ n }) => n)
		);
	});
}
