import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { CancelReason, ReplyFact } from '#domain/fact/ledger-fact.ts';
import type { CodesView, PersonView, ShopKey } from '#domain/person/view.ts';
import type { Result } from '#domain/result.ts';
import type { FactText } from '../arrived-fact.ts';
import type { PhoneIdentity } from './phone-identity.ts';

export type { PhoneIdentity } from './phone-identity.ts';

export type AnswerRefusal =
	/** This phone was never connected since the person was added: it has no name at the relay. */
	| 'notEnrolled'
	| 'recordUnknown'
	/** Its kind asks nobody, or it was taken back. */
	| 'notToAnswer'
	/** Answered so already, by this phone or another. */
	| 'alreadyAnswered'
	| 'notDisputed'
	/** Agreed by a code more than 14 days ago. */
	| 'tooLate'
	| 'noteTooLong'
	/** 255 answers to one record. */
	| 'tooManyAnswers';

export interface Answered {
	/** The records that this act answered; those that need nothing are left out. */
	readonly hs: readonly RecordHash[];
}

/** One code as it stands on a sheet. */
export interface SheetCode {
	readonly counter: number;
	/** 8 digits; undefined where the set is over. */
	readonly digits: string | undefined;
}

/** A set with its codes. */
export interface CodeSheet {
	readonly set: CodesView;
	/** By counter. */
	readonly codes: readonly SheetCode[];
}

/** Why a sheet has no digits: this phone never fetched the secret they are made from. */
export type CodesRefusal = 'secretMissing' | 'shopUnknown';

/** Answers that the relay's database has not got. */
export interface UnsentAnswers {
	readonly count: number;
	/** What the answered records come to, minor units, summed over all currencies without signs. */
	readonly minor: bigint;
	readonly oldestAt: number | undefined;
	readonly refused: readonly { readonly id: string; readonly reason: string }[];
	/** The relay lets this phone in no more, so they go by no network. */
	readonly isOut: boolean;
}

/**
 * A person's phone: what is done on it, and what reaches it. Every act resolves when it is on disk,
 * or is refused and nothing is written; a full disk rejects (`isStorageFull`).
 */
export interface CustomerDevice {
	readonly identity: PhoneIdentity;
	/** What is known at `nowMs` of this phone's clock. The same object while nothing moved. */
	view(): PersonView;
	/** Signs yes to each of `hs`; one fact each, all in one transaction. */
	accept(hs: readonly RecordHash[]): Promise<Result<Answered, AnswerRefusal>>;
	/** Signs no. */
	cancel(
		h: RecordHash,
		reason: CancelReason,
		note?: string
	): Promise<Result<Answered, AnswerRefusal>>;
	/** Lets a dispute go: signs yes to what was cancelled. */
	drop(h: RecordHash): Promise<Result<Answered, AnswerRefusal>>;
	/**
	 * Signs an answer of another phone of this person once more, unless he answered otherwise since: a
	 * yes is signed over no no that was said without it, or later.
	 */
	giveAgain(before: ReplyFact): Promise<Result<Answered, AnswerRefusal>>;
	/** Yes to all that waits in one shop. */
	acceptAll(shop: ShopKey): Promise<Result<Answered, AnswerRefusal>>;
	/** Everything that is here was looked at; the shop sees its ✓✓. Writes nothing where nothing is new. */
	markSeen(): Promise<void>;
	/** The codes of each set of a shop, with their digits while it is alive. */
	codesOf(shop: ShopKey): Promise<Result<readonly CodeSheet[], CodesRefusal>>;
	/** Calls after each change of what `view` shows. Returns the way to stop. */
	on(changed: () => void): () => void;
	/** What exists on this phone alone. */
	unsent(): Promise<UnsentAnswers>;
	/** When the relay was last spoken to, ms by its clock; undefined where it never was. */
	lastContactAt(): Promise<number | undefined>;
	/** Takes in facts of the relay, of other phones, and its own again; each counts once. */
	receive(facts: readonly FactText[]): Promise<void>;
}
