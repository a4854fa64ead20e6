import { present } from '#domain/assert.ts';
import { addDays, businessDayOf, dayNumber } from '#domain/calendar.ts';

/**
 * An instant inside `day` at the shop, ms: what a record keeps of a due date. Read back in the same
 * zone it is the same day.
 */
export function dueMsOf(day: string, zone: string): number {
	const noon = dayNumber(day) * DAY_MS + DAY_MS / 2;
	// No zone is further from UTC than fourteen hours, so one of the three lies inside the day.
	const instants = [0, -QUARTER_MS, QUARTER_MS].map((shift) => noon + shift);
	const inside = instants.find((at) => businessDayOf(at, zone, 0) === day);
	return present(inside, 'one of them lies inside the day');
}

/** The instant that a record of the business day `on` keeps where it falls due so many days later. */
export function dueMsByTerms(terms: number, on: string, zone: string): number {
	return dueMsOf(addDays(on, terms), zone);
}

const DAY_MS = 86_400_000;
const QUARTER_MS = DAY_MS / 4;
