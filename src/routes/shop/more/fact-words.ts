import { toPayMinor } from '#domain/fact/document-total.ts';
import { effectsOf } from '#domain/fact/effects.ts';
import type { Fact, FactKind, RecordFact } from '#domain/fact/fact.ts';
import type { RefusedReason } from '#state/refused-reason.ts';
import type { MoneyForm } from '#ui/figures.ts';
import type { MessageKey, Words } from '#ui/words.svelte.ts';
import { moneyOf } from '../customers/[ledger]/thread-words.ts';

/** A fact as a line of a list: what happened, and the money that it tells of. */
export interface FactShown {
	readonly said: string;
	readonly money: { readonly minor: bigint; readonly form?: MoneyForm | undefined } | undefined;
}

const KINDS: Partial<Readonly<Record<FactKind, MessageKey>>> = {
	adjust: 'lost.adjust',
	product: 'lost.product',
	customer: 'lost.customer',
	setting: 'lost.setting',
	entry: 'lost.entry',
	claim: 'lost.claim',
	merge: 'lost.merge'
};

/** What somebody wrote, in few words; of a kind that is not known yet only that it was something. */
export function factShown(words: Words, fact: Fact | undefined): FactShown {
	if (fact === undefined) return { said: words.say('lost.other'), money: undefined };
	if (fact.kind === 'sale' || fact.kind === 'return') {
		const number = effectsOf(fact).receipt ?? '';
		const said = words.say(fact.kind === 'sale' ? 'lost.sale' : 'lost.return', { number });
		return { said, money: { minor: toPayMinor(fact) } };
	}
	if (fact.kind === 'record') return recordShown(words, fact);
	return { said: words.say(KINDS[fact.kind] ?? 'lost.other'), money: undefined };
}

function recordShown(words: Words, { records }: RecordFact): FactShown {
	const [first] = records;
	if (first === undefined) return { said: words.say('lost.record'), money: undefined };
	const { kind, amount } = first.core;
	const named = kind === 'due' ? 'lost.due' : kind === 'payment' ? 'lost.payment' : 'lost.record';
	const form = moneyOf(words, first.core);
	return { said: words.say(named), money: { minor: BigInt(amount), form } };
}

const FORM: MessageKey = 'lost.reason.form';
const RIGHTS: MessageKey = 'lost.reason.rights';
const SIGNATURE: MessageKey = 'lost.reason.signature';
const CONFLICT: MessageKey = 'lost.reason.conflict';
const UNKNOWN: MessageKey = 'lost.reason.unknown';
const RELAY: MessageKey = 'lost.reason.relay';

const REASONS = {
	tooLarge: FORM,
	notJson: FORM,
	notCompact: FORM,
	badText: FORM,
	badHead: FORM,
	badBody: FORM,
	keyIsAnother: FORM,
	notYourMember: RIGHTS,
	notYourKind: RIGHTS,
	notYourPerson: RIGHTS,
	notYourDocument: RIGHTS,
	wasOfAnother: RIGHTS,
	removed: RIGHTS,
	deviceRemoved: RIGHTS,
	recordUnsigned: SIGNATURE,
	recordWrong: SIGNATURE,
	recordOfAnother: SIGNATURE,
	claimUnsigned: SIGNATURE,
	claimOfAnother: SIGNATURE,
	answerUnsigned: SIGNATURE,
	verdictUnsigned: SIGNATURE,
	relayUnsigned: SIGNATURE,
	beyondTomorrow: 'lost.reason.day',
	unknownKind: 'lost.reason.newer',
	tooMany: 'lost.reason.room',
	authorUnknown: UNKNOWN,
	branchUnknown: UNKNOWN,
	conflict: CONFLICT,
	fork: CONFLICT,
	again: CONFLICT,
	fault: RELAY,
	forgery: RELAY,
	malformed: RELAY,
	gap: RELAY,
	updateTooLarge: RELAY,
	epochNotEnded: RELAY,
	authorBack: RELAY,
	clientTaken: RELAY,
	linkOtherwise: RELAY,
	nothingForgotten: RELAY,
	refused: RELAY
} as const satisfies Record<RefusedReason, MessageKey>;

/** Why the relay would not have it, whatever its program called it. */
export function reasonWords(words: Words, reason: string): string {
	return words.say(isKnown(reason) ? REASONS[reason] : 'lost.reason.other');
}

function isKnown(reason: string): reason is RefusedReason {
	return Object.hasOwn(REASONS, reason);
}
