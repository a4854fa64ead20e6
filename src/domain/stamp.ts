import { compareFactIds, type FactId } from './ids.ts';

/** When a fact was written, by its device's corrected clock; the counter orders what one millisecond holds. */
export interface Stamp {
	/** Milliseconds UTC. */
	readonly wall: number;
	readonly counter: number;
}

/** A device follows a peer's stamp no further than this ahead of its own corrected time. */
export const STAMP_AHEAD_MAX_MS = 5 * 60_000;

/** A fact's stamp counts so far within one millisecond. */
export const STAMP_COUNTER_MAX = 1_000_000;
/** From here on the next millisecond is counted in, so that every fact of an act still has room. */
const COUNTER_TURN = STAMP_COUNTER_MAX / 2;

/**
 * The stamp of a device's next fact: later than every stamp it wrote or followed, and with room behind
 * it, however far a peer counted.
 */
export function nextStamp(last: Stamp, nowMs: number): Stamp {
	if (nowMs > last.wall) return { wall: nowMs, counter: 0 };
	return last.counter < COUNTER_TURN
		? { wall: last.wall, counter: last.counter + 1 }
		: { wall: last.wall + 1, counter: 0 };
}

const DAY_MS = 86_400_000;
/** Whatever the zone and the cut-off, what is done then is of a day that a fact can bear. */
const FIRST_MS = 2 * DAY_MS;
/** In the year 2134. */
const LAST_MS = 59_990 * DAY_MS;

/** A clock that ran flat begins anew in 1970, or before it: of no such day is there a fact. */
export function bearableMs(clockMs: number): number {
	return Math.min(Math.max(clockMs, FIRST_MS), LAST_MS);
}

/** What a device keeps after it saw a peer's `seen`: the later of both, unless `seen` is too far ahead. */
export function followStamp(last: Stamp, seen: Stamp, nowMs: number): Stamp {
	if (seen.wall > nowMs + STAMP_AHEAD_MAX_MS) return last;
	return compareStamps(seen, last) > 0 ? seen : last;
}

export function compareStamps(a: Stamp, b: Stamp): number {
	return a.wall === b.wall ? a.counter - b.counter : a.wall - b.wall;
}

/** A fact's place in the order that all folds use. */
export interface FactOrder extends Stamp {
	readonly id: FactId;
}

/** By stamp, then by id: a total order, whatever order facts arrive in. */
export function compareFactOrder(a: FactOrder, b: FactOrder): number {
	const byStamp = compareStamps(a, b);
	return byStamp === 0 ? compareFactIds(a.id, b.id) : byStamp;
}
