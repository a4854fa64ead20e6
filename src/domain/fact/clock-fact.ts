import { dayFromNumber } from '#domain/calendar.ts';
import { compareFactIds, type FactId } from '#domain/ids.ts';
import { compareStamps, type Stamp } from '#domain/stamp.ts';
import type { FactHead } from './fact-head.ts';

/**
 * The relay's word on a fact that was stamped further ahead of its clock than anybody follows: when
 * that fact counts, and on which day. The fact itself stays as it was written.
 */
export interface ClockFact extends FactHead {
	readonly kind: 'clock';
	/** The fact that it speaks of; a device's. */
	readonly factId: FactId;
	/** Milliseconds UTC, and the counter beside it: the stamp that every fold takes. */
	readonly wall: number;
	readonly counter: number;
	/** The business day, as days since 1970-01-01. */
	readonly day: number;
	/** The relay's signature of `relayMessage`, base64url; absent in what relays wrote before they signed. */
	readonly sig?: string;
}

/** When a fact counts. */
export interface FactTime {
	readonly at: Stamp;
	readonly on: string;
}

/** The same, and the clock fact that says so. */
export interface ClockedTime extends FactTime {
	readonly by: FactId;
}

export function clockedTime({ id, wall, counter, day }: ClockFact): ClockedTime {
	return { by: id, at: { wall, counter }, on: dayFromNumber(day) };
}

/** FACT-18. Of several words on one fact that of the lowest id; undefined where there is none. */
export function rulingTime<T extends Pick<ClockedTime, 'by'>>(
	...times: readonly (T | undefined)[]
): T | undefined {
	return times.reduce(
		(lowest, time) =>
			lowest === undefined || (time !== undefined && compareFactIds(time.by, lowest.by) < 0)
				? time
				: lowest,
		undefined
	);
}

/**
 * FACT-17. The fact as all folds take it. A clock fact only ever moves a fact back: neither its stamp
 * nor its day is ever later than the fact itself says.
 */
export function inTime<F extends FactTime>(fact: F, time: FactTime | undefined): F {
	if (time === undefined || compareStamps(time.at, fact.at) >= 0) return fact;
	return { ...fact, at: time.at, on: time.on < fact.on ? time.on : fact.on };
}

export function isSameTime(a: FactTime, b: FactTime): boolean {
	return a.on === b.on && compareStamps(a.at, b.at) === 0;
}
