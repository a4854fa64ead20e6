import type { Claim } from './claim.ts';
import type { RecordHash } from './record-hash.ts';
import { isCredit, isDebit, type RecordKind } from './record-kind.ts';
import type { VerdictResult } from './verdict.ts';

/** Ways that present a code. A signature is no code: it is filed, not judged. */
export type CodeWay = Extract<Claim['way'], 'sms' | 'sheet' | 'app'>;

/** What a matched code opens, and since when. */
export interface CodeMatch {
	/** Whether its set is the one in force, or was revoked since. */
	readonly isCurrent: boolean;
	readonly issuedAt: number;
	/** What a sheet's code opens; a code for one amount (SMS, phone) matched that amount already. */
	readonly sheet?: {
		readonly kind: 'debit' | 'credit';
		readonly currency: string;
		readonly exponent: number;
		/** Minor units. */
		readonly cap: number;
	};
	/** The record for which this code was presented before. */
	readonly spentFor?: RecordHash;
}

export interface JudgedRecord {
	readonly h: RecordHash;
	readonly kind: RecordKind;
	readonly currency: string;
	readonly exponent: number;
	/** Minor units. */
	readonly amount: number;
}

/** What the relay keeps of a ledger for the judge. Counts never fall by a success. */
export interface LedgerGuard {
	readonly linked: 'none' | 'app' | 'phone';
	readonly wrongSheet: number;
	readonly wrongPhone: number;
	/** Wrong claims of the whole shop on this UTC day. */
	readonly shopWrongToday: number;
	/** Wrong tries of this SMS code. */
	readonly wrongSend: number;
}

export interface JudgeQuestion {
	readonly way: CodeWay;
	readonly record: JudgedRecord;
	/** Undefined where no code of the ledger is the one that was presented. */
	readonly match: CodeMatch | undefined;
	/** Whether the ledger's codes cannot be known any more, and none is in force that could be guessed. */
	readonly isLost?: boolean;
	readonly guard: LedgerGuard;
	/** Milliseconds UTC, the relay's. */
	readonly at: number;
}

export interface Judgement {
	readonly result: VerdictResult;
	/** Strength of the evidence; 0 where nothing was confirmed. */
	readonly al: number;
	/** The code is spent by being presented, whatever the result. */
	readonly isSpent: boolean;
	/** A code was tried that is none: counts against the ledger and the shop. */
	readonly isWrong: boolean;
	/** The customer must be alarmed. */
	readonly isAlarm: boolean;
}

export const WRONG_SHEETS_MAX = 3;
const WRONG_PHONES_MAX = 5;
const WRONG_SENDS_MAX = 5;
export const SHOP_WRONG_DAY_MAX = 20;
export const SMS_AGE_MAX_MS = 600_000;
export const CODE_AGE_MAX_MS = 90 * 86_400_000;

const AL_OF_WAY: Readonly<Record<CodeWay, number>> = { sheet: 1, sms: 2, app: 3 };
const AL_BY_PHONE_MAX = 2;

/**
 * Decides a claim by a code (confirmation.md section 6). Pure: what was matched and what is kept of
 * the ledger comes in, what is to be kept goes out. A right code is spent whatever follows; what it
 * was spent for before gets the old answer from the caller, who knows it.
 */
export function judge(question: JudgeQuestion): Judgement {
	const { match, guard, way } = question;
	if (guard.shopWrongToday >= SHOP_WRONG_DAY_MAX) return refused('locked', match !== undefined);
	if (match === undefined) return judgeWrong(question);
	if (match.spentFor !== undefined && match.spentFor !== question.record.h)
		return { ...refused('used', true), isAlarm: true };
	const result = checked(question, match);
	if (result !== 'ok') return { ...refused(result, true), isAlarm: result === 'revoked' };
	const al = AL_OF_WAY[way];
	return {
		result,
		al: guard.linked === 'phone' ? Math.min(al, AL_BY_PHONE_MAX) : al,
		isSpent: true,
		isWrong: false,
		isAlarm: false
	};
}

/** Whether wrong codes have closed this way until the customer opens it by a new set. */
export function isLocked(way: CodeWay, guard: LedgerGuard): boolean {
	switch (way) {
		case 'sheet':
			return guard.wrongSheet >= WRONG_SHEETS_MAX;
		case 'app':
			return guard.wrongPhone >= WRONG_PHONES_MAX;
		case 'sms':
			return guard.wrongSend >= WRONG_SENDS_MAX;
	}
}

/** Whether a code of a set opens records of this kind: every debit and a statement, or every credit. */
export function opens(sheet: 'debit' | 'credit', kind: RecordKind): boolean {
	return sheet === 'credit' ? isCredit(kind) : isDebit(kind) || kind === 'statement';
}

/** Tried once more behind a lock, a wrong code counts no further, and tells nothing. */
function judgeWrong({ way, guard, isLost = false }: JudgeQuestion): Judgement {
	if (isLost) return { ...refused('revoked', false), isAlarm: true };
	if (isLocked(way, guard)) return { ...refused('locked', false), isAlarm: true };
	return { result: 'wrong', al: 0, isSpent: false, isWrong: true, isAlarm: true };
}

function checked({ way, record, guard, at }: JudgeQuestion, match: CodeMatch): VerdictResult {
	if (guard.linked === 'none') return 'notLinked';
	if (!match.isCurrent) return 'revoked';
	if (match.sheet !== undefined && !covers(match.sheet, record)) return 'overTheCap';
	if (isLocked(way, guard)) return 'locked';
	const ageMax = way === 'sms' ? SMS_AGE_MAX_MS : CODE_AGE_MAX_MS;
	return at - match.issuedAt > ageMax ? 'tooOld' : 'ok';
}

/** A code of another kind or currency is worth nothing here. */
function covers(sheet: NonNullable<CodeMatch['sheet']>, record: JudgedRecord): boolean {
	return (
		opens(sheet.kind, record.kind) &&
		sheet.currency === record.currency &&
		sheet.exponent === record.exponent &&
		record.amount <= sheet.cap
	);
}

function refused(result: VerdictResult, isSpent: boolean): Judgement {
	return { result, al: 0, isSpent, isWrong: false, isAlarm: false };
}
