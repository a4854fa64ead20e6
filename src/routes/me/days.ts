import { addDays, businessDayOf } from '#domain/calendar.ts';
import type { Words } from '#ui/words.svelte.ts';

/** A business day as people say it: today, yesterday, else its date. */
export function dayWords(words: Words, on: string, today: string): string {
	if (on === today) return words.say('when.today');
	if (on === addDays(today, -1)) return words.say('when.yesterday');
	return dateWords(words, on, today);
}

/** A date, with its year where that is not this one. */
export function dateWords(words: Words, on: string, today: string): string {
	if (on.slice(0, 4) === today.slice(0, 4)) return words.day(on, 'short');
	return new Intl.DateTimeFormat(words.locale, {
		timeZone: 'UTC',
		day: 'numeric',
		month: 'short',
		year: 'numeric'
	}).format(new Date(`${on}T00:00:00Z`));
}

/** The day of an instant on the wall of `zone`; on this phone's own where the shop named none. */
export function dayAt(at: number, zone = ''): string {
	return businessDayOf(at, zone === '' ? hereZone() : zone, 0);
}

/** The time of an instant in `zone`, `14:05`. */
export function timeAt(words: Words, at: number, zone = ''): string {
	return new Intl.DateTimeFormat(words.locale, {
		hour: '2-digit',
		minute: '2-digit',
		hourCycle: 'h23',
		timeZone: zone === '' ? hereZone() : zone
	}).format(at);
}

/** A month, `2026-11`, as `Nov` or `November 2026`. */
export function monthWords(words: Words, month: string, style: 'short' | 'long'): string {
	const at = new Date(`${month}-01T00:00:00Z`);
	const named = (options: Intl.DateTimeFormatOptions): string =>
		new Intl.DateTimeFormat(words.locale, { timeZone: 'UTC', ...options }).format(at);
	if (style === 'long') return named({ month: 'long', year: 'numeric' });
	return shortMonth(named({ month: 'short' }), (value) => words.count(value));
}

/** A day as it stands in the margin: `20` over `Nov`. */
export function marginDay(
	words: Words,
	on: string
): { readonly date: string; readonly month: string } {
	const format = new Intl.DateTimeFormat(words.locale, { timeZone: 'UTC', day: 'numeric' });
	return {
		date: format.format(new Date(`${on}T00:00:00Z`)),
		month: monthWords(words, on.slice(0, 7), 'short')
	};
}

/**
 * A month's name where there is room for one word. The first and second Tishrin and Kanun are
 * written as letters and figures in the Levant and Iraq: `ت1`, `ك2`.
 */
export function shortMonth(name: string, count: (value: number) => string): string {
	const [, letter, which] = /^(\S)\S*\s(?:ال)?(أول|ثاني)$/u.exec(name) ?? [];
	if (letter === undefined) return name;
	return letter + count(which === 'أول' ? 1 : 2);
}

function hereZone(): string {
	return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
