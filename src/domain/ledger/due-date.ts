import { present } from '#domain/assert.ts';
import { addDays, businessDayOf, dayFromNumber, dayNumber } from '#domain/calendar.ts';

/** When something falls due, as people say it. */
export type DuePick =
	| { readonly kind: 'days'; readonly days: number }
	| { readonly kind: 'monthEnd' }
	/** The next day of the month on which wages are paid, 1 to 31; a short month pays on its last. */
	| { readonly kind: 'payday'; readonly payday: number };

/** The day that `pick` means on the business day `today`. Payday is never today. */
export function dueDayOf(pick: DuePick, today: string): string {
	switch (pick.kind) {
		case 'days':
			return addDays(today, pick.days);
		case 'monthEnd':
			return monthDay(today, 31);
		case 'payday': {
			const thisMonth = monthDay(today, pick.payday);
			return thisMonth > today ? thisMonth : monthDay(addDays(monthDay(today, 31), 1), pick.payday);
		}
	}
}

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
	return dueMsOf(dueDayOf({ kind: 'days', days: terms }, on), zone);
}

const DAY_MS = 86_400_000;
const QUARTER_MS = DAY_MS / 4;

/** Day `number` of the month that `day` is in, or its last where it is shorter. */
function monthDay(day: string, number: number): string {
	const first = dayNumber(`${day.slice(0, 8)}01`);
	const wanted = dayFromNumber(first + number - 1);
	if (wanted.slice(0, 7) === day.slice(0, 7)) return wanted;
	const next = dayNumber(`${dayFromNumber(first + 31).slice(0, 8)}01`);
	return dayFromNumber(next - 1);
}
