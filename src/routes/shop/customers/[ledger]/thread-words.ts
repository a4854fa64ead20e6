import { isDebit, type RecordKind } from '#domain/confirmation/record-kind.ts';
import type { CodeTrouble, InCurrency, RecordSentence, ThreadRecord } from '#state/ledger-views.ts';
import type { MoneyForm, SignShown } from '#ui/figures.ts';
import { markWords, type MarkState } from '#ui/ledger-mark.ts';
import type { MessageKey, Words } from '#ui/words.svelte.ts';

const KINDS: Readonly<Record<RecordKind, MessageKey>> = {
	due: 'record.due',
	openingDebit: 'record.opening',
	fee: 'record.fee',
	advancePaidBack: 'record.advancePaidBack',
	payment: 'record.payment',
	credit: 'record.credit',
	openingCredit: 'record.opening',
	forgiveness: 'record.forgiveness',
	reversalOfDebit: 'record.reversal',
	reversalOfCredit: 'record.reversal',
	statement: 'record.statement'
};

const SIDES: Readonly<Partial<Record<RecordKind, MessageKey>>> = {
	reversalOfDebit: 'record.undone',
	reversalOfCredit: 'record.undone',
	credit: 'record.brought',
	forgiveness: 'record.forgave',
	statement: 'record.listed'
};

const TROUBLES: Readonly<Record<CodeTrouble, MessageKey>> = {
	wrong: 'trouble.wrong',
	used: 'trouble.used',
	locked: 'trouble.locked',
	revoked: 'trouble.revoked',
	overTheCap: 'trouble.overTheCap',
	tooOld: 'trouble.tooOld',
	notLinked: 'trouble.notLinked',
	overTheRule: 'trouble.overTheRule'
};

/** What the line is about: its note, its receipt, else what kind it is. */
export function whatWords(
	words: Words,
	{ note, receipt, kind }: Pick<ThreadRecord, 'note' | 'receipt' | 'kind'>
): string {
	if (note !== undefined && note !== '') return note;
	if (receipt !== undefined) return words.say('record.receipt', { receipt });
	return words.say(KINDS[kind]);
}

/** The one word under the figure. */
export function sideWord(kind: RecordKind): MessageKey {
	return SIDES[kind] ?? (isDebit(kind) ? 'record.took' : 'record.paid');
}

/** Why a code that fitted here was not taken, and what that means for the line. */
export function troubleWords(words: Words, trouble: CodeTrouble): string {
	return words.say(TROUBLES[trouble]);
}

/** What the line did when it was written: above zero the customer took. A statement lists, and does nothing. */
export function signedMinor({ kind, amount }: Pick<ThreadRecord, 'kind' | 'amount'>): number {
	if (kind === 'statement') return 0;
	return isDebit(kind) ? amount : -amount;
}

/** The figure of a line: with its sign, or what a statement lists. */
export function figureMinor(record: Pick<ThreadRecord, 'kind' | 'amount'>): Figure {
	if (record.kind === 'statement') return { minor: record.amount, sign: 'negative' };
	return { minor: signedMinor(record), sign: 'always' };
}

export interface Figure {
	readonly minor: number;
	readonly sign: SignShown;
}

/** How it is drawn: what was taken, or what lowered it; a statement is neither. */
export function toneOf(signed: number): 'gave' | 'got' | undefined {
	if (signed === 0) return undefined;
	return signed > 0 ? 'gave' : 'got';
}

/** How amounts of a record, a total or an entry are written; undefined for the shop's own money. */
export function moneyOf(words: Words, { currency, exponent }: InCurrency): MoneyForm | undefined {
	const own = words.money;
	if (own.currency === currency && own.exponent === exponent) return undefined;
	return { currency, exponent, shownDecimals: exponent };
}

export interface ShownMark {
	readonly state: MarkState;
	readonly said: string;
}

/** The sign and the sentence of a record, as the shop reads them. */
export function shownMark(words: Words, record: ThreadRecord, name: string): ShownMark {
	if (record.refused !== undefined) return { state: 'disputed', said: words.say('record.refused') };
	const { sentence, mark } = record;
	const state =
		mark === 'saved' && !OUTLIVES_SENDING.has(sentence.kind) ? 'saved' : stateOf(sentence);
	if (state === 'saved') return { state, said: words.say('mark.saved') };
	if (sentence.kind === 'counted') return { state, said: words.say('mark.counted') };
	if (sentence.kind === 'reversed') return { state, said: words.say('mark.takenBack') };
	if (sentence.kind === 'agreed' && sentence.by === 'nobodyNeeded')
		return { state: 'book', said: words.say('mark.counted') };
	const reason = sentence.kind === 'saysNo' ? sentence.reason : undefined;
	return {
		state,
		said: markWords(words, { state, name, isCredit: !isDebit(record.kind), reason })
	};
}

/** What was heard from the customer is more than where the line lies. */
const OUTLIVES_SENDING: ReadonlySet<RecordSentence['kind']> = new Set([
	'codeFits',
	'agreed',
	'saysNo'
]);

function stateOf(sentence: RecordSentence): MarkState {
	switch (sentence.kind) {
		case 'counted':
		case 'reversed':
		case 'ownBook':
			return 'book';
		case 'waiting':
			return sentence.isSeen ? 'seen' : 'sent';
		case 'codeFits':
			return 'evidence';
		case 'agreed':
			return 'agreed';
		case 'saysNo':
			return 'disputed';
	}
}
