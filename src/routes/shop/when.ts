import { addDays, businessDayOf } from '#domain/calendar.ts';
import type { App } from '#state/app.svelte.ts';
import type { Words } from '#ui/words.svelte.ts';

/** A business day as people say it: today, yesterday, else its date. */
function dayWords(words: Words, app: App, on: string): string {
	const today = app.today();
	if (on === today) return words.say('when.today');
	if (on === addDays(today, -1)) return words.say('when.yesterday');
	return words.day(on, 'short');
}

/** The day of an instant where the shop is, `2026-11-20`: of a due day, an invite's end. */
export function dayOfInstant(app: App, at: number): string {
	return businessDayOf(at, app.settings.zone, 0);
}

/** The business day of an instant, as people say it. */
export function instantDayWords(words: Words, app: App, at: number): string {
	const { zone, cutoff } = app.settings;
	return dayWords(words, app, businessDayOf(at, zone, cutoff));
}

/** A day as it stands in the margin: `20` over `Nov`. */
export function marginDay(
	words: Words,
	on: string
): { readonly date: string; readonly month: string } {
	const at = new Date(`${on}T00:00:00Z`);
	const part = (options: Intl.DateTimeFormatOptions): string =>
		new Intl.DateTimeFormat(words.locale, { timeZone: 'UTC', ...options }).format(at);
	return { date: part({ day: 'numeric' }), month: part({ month: 'short' }) };
}
