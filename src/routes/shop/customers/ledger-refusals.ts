import type {
	AnswerRefusal,
	ClaimRefusal,
	CorrectionRefusal,
	EntryRefusal,
	MergeRefusal,
	StatementRefusal
} from '#state/ledger-acts.ts';
import type { RecordRefusal } from '#state/device.ts';
import type { MoneyForm } from '#ui/figures.ts';
import type { MessageKey, Words } from '#ui/words.svelte.ts';
import { refusalWords } from '../refusals.ts';

type LedgerRefusal =
	| AnswerRefusal
	| CorrectionRefusal
	| EntryRefusal
	| MergeRefusal
	| StatementRefusal;
/** What only the ledger's own acts refuse. */
type OwnRefusal = Exclude<LedgerRefusal, RecordRefusal>;

/** A refusal without a sentence does not compile. */
const SENTENCES: Readonly<Record<OwnRefusal['kind'], MessageKey>> = {
	amountRefused: 'refused.amount',
	dayRefused: 'refused.entryDay',
	noteTooLong: 'refused.nameTooLong',
	unknownRecord: 'refused.record',
	reasonMissing: 'refused.reason',
	sameAmount: 'refused.sameAmount',
	isDisputed: 'refused.isDisputed',
	isOfSale: 'refused.isOfSale',
	nothingLeft: 'refused.nothingLeft',
	stillComing: 'refused.stillComing',
	notDisputed: 'refused.notDisputed',
	unknownEntry: 'refused.entryEnded',
	entryEnded: 'refused.entryEnded',
	nameNeeded: 'refused.unknownCustomer',
	noName: 'refused.record',
	sameCard: 'refused.sameCard',
	alreadyJoined: 'refused.alreadyJoined',
	notJoined: 'refused.notJoined',
	bothLinked: 'refused.bothLinked',
	nothingWaits: 'code.nothingWaits',
	notAskable: 'code.notAskable',
	mixed: 'code.mixed',
	tooMany: 'refused.record'
};

/** What the person reads when the ledger refuses; `name` is the customer's. */
export function ledgerRefusalWords(words: Words, refusal: LedgerRefusal, name = ''): string {
	if (isOwn(refusal)) return words.say(SENTENCES[refusal.kind], { name, max: 500 });
	return refusalWords(words, refusal);
}

const OWN_KINDS: ReadonlySet<string> = new Set(Object.keys(SENTENCES));

function isOwn(refusal: LedgerRefusal): refusal is OwnRefusal {
	return OWN_KINDS.has(refusal.kind) && !('place' in refusal) && !('why' in refusal);
}

const CODE_SENTENCES: Readonly<Record<ClaimRefusal['kind'], MessageKey>> = {
	nothingTyped: 'code.nothingTyped',
	notDigits: 'code.notDigits',
	tooShort: 'code.length',
	tooLong: 'code.length',
	sevenDigits: 'code.length',
	phoneCode: 'code.phoneCode',
	nothingWaits: 'code.nothingWaits',
	unknownRecord: 'code.notAskable',
	notAskable: 'code.notAskable',
	mixed: 'code.mixed',
	tooMany: 'code.tooMany',
	notLinked: 'code.notLinked',
	noCodes: 'code.noCodes',
	codesUsedUp: 'code.usedUp',
	codesTooOld: 'code.tooOld',
	overTheCap: 'code.overTheCap',
	noSms: 'code.noSms',
	smsTooOld: 'code.smsTooOld',
	recordLocked: 'code.recordLocked',
	ledgerLocked: 'code.ledgerLocked',
	doesNotFit: 'code.doesNotFit'
};

export interface CodeOf {
	readonly name: string;
	readonly way: 'sms' | 'sheet';
	readonly money: MoneyForm | undefined;
}

/** Why a code was not taken, whether that cost a try, and what is left. */
export function codeRefusalWords(
	words: Words,
	refusal: ClaimRefusal,
	{ name, way, money }: CodeOf
): string {
	const key =
		refusal.kind === 'doesNotFit' && way === 'sms'
			? 'code.doesNotFit.sms'
			: CODE_SENTENCES[refusal.kind];
	switch (refusal.kind) {
		case 'tooShort':
		case 'tooLong':
		case 'sevenDigits':
		case 'phoneCode':
			return words.say(key, { name, digits: refusal.digits });
		case 'tooMany':
			return words.say(key, { name, max: refusal.max });
		case 'overTheCap':
			return words.say(key, {
				name,
				most: words.amount(refusal.capMinor, undefined, money),
				sum: words.amount(refusal.sumMinor, undefined, money)
			});
		case 'doesNotFit':
			return words.say(key, { name, left: Math.min(refusal.leftOfRecord, refusal.leftOfDay) });
		default:
			return words.say(key, { name });
	}
}
