/** What a device does with a fact that the relay would not take. */
export type AfterNack =
	/** Nothing is said against the fact: the close that follows says what is wrong. It is told again. */
	| 'closes'
	/** There is no room for it, or nobody to ask, just now: it stays unsent and is told again. */
	| 'later'
	/** The update could not be written, and which of its facts it was nobody knows: told one at a time. */
	| 'oneOfThem'
	/** Its day is not yet: it goes into today's journal, and where that is the day, it is set aside. */
	| 'dayAhead'
	/** Another device goes by this one's numbers: the device takes new ones and issues it again. */
	| 'fork'
	/** It is set aside, and its person is told. */
	| 'apart';

interface NackMeaning {
	readonly then: AfterNack;
	/** Whether the same fact may be taken another time: what was set aside for it is tried again. */
	readonly mayPass: boolean;
}

const CLOSES: NackMeaning = { then: 'closes', mayPass: false };
const CLOSES_NOW: NackMeaning = { then: 'closes', mayPass: true };
const LATER: NackMeaning = { then: 'later', mayPass: true };
const APART: NackMeaning = { then: 'apart', mayPass: false };
const APART_NOW: NackMeaning = { then: 'apart', mayPass: true };

/** SYNC-10. Every reason of a nack, and what it means to the device that hears it. */
export const NACK_REASONS = {
	forgery: CLOSES_NOW,
	malformed: CLOSES,
	gap: CLOSES,
	updateTooLarge: CLOSES_NOW,
	fork: CLOSES,
	removed: CLOSES,
	tooMany: LATER,
	authorUnknown: LATER,
	fault: { then: 'oneOfThem', mayPass: true },
	beyondTomorrow: { then: 'dayAhead', mayPass: true },
	again: { then: 'fork', mayPass: false },
	unknownKind: APART_NOW,
	tooLarge: APART,
	notJson: APART,
	notCompact: APART,
	badText: APART,
	badHead: APART,
	badBody: APART,
	keyIsAnother: APART,
	notYourKind: APART,
	notYourMember: APART,
	notYourPerson: APART,
	notYourDocument: APART,
	recordWrong: APART,
	recordUnsigned: APART,
	recordOfAnother: APART,
	claimUnsigned: APART,
	claimOfAnother: APART,
	answerUnsigned: APART,
	verdictUnsigned: APART,
	relayUnsigned: APART,
	wasOfAnother: APART,
	epochNotEnded: APART,
	conflict: APART,
	authorBack: APART_NOW,
	clientTaken: APART_NOW,
	linkOtherwise: APART_NOW
} as const satisfies Readonly<Record<string, NackMeaning>>;

export type NackReason = keyof typeof NACK_REASONS;

/** A reason that this program does not know is one against the fact. */
export function afterNack(reason: string): AfterNack {
	return isNackReason(reason) ? NACK_REASONS[reason].then : 'apart';
}

/** Whether what was refused for it may be taken another time, with nothing changed in it. */
export function mayPass(reason: string): boolean {
	return isNackReason(reason) && NACK_REASONS[reason].mayPass;
}

function isNackReason(reason: string): reason is NackReason {
	return Object.hasOwn(NACK_REASONS, reason);
}
