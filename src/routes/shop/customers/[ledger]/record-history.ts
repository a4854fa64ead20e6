import type { App } from '#state/app.svelte.ts';
import type { DisputeStep, RecordSentence, ThreadItem, ThreadRecord } from '#state/ledger-views.ts';
import { reasonWords } from '#ui/ledger-mark.ts';
import type { MessageKey, Words } from '#ui/words.svelte.ts';
import { moneyOf, signedMinor, whatWords } from './thread-words.ts';
import { dayOfInstant } from '../../when.ts';

/** Something that happened to a record, by whom; oldest first in its list. */
export interface HistoryLine {
	readonly key: string;
	/** ms; undefined where only the order is known. */
	readonly at: number | undefined;
	readonly said: string;
	/** In the words of whoever said it. */
	readonly note?: string | undefined;
}

interface HistoryOf {
	readonly app: App;
	readonly record: ThreadRecord;
	readonly items: readonly ThreadItem[];
	/** The customer, as the sentences call them. */
	readonly name: string;
	readonly writer: (by: number) => string;
}

const AGREED: Readonly<Record<Extract<RecordSentence, { kind: 'agreed' }>['by'], MessageKey>> = {
	app: 'record.h.agreed.app',
	code: 'record.h.agreed.code',
	sms: 'record.h.agreed.sms',
	rule: 'record.h.agreed.rule',
	nobodyNeeded: 'record.h.agreed.nobodyNeeded'
};

const STEPS: Readonly<Record<DisputeStep['kind'], MessageKey>> = {
	cancel: 'record.h.saysNo',
	drop: 'record.h.dropped',
	correct: 'record.h.correct',
	withdraw: 'record.h.withdraw',
	insist: 'record.h.insist'
};

/** Everything that happened to a record, as both sides may read it. */
export function historyOf(words: Words, of: HistoryOf): readonly HistoryLine[] {
	const { app, record, items, name, writer } = of;
	const who = (by: number): string => (writer(by) === '' ? words.say('record.owner') : writer(by));
	const { sentence } = record;
	const lines: readonly HistoryLine[] = [
		{
			key: 'written',
			at: record.writtenAt,
			said: words.say('record.h.written', { who: who(record.by), device: record.device })
		},
		...(sentence.kind === 'waiting' && sentence.isSeen
			? [{ key: 'seen', at: undefined, said: words.say('record.h.seen', { name }) }]
			: []),
		...(sentence.kind === 'agreed'
			? [{ key: 'agreed', at: sentence.at, said: words.say(AGREED[sentence.by], { name }) }]
			: []),
		...record.dispute.map((step): HistoryLine => stepLine(words, step, { name, who })),
		...items.flatMap((item) => correctionLines(words, item, record)),
		...items.flatMap((item) => dueMoveLines(words, item, { app, record, who }))
	];
	return lines.toSorted((a, b) => (a.at ?? Infinity) - (b.at ?? Infinity));
}

function stepLine(
	words: Words,
	step: DisputeStep,
	{ name, who }: { readonly name: string; readonly who: (by: number) => string }
): HistoryLine {
	const said = words.say(STEPS[step.kind], {
		name,
		who: step.by === 'shop' ? who(step.member) : name
	});
	if (step.kind === 'drop') return { key: step.id, at: step.at, said };
	const why = step.kind === 'cancel' && step.reason !== 0 ? reasonWords(words, step.reason) : '';
	const note = [why, step.note].filter((part) => part !== '').join(' · ');
	return { key: step.id, at: step.at, said, note: note === '' ? undefined : note };
}

function correctionLines(
	words: Words,
	item: ThreadItem,
	record: ThreadRecord
): readonly HistoryLine[] {
	if (item.kind !== 'record' || item.record.h !== record.h) return [];
	return item.corrections.map((correction) => ({
		key: correction.h,
		at: correction.writtenAt,
		said: words.say('record.h.correction', {
			what: whatWords(words, correction),
			amount: words.amount(signedMinor(correction), 'always', moneyOf(words, correction))
		})
	}));
}

interface MovedOf extends Pick<HistoryOf, 'app' | 'record'> {
	readonly who: (by: number) => string;
}

function dueMoveLines(
	words: Words,
	item: ThreadItem,
	{ app, record, who }: MovedOf
): readonly HistoryLine[] {
	if (item.kind !== 'entry') return [];
	const { entry, id, at, by } = item.entry;
	if (entry.kind !== 'dueMove' || entry.h !== record.h) return [];
	const day = words.day(dayOfInstant(app, entry.dueMs), 'short');
	const note = entry.reason === '' ? undefined : entry.reason;
	return [{ key: id, at, said: words.say('record.h.dueMove', { who: who(by), day }), note }];
}
