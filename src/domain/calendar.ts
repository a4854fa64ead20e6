import { assert } from './assert.ts';
import { err, ok, type Result } from './result.ts';

const DAY_MS = 86_400_000;
const MINUTES_A_DAY = 1_440;
const DAYS_A_CYCLE = 146_097;
const ZONE_CHARACTERS_MAX = 64;

const DAY = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;

/** The first and last day that can be written: four digits of year. */
const DAY_FIRST = '1900-01-01';
const DAY_LAST = '9999-12-31';

/**
 * The day on which the shop books what happens at `atMs` (UTC): `YYYY-MM-DD` of the wall clock in
 * `zone`, and still the day before until `cutoffMinutes` after midnight have passed on that clock.
 * Behind the calendar its last day, and before it its first: a record may fall due in any year that
 * eight bytes hold, and a peer may name the first day of all.
 */
export function businessDayOf(atMs: number, zone: string, cutoffMinutes: number): string {
	assert(
		Number.isInteger(cutoffMinutes) && cutoffMinutes >= 0 && cutoffMinutes < MINUTES_A_DAY,
		`no cut-off: ${String(cutoffMinutes)}`
	);
	const { day, minutes } = wallClock(atMs, zone);
	if (day.length > DAY_LAST.length) return DAY_LAST;
	if (day <= DAY_FIRST) return DAY_FIRST;
	return minutes < cutoffMinutes ? addDays(day, -1) : day;
}

/** The UTC day of an instant as journals are named: `YYYYMMDD`. */
export function utcDayOf(atMs: number): string {
	return dayFromNumber(Math.floor(atMs / DAY_MS)).replaceAll('-', '');
}

/** Whether this is a named zone of the IANA database, such as `Asia/Baghdad`. */
export function isZone(text: string): boolean {
	// `+03:00` is a zone to `Intl`, but the database reads its sign the other way round.
	if (!/^[A-Za-z]/.test(text) || text.length > ZONE_CHARACTERS_MAX) return false;
	try {
		clockOf(text);
		return true;
	} catch {
		return false;
	}
}

/** Reads a day `YYYY-MM-DD` from 1900 to 9999 that the calendar has. */
export function parseDay(text: string): Result<string, 'notADay'> {
	if (!DAY.test(text) || text < DAY_FIRST) return err('notADay');
	return dayFromNumber(dayNumber(text)) === text ? ok(text) : err('notADay');
}

/** Reads a day from the wire, where it is days since 1970-01-01. */
export function parseDayNumber(number: number): Result<string, 'notADay'> {
	const isDay =
		Number.isInteger(number) && number >= dayNumber(DAY_FIRST) && number <= dayNumber(DAY_LAST);
	return isDay ? ok(dayFromNumber(number)) : err('notADay');
}

export function addDays(day: string, days: number): string {
	return dayFromNumber(dayNumber(day) + days);
}

/**
 * Days since 1970-01-01, as days are written on the wire.
 *
 * Years are counted from March, so that the leap day comes last, in cycles of 400 years, each of
 * 146,097 days; month m (March is 0) begins on day ⌊(153 m + 2) / 5⌋ of its year.
 */
export function dayNumber(day: string): number {
	const [year = NaN, month = NaN, date = NaN] = day.split('-').map(Number);
	const marchMonth = (month + 9) % 12;
	const marchYear = month <= 2 ? year - 1 : year;
	const cycle = Math.floor(marchYear / 400);
	const yearOfCycle = marchYear - cycle * 400;
	const dayOfYear = Math.floor((153 * marchMonth + 2) / 5) + date - 1;
	const leapDays = Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100);
	const number = cycle * DAYS_A_CYCLE + yearOfCycle * 365 + leapDays + dayOfYear - DAYS_BEFORE_1970;
	assert(Number.isSafeInteger(number), `not a day: ${day}`);
	return number;
}

/** The day that is `number` days after 1970-01-01, within 1900 to 9999. */
export function dayFromNumber(number: number): string {
	const days = number + DAYS_BEFORE_1970;
	const cycle = Math.floor(days / DAYS_A_CYCLE);
	const dayOfCycle = days - cycle * DAYS_A_CYCLE;
	const leapDays =
		Math.floor(dayOfCycle / 1460) -
		Math.floor(dayOfCycle / 36524) +
		Math.floor(dayOfCycle / 146096);
	const yearOfCycle = Math.floor((dayOfCycle - leapDays) / 365);
	const daysBefore =
		365 * yearOfCycle + Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100);
	const dayOfYear = dayOfCycle - daysBefore;
	const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
	const date = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
	const month = ((marchMonth + 2) % 12) + 1;
	const year = cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0);

	const day = `${padded(year, 4)}-${padded(month, 2)}-${padded(date, 2)}`;
	assert(year >= 1900 && year <= 9999, `no day of the calendar: ${String(number)}`);
	return day;
}

/** From the first of March of the year 0 to 1970-01-01. */
const DAYS_BEFORE_1970 = 719_468;

function padded(value: number, digits: number): string {
	return String(value).padStart(digits, '0');
}

const clocksByZone = new Map<string, Intl.DateTimeFormat>();

/** Making a formatter takes a hundred times as long as using it. */
function clockOf(zone: string): Intl.DateTimeFormat {
	const known = clocksByZone.get(zone);
	if (known !== undefined) return known;

	const clock = createClock(zone);
	clocksByZone.set(zone, clock);
	return clock;
}

function createClock(zone: string): Intl.DateTimeFormat {
	return new Intl.DateTimeFormat('en-US', {
		timeZone: zone,
		calendar: 'gregory',
		numberingSystem: 'latn',
		hourCycle: 'h23',
		year: 'numeric',
		month: '2-digit',
		day: '2-digit',
		hour: '2-digit',
		minute: '2-digit'
	});
}

function wallClock(atMs: number, zone: string): { day: string; minutes: number } {
	const parts = clockOf(zone).formatToParts(atMs);
	const find = (type: string) => parts.find((part) => part.type === type)?.value ?? '';
	return {
		day: `${find('year').padStart(4, '0')}-${find('month')}-${find('day')}`,
		minutes: Number(find('hour')) * 60 + Number(find('minute'))
	};
}
