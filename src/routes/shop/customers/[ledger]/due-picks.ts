import { addDays } from '#domain/calendar.ts';
import type { MessageKey } from '#ui/words.svelte.ts';

/** A day that people name at the counter, and what they call it. */
export interface DuePick {
	readonly key: MessageKey;
	/** `2026-11-27`. */
	readonly on: string;
}

const WEEK = 7;

/** The days that a due is mostly put off to; payday where the shop settled one. Each day once. */
export function duePicks(today: string, payday: number | undefined): readonly DuePick[] {
	const picks: readonly DuePick[] = [
		{ key: 'due.week', on: addDays(today, WEEK) },
		{ key: 'due.weeks', on: addDays(today, 2 * WEEK) },
		{ key: 'due.month', on: monthEnd(today) },
		...(payday === undefined ? [] : [{ key: 'due.payday' as const, on: nextPayday(today, payday) }])
	];
	return picks.filter(({ on }, place) => picks.findIndex((pick) => pick.on === on) === place);
}

/** The last day of this month; of the next one where that is today. */
function monthEnd(today: string): string {
	const end = lastOf(today);
	return end === today ? lastOf(addDays(today, 1)) : end;
}

/** The next such day after today; in a shorter month its last one. */
function nextPayday(today: string, payday: number): string {
	const here = paydayOf(today, payday);
	return here > today ? here : paydayOf(addDays(lastOf(today), 1), payday);
}

function paydayOf(day: string, payday: number): string {
	const wished = `${day.slice(0, 8)}${String(payday).padStart(2, '0')}`;
	const last = lastOf(day);
	return wished > last ? last : wished;
}

function lastOf(day: string): string {
	const [year = 0, month = 1] = day.split('-').map(Number);
	// Day 0 of the month after is the last of this one.
	return new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10);
}
