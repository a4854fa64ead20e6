import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { ClaimFact } from '#domain/fact/ledger-fact.ts';
import type { LedgerId } from '#domain/ids.ts';
import type { CustomerRefusal } from './sell.ts';
import type { RecordRefusal } from './write-records.ts';

/** A code was taken at the counter: "code fits, will be filed". */
export interface Claimed {
	/** What the claim names: the record, or the statement that lists them. */
	readonly h: RecordHash;
	/** The records that the code was told for. */
	readonly hs: readonly RecordHash[];
	readonly way: 'sms' | 'sheet';
	/** Codes of this set that are left, where it is a set. */
	readonly left?: number;
	readonly fact: ClaimFact;
}

/** Why a code is not taken, in the order in which it is asked. Only `doesNotFit` costs a try. */
export type ClaimRefusal =
	| { readonly kind: 'nothingTyped' }
	/** Something else than digits and spaces. */
	| { readonly kind: 'notDigits' }
	/** 6 digits are SMS, 8 a paper's; 9, a phone's, are not taken by this version. */
	| { readonly kind: 'tooShort' | 'tooLong' | 'sevenDigits' | 'phoneCode'; readonly digits: number }
	| { readonly kind: 'nothingWaits' | 'unknownRecord' | 'mixed' }
	/** Confirmed, reversed or said no to already; or of another ledger, side or currency than the first. */
	| { readonly kind: 'notAskable'; readonly h: RecordHash }
	| { readonly kind: 'tooMany'; readonly max: number }
	| { readonly kind: 'notLinked' }
	/** She has no codes for this kind and currency; or all were told; or they are older than 90 days. */
	| { readonly kind: 'noCodes' | 'codesUsedUp' | 'codesTooOld' }
	| { readonly kind: 'overTheCap'; readonly capMinor: number; readonly sumMinor: number }
	/** No message was sent for this record from this device, or it is too long ago. */
	| { readonly kind: 'noSms' | 'smsTooOld' }
	| { readonly kind: 'recordLocked' | 'ledgerLocked' }
	| { readonly kind: 'doesNotFit'; readonly leftOfRecord: number; readonly leftOfDay: number };

export type StatementRefusal = Extract<
	ClaimRefusal,
	{ kind: 'nothingWaits' | 'unknownRecord' | 'notAskable' | 'mixed' | 'tooMany' }
>;

export type AnswerDraft =
	/** What is right, minor units; the description and due date of the new due. */
	| {
			readonly way: 'correct';
			readonly minor: number;
			readonly note?: string;
			readonly dueAt?: number;
	  }
	| { readonly way: 'withdraw' | 'insist'; readonly note?: string };

export type AnswerRefusal = RecordRefusal | { readonly kind: 'notDisputed' };

/** Why the rest of a debit is not paid or forgiven. */
export type RestRefusal =
	| RecordRefusal
	/** Older records are on their way to this device, and may say otherwise of what is left. */
	| { readonly kind: 'stillComing' };

export type CorrectionRefusal =
	| RestRefusal
	| { readonly kind: 'reasonMissing' }
	| { readonly kind: 'sameAmount' }
	/** It is disputed: it is answered, not corrected. Or it is of a sale, and goes back with its receipt. */
	| { readonly kind: 'isDisputed' | 'isOfSale' | 'nothingLeft' };

export interface CorrectionDraft {
	readonly h: RecordHash;
	/** What it ought to have said, minor units; 0 where it ought not to be there. */
	readonly toMinor: number;
	readonly reason: string;
}

export type EntryRefusal =
	| CustomerRefusal
	| { readonly kind: 'amountRefused' | 'dayRefused' | 'noteTooLong' | 'reasonMissing' }
	| { readonly kind: 'unknownRecord' | 'unknownEntry' | 'entryEnded' | 'nameNeeded' | 'noName' };

export type MergeRefusal =
	| { readonly kind: 'unknownCustomer'; readonly ledger: LedgerId }
	| { readonly kind: 'sameCard' | 'alreadyJoined' | 'notJoined' }
	/** Two accounts are never one person. */
	| { readonly kind: 'bothLinked' };
