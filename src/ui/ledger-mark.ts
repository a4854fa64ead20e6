import type { CancelReason } from '#domain/fact/ledger-fact.ts';
import type { MessageKey, Words } from './words.svelte.ts';

/** How far a record has come between two people; one sign, one colour and one sentence each. */
export type MarkState = 'saved' | 'sent' | 'seen' | 'evidence' | 'agreed' | 'disputed' | 'book';

export interface MarkOf {
	readonly state: MarkState;
	/** Who agrees or says no, as the shop calls them. */
	readonly name: string;
	/** What lowers the debt counts at once and waits for nobody. */
	readonly isCredit: boolean;
	/** Why they said no; 0 where they said nothing more. */
	readonly reason?: CancelReason | 0 | undefined;
}

const REASONS: Readonly<Record<CancelReason, MessageKey>> = {
	notMe: 'reason.notMe',
	wrongAmount: 'reason.wrongAmount',
	alreadyPaid: 'reason.alreadyPaid',
	returned: 'reason.returned',
	other: 'reason.other'
};

/** Why the customer said no, in their words. */
export function reasonWords(words: Words, reason: CancelReason): string {
	return words.say(REASONS[reason]);
}

/** One of the five sentences that people meet, or where the record lies before any of them. */
export function markWords(words: Words, { state, name, isCredit, reason = 0 }: MarkOf): string {
	if (state === 'disputed' && reason !== 0)
		return words.say('mark.saysNoWhy', { name, why: reasonWords(words, reason) });
	const [ofDebit, ofCredit = ofDebit] = SENTENCES[state];
	return words.say(isCredit ? ofCredit : ofDebit, { name });
}

/** Of a debit, and of a credit where that reads otherwise. */
const SENTENCES: Readonly<Record<MarkState, readonly [debit: MessageKey, credit?: MessageKey]>> = {
	saved: ['mark.saved'],
	sent: ['mark.waiting', 'mark.note'],
	seen: ['mark.waitingSeen', 'mark.noteSeen'],
	evidence: ['mark.fits'],
	agreed: ['mark.agreed'],
	disputed: ['mark.saysNo'],
	book: ['record.book']
};
