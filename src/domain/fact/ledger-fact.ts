import type { Claim } from '#domain/confirmation/claim.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { Decision } from '#domain/confirmation/signatures.ts';
import type { Verdict } from '#domain/confirmation/verdict.ts';
import type { BusinessId, DeviceCode, FactId, LedgerId } from '#domain/ids.ts';
import type { FactHead, FactRecord } from './fact-head.ts';

/** How the money of a payment came. Cash alone counts in the drawer. */
export const RECORD_TENDERS = ['cash', 'card', 'mobile', 'bank'] as const;
export type RecordTender = (typeof RECORD_TENDERS)[number];

/** What a shop says to a customer who cancelled: it wrote it anew, it takes it back, it stands by it. */
export const ANSWER_WAYS = ['correct', 'withdraw', 'insist'] as const;

export interface ShopAnswer {
	readonly h: RecordHash;
	readonly way: (typeof ANSWER_WAYS)[number];
	readonly note: string;
}

export const CANCEL_REASONS = ['notMe', 'wrongAmount', 'alreadyPaid', 'returned', 'other'] as const;
export type CancelReason = (typeof CANCEL_REASONS)[number];

/** What a device heard at the counter, signed by it; the relay judges it. */
export interface ClaimFact extends FactHead {
	readonly kind: 'claim';
	readonly claim: Claim;
	/** The device's signature over the claim, 64 bytes in base64url. */
	readonly sig: string;
}

export const PENDING_TENDERS = ['cheque', 'transfer'] as const;
export const SLIP_SIDES = ['owesUs', 'weOwe'] as const;

/** A line of the shop's own book about a customer; it moves no balance. Amounts in minor units. */
export type EntryRow =
	| readonly [kind: 'promise', day: number, minor: number, currency: string, exponent: number]
	| readonly [kind: 'dueMove', h: RecordHash, dueMs: number, reason: string]
	| readonly [kind: 'writeOff', minor: number, currency: string, exponent: number, reason: string]
	| readonly [
			kind: 'pending',
			minor: number,
			currency: string,
			exponent: number,
			tender: (typeof PENDING_TENDERS)[number],
			note: string
	  ]
	| readonly [kind: 'bounced', pending: FactId]
	| readonly [
			kind: 'slip',
			side: (typeof SLIP_SIDES)[number],
			minor: number,
			currency: string,
			exponent: number,
			note: string
	  ]
	| readonly [kind: 'slipDone', slip: FactId];

export interface EntryFact extends FactHead {
	readonly kind: 'entry';
	/** 0 for a rough slip: it has no name yet. */
	readonly ledgerId: LedgerId | 0;
	readonly row: EntryRow;
}

/** Two cards are one person's, or are no longer. `a` sorts before `b`. */
export interface MergeFact extends FactHead {
	readonly kind: 'merge';
	readonly a: LedgerId;
	readonly b: LedgerId;
	readonly isJoined: boolean;
}

export const ASK_STATES = ['asked', 'accepted', 'declined'] as const;
export const SIDES = ['shop', 'customer'] as const;
export type Side = (typeof SIDES)[number];

export interface AskFields {
	readonly by?: Side;
	readonly username?: string;
	readonly name?: string;
	/** The card that the asking shop means, or that the answering shop chose. */
	readonly ledger?: LedgerId;
	readonly state?: (typeof ASK_STATES)[number];
}

/** That one side asks the other to be connected, as the shop sees it. */
export interface AskFact extends FactHead {
	readonly kind: 'ask';
	readonly askId: string;
	readonly fields: AskFields;
}

export const LINK_STATES = ['none', 'linked', 'ended'] as const;
export const LINK_WAYS = ['app', 'phone'] as const;

export interface LinkFields {
	readonly state?: (typeof LINK_STATES)[number];
	readonly way?: (typeof LINK_WAYS)[number];
	readonly username?: string;
	readonly name?: string;
	/** Rises with every link and every new set of codes. */
	readonly epoch?: number;
	/** Since when the state stands, ms. */
	readonly at?: number;
	/** Since when the same person or number stands there, where that is longer. */
	readonly since?: number;
	readonly endedBy?: Side;
	/** The last three digits of the number that was proved; empty for none. */
	readonly phoneEnd?: string;
}

/** Who stands behind a ledger, as far as a shop may know. */
export interface LinkFact extends FactHead {
	readonly kind: 'link';
	readonly ledgerId: LedgerId;
	readonly fields: LinkFields;
}

export const SHEET_KINDS = ['debit', 'credit'] as const;
export type SheetKind = (typeof SHEET_KINDS)[number];

export interface SheetFields {
	readonly epoch: number;
	readonly kind: SheetKind;
	readonly currency: string;
	readonly exponent: number;
	/** Most that one code is worth, minor units. */
	readonly cap: number;
	readonly issuedAt: number;
	/** Counter and check value of each open code; empty where the set was revoked. */
	readonly open: readonly (readonly [counter: number, check: number])[];
	readonly kid: string;
	/** The relay's signature over all of it (`sheetStatement`). */
	readonly sig: string;
}

/** What a shop's devices may know of a customer's set of one-time codes. */
export interface SheetFact extends FactHead {
	readonly kind: 'sheet';
	readonly ledgerId: LedgerId;
	readonly fields: SheetFields;
}

interface VerdictBody {
	readonly ledgerId: LedgerId;
	readonly claimId: string;
	/** What the 118 bytes of `v` say. */
	readonly verdict: Verdict;
	/** Base64url, as signed. */
	readonly v: string;
	readonly sig: string;
	readonly kid: string;
	/** Wrong codes of the claim's way since the ledger's set was made; 0 where each code locks alone. */
	readonly wrong: number;
}

export interface VerdictFact extends FactHead, VerdictBody {
	readonly kind: 'verdict';
}

interface AnsweredBody {
	readonly ledgerId: LedgerId;
	readonly h: RecordHash;
	readonly decision: Decision;
	/** The customer's answers for this record, counted. */
	readonly answerN: number;
	readonly signedAt: number;
	readonly sig: string;
	/** The 65-byte point, base64url. */
	readonly key: string;
	readonly reason: CancelReason | 0;
	readonly note: string;
}

/** The customer's signed answer as the relay filed it; the stamp is the relay's. */
export interface AnsweredFact extends FactHead, AnsweredBody {
	readonly kind: 'answered';
}

/** The customer's phone holds everything of the ledger up to then. */
export interface SawFact extends FactHead {
	readonly kind: 'saw';
	readonly ledgerId: LedgerId;
	readonly upToMs: number;
}

export type DeviceKeySpan = readonly [code: DeviceCode, key: string, fromMs: number, toMs: number];

export interface CardFields {
	readonly shop?: string;
	readonly phone?: string;
	readonly address?: string;
	readonly zone?: string;
	readonly state?: 'linked' | 'ended';
	readonly way?: (typeof LINK_WAYS)[number];
	readonly at?: number;
	readonly since?: number;
	readonly endedBy?: Side;
	readonly epoch?: number;
	/** Which of the person's secrets the codes of that epoch are made from, as `secretId` names it. */
	readonly secret?: string;
	readonly currency?: string;
	readonly exponent?: number;
	readonly decimals?: number;
	/** The shop's keys that the relay vouches for; `toMs` 0 while one is in use. */
	readonly devices?: readonly DeviceKeySpan[];
	/** The relay's own point. */
	readonly relayKey?: string;
	/** When somebody stood behind the ledger before, whoever it was. */
	readonly before?: readonly LinkSpanRow[];
}

/** Times in ms by the relay's clock; `since` as in `LinkFields`. */
export type LinkSpanRow = readonly [
	from: number,
	to: number,
	way: (typeof LINK_WAYS)[number],
	since: number
];

export const BEFORE_MAX = 500;

/** A shop as its customer sees it. */
export interface CardFact extends FactHead {
	readonly kind: 'card';
	readonly businessId: BusinessId;
	readonly ledgerId: LedgerId;
	readonly fields: CardFields;
}

export interface AskedFields {
	readonly by?: Side;
	readonly shop?: string;
	readonly username?: string;
	readonly business?: BusinessId;
	readonly state?: (typeof ASK_STATES)[number];
}

export interface AskedFact extends FactHead {
	readonly kind: 'asked';
	readonly askId: string;
	readonly fields: AskedFields;
}

/** A line of a receipt as the customer may read it. */
export type BookedLine = readonly [
	name: string,
	thousandths: number,
	unitPrice: number,
	total: number
];

export interface BookedMore {
	/** The member's name. */
	readonly writer?: string;
	readonly d?: DeviceCode;
	readonly lines?: readonly BookedLine[];
	readonly tenders?: readonly (readonly [kind: string, minor: number])[];
	readonly answer?: readonly [h: RecordHash, way: ShopAnswer['way'], note: string];
	readonly list?: readonly RecordHash[];
	readonly late?: true;
}

/** A record that a shop wrote, as its customer holds it. */
export interface BookedFact extends FactHead {
	readonly kind: 'booked';
	readonly businessId: BusinessId;
	readonly ledgerId: LedgerId;
	readonly record: FactRecord;
	readonly more: BookedMore;
}

export interface JudgedFact extends FactHead, VerdictBody {
	readonly kind: 'judged';
	readonly businessId: BusinessId;
	readonly way: Claim['way'];
	readonly counter: number;
}

export interface FiledFact extends FactHead, AnsweredBody {
	readonly kind: 'filed';
	readonly businessId: BusinessId;
}

export type ToldRow =
	| Extract<EntryRow, readonly ['promise' | 'dueMove', ...unknown[]]>
	| readonly [kind: 'insist', h: RecordHash, note: string];

/** What else the shop told its customer. */
export interface ToldFact extends FactHead {
	readonly kind: 'told';
	readonly businessId: BusinessId;
	readonly ledgerId: LedgerId;
	readonly row: ToldRow;
}

export interface CodesFields {
	readonly epoch: number;
	readonly kind: SheetKind;
	readonly currency: string;
	readonly exponent: number;
	readonly cap: number;
	readonly issuedAt: number;
	readonly open: readonly number[];
	readonly used: readonly number[];
}

/** The state of a set of one-time codes; the codes themselves are made on the phone. */
export interface CodesFact extends FactHead {
	readonly kind: 'codes';
	readonly businessId: BusinessId;
	readonly ledgerId: LedgerId;
	readonly fields: CodesFields;
}

/** The customer's signed answer as his phone wrote it. */
export interface ReplyFact extends FactHead {
	readonly kind: 'reply';
	readonly businessId: BusinessId;
	readonly ledgerId: LedgerId;
	readonly h: RecordHash;
	readonly decision: Decision;
	readonly answerN: number;
	readonly signedAt: number;
	readonly sig: string;
	readonly kid: string;
	readonly reason: CancelReason | 0;
	readonly note: string;
}

/** The customer looked at everything up to then. */
export interface SeenFact extends FactHead {
	readonly kind: 'seen';
	readonly upToMs: number;
}

/** What happens to a ledger beside its records. */
export type LedgerFact =
	| ClaimFact
	| EntryFact
	| MergeFact
	| AskFact
	| LinkFact
	| SheetFact
	| VerdictFact
	| AnsweredFact
	| SawFact;

/** What stands in a customer's own documents. */
export type PersonFact =
	| CardFact
	| AskedFact
	| BookedFact
	| JudgedFact
	| FiledFact
	| ToldFact
	| CodesFact
	| ReplyFact
	| SeenFact;

export const LEDGER_FACT_KINDS = [
	'claim',
	'entry',
	'merge',
	'ask',
	'link',
	'sheet',
	'verdict',
	'answered',
	'saw'
] as const satisfies readonly LedgerFact['kind'][];

export const PERSON_FACT_KINDS = [
	'card',
	'asked',
	'booked',
	'judged',
	'filed',
	'told',
	'codes',
	'reply',
	'seen'
] as const satisfies readonly PersonFact['kind'][];

export const LIST_MAX = 500;
export const BOOKED_LINES_MAX = 50;
export const SHEET_CODES = 5;
