import { dayFromNumber } from '#domain/calendar.ts';
import type { App } from '#state/app.svelte.ts';
import type { CustomerListRow } from '#state/ledger-views.ts';
import { shortName } from '#ui/short-name.ts';
import type { Words } from '#ui/words.svelte.ts';
import { dayOfInstant, instantDayWords } from '../when.ts';

export interface StatusShown {
	/** As `.mark` knows it; undefined for a quiet line. */
	readonly state: 'disputed' | 'overdue' | 'promised' | 'seen' | 'book' | 'agreed' | undefined;
	readonly said: string;
}

/** What a person is called in a sentence: the nickname, else the short form of the name. */
export function calledName({
	nick,
	name
}: {
	readonly nick?: string;
	readonly name?: string;
}): string {
	return nick === undefined || nick === '' ? shortName(name ?? '') : nick;
}

/** The one line under a name in the list: the most pressing thing first. */
export function statusWords(words: Words, app: App, row: CustomerListRow): StatusShown {
	const { status, tally } = row;
	switch (status) {
		case 'disputed':
			return {
				state: 'disputed',
				said: words.say('customers.row.saysNo', { amount: words.amount(row.disputedMinor) })
			};
		case 'overdue':
			return { state: 'overdue', said: words.say('customers.row.late', { days: row.daysLate }) };
		case 'promised':
			return { state: 'promised', said: promisedWords(words, row) };
		case 'waiting':
			return {
				state: 'seen',
				said: words.say('customers.row.waits', { amount: words.amount(row.notYetAgreedMinor) })
			};
		case 'dueSoon':
		case 'owes':
			return owing(words, app, row);
		case 'ahead':
		case 'even':
			return { state: undefined, said: reachedBy(tally) };
	}
}

function owing(words: Words, app: App, { oldestDueMs, tally }: CustomerListRow): StatusShown {
	if (oldestDueMs !== undefined && oldestDueMs > 0) {
		const day = words.day(dayOfInstant(app, oldestDueMs), 'short');
		return { state: undefined, said: words.say('customers.row.due', { day }) };
	}
	if (tally.link === 'none') return { state: 'book', said: words.say('record.book') };
	const day = instantDayWords(words, app, tally.lastAt);
	return { state: undefined, said: tally.lastAt === 0 ? reachedBy(tally) : day };
}

function promisedWords(words: Words, { tally }: CustomerListRow): string {
	const [day] = tally.sums.find(({ promise }) => promise !== undefined)?.promise ?? [0];
	return words.say('customers.row.promised', { day: words.day(dayFromNumber(day), 'short') });
}

function reachedBy({ nick, phone }: CustomerListRow['tally']): string {
	return nick === '' ? phone : nick;
}
