import type { LedgerSums } from '#domain/confirmation/ledger-fold.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { RecordKind } from '#domain/confirmation/record-kind.ts';
import type {
	BookedLine,
	CancelReason,
	ShopAnswer,
	SheetKind,
	Side
} from '#domain/fact/ledger-fact.ts';
import type { BusinessId, FactId, LedgerId } from '#domain/ids.ts';

/** A shop's page for this person. Both ids count: another shop may copy a ledger's id. */
export interface ShopKey {
	readonly business: BusinessId;
	readonly ledger: LedgerId;
}

/** `{business}/{ledger}`: a shop's key as one text, for a list's keys and an address. */
export type ShopId = string & { readonly __brand: 'ShopId' };

/** How money is written: code and exponent are the currency, the decimals are the shop's wish. */
export interface MoneyForm {
	readonly currency: string;
	readonly exponent: number;
	readonly shownDecimals: number;
}

/** Everything that a person's app shows, of one moment. */
export interface PersonView {
	/** Connected ones first, then by their latest record. */
	readonly shops: readonly ShopView[];
	/** What waits for an answer in any shop, oldest first. */
	readonly toAnswer: readonly RecordView[];
	/** Requests to be connected that wait for somebody, newest first. */
	readonly asks: readonly AskView[];
	/** Newest first. */
	readonly notices: readonly Notice[];
	/** How many notices are not read. */
	readonly unread: number;
	/** Up to which stamp of the relay the person looked, on any phone, ms. */
	readonly seenUpTo: number;
	/** Facts of kinds that this program does not know yet. */
	readonly newer: number;
}

export interface ShopView {
	readonly id: ShopId;
	readonly key: ShopKey;
	/** As the shop calls itself; empty until its card has come. */
	readonly name: string;
	readonly phone: string;
	readonly address: string;
	/** The zone of its business days. */
	readonly zone: string;
	readonly state: 'linked' | 'ended';
	readonly way: 'app' | 'phone';
	/** Since when the state stands, ms. */
	readonly at: number;
	readonly endedBy?: Side;
	/** The shop's own currency. */
	readonly money: MoneyForm;
	/** By currency, the shop's own first; never empty: a shop with no record has a zero. */
	readonly totals: readonly ShopTotal[];
	/** Newest first, of all currencies, all kinds. */
	readonly records: readonly RecordView[];
	readonly toAnswer: readonly RecordView[];
	/** What is still open, one a currency. */
	readonly promises: readonly PromiseView[];
	readonly codes: readonly CodesView[];
	/** By currency, the months from the first record to now, oldest first. */
	readonly months: readonly MonthSeries[];
	/** When its latest record happened, ms; when it was connected where there is none. */
	readonly lastAt: number;
	/** Records that the relay brought and that were not signed by the shop: they count nowhere. */
	readonly forged: number;
}

/** The one big number of a shop in one currency, and what stands small beside it. Minor units. */
export interface ShopTotal extends LedgerSums, MoneyForm {
	/** How many records wait for the person's answer. */
	readonly waitingCount: number;
	readonly disputedCount: number;
	/** The open due that falls due next or did longest ago, with its rest. */
	readonly nextDue?: { readonly h: RecordHash; readonly dueMs: number; readonly restMinor: bigint };
	/** Rests of dues whose day is over. */
	readonly overdueMinor: bigint;
}

/** What the person reads of one record; `interface.md` has the sentences. */
export type RecordStanding =
	/** Waits for an answer: "New, to answer". */
	| { readonly kind: 'toAnswer' }
	/** Answered here, not at the relay yet: "You agreed, on this phone". */
	| { readonly kind: 'agreedHere'; readonly at: number }
	/**
	 * "You agreed": by a signature in the app, or by a code at the counter; `before`: whoever stood there
	 * before the person did.
	 */
	| {
			readonly kind: 'agreed';
			readonly at: number;
			readonly by: 'app' | 'code' | 'sms' | 'rule' | 'nobodyNeeded' | 'before';
	  }
	/** "You said no, on this phone" and "You said no"; `isByCode`: it had been agreed by a code. */
	| {
			readonly kind: 'saidNoHere' | 'saidNo';
			readonly at: number;
			readonly reason: CancelReason | 0;
			readonly note: string;
			readonly isByCode: boolean;
	  }
	/** A shop's credit or statement, or what takes back a debit: counts at once, nobody is asked. */
	| { readonly kind: 'counted' }
	/** Taken back by the shop, whole. */
	| { readonly kind: 'reversed' };

/** Whether the shop's own key signed it, as far as this phone can tell. */
export type SignatureCheck = 'verified' | 'cannotBeCheckedYet' | 'keyEnded';

export interface RecordView {
	readonly h: RecordHash;
	readonly shop: ShopId;
	readonly shopName: string;
	readonly key: ShopKey;
	/** What two people read to each other: `K7Q2-M4XD`. */
	readonly reference: string;
	readonly kind: RecordKind;
	/** I took, I paid; neither for a statement. */
	readonly side: 'took' | 'paid' | 'none';
	/** What it says, above zero, minor units. */
	readonly amountMinor: number;
	/** The same with the way it goes: above zero raises the debt, and a statement's is zero. */
	readonly writtenMinor: number;
	/** What it moves the big number by, minor units: above zero raises the debt. */
	readonly effectMinor: bigint;
	readonly money: MoneyForm;
	/** When it happened, ms, and on which business day of the shop. */
	readonly at: number;
	readonly on: string;
	/** When the relay had it, ms. */
	readonly arrivedAt: number;
	readonly standing: RecordStanding;
	readonly check: SignatureCheck;
	/** Whether the person may say no to it now. */
	readonly canCancel: boolean;
	/** Whether the person may drop the dispute now. */
	readonly canDrop: boolean;
	/** Two records of the shop bear one id: both count, and both are flagged. */
	readonly hasTwin: boolean;
	readonly isLate: boolean;
	readonly isMadeOffline: boolean;
	/** The member's name; the device's letters where there is none. */
	readonly writer: string;
	readonly device: string;
	readonly note?: string;
	/** Who took the goods. */
	readonly takenBy?: string;
	readonly receipt?: string;
	/** What the receipt says, at most 50 lines. */
	readonly lines: readonly BookedLine[];
	/** How it was paid: kind and minor units. */
	readonly tenders: readonly (readonly [kind: string, minor: number])[];
	/** The record that this one takes back or lowers. */
	readonly ref?: RecordHash;
	/** What a statement lists. */
	readonly list: readonly RecordHash[];
	/** Of a debit that counts: what was paid of it, what is left, and when it falls due. */
	readonly settling?: Settling;
	/** What was said about it since it was first contested, oldest first; empty where it never was. */
	readonly dispute: readonly DisputeStep[];
}

export interface Settling {
	readonly paidMinor: bigint;
	readonly restMinor: bigint;
	readonly status: 'pending' | 'partPaid' | 'paid';
	/** As it stands after all moves, ms; absent where none was set. */
	readonly dueMs?: number;
	readonly isOverdue: boolean;
	/** Oldest first. */
	readonly moves: readonly DueMove[];
}

export interface DueMove {
	/** Of the fact that says so: the relay may carry several in one moment. */
	readonly id: FactId;
	readonly at: number;
	readonly dueMs: number;
	readonly reason: string;
}

/** One step of a dispute. */
export type DisputeStep = {
	readonly at: number;
	readonly id: FactId;
} & (
	| {
			readonly by: 'customer';
			readonly kind: 'cancel';
			readonly reason: CancelReason | 0;
			readonly note: string;
			/** Not at the relay yet. */
			readonly isHere: boolean;
	  }
	| { readonly by: 'customer'; readonly kind: 'drop'; readonly isHere: boolean }
	| {
			readonly by: 'shop';
			readonly kind: ShopAnswer['way'];
			readonly note: string;
			readonly writer: string;
	  }
);

export interface PromiseView {
	/** When it was noted, ms. */
	readonly at: number;
	/** `2026-11-20`. */
	readonly on: string;
	readonly minor: number;
	readonly money: MoneyForm;
}

/** One set of one-time codes of a ledger; the codes themselves are made by `codesOf`. */
export interface CodesView {
	readonly kind: SheetKind;
	readonly money: MoneyForm;
	readonly epoch: number;
	readonly capMinor: number;
	readonly issuedAt: number;
	/** Codes are taken for 90 days from their issue. */
	readonly isTooOld: boolean;
	/** Too many wrong codes were told: nothing is taken until a new set is made. */
	readonly isLocked: boolean;
	/** Counters. */
	readonly open: readonly number[];
	readonly used: readonly number[];
	/** Which secret they are made from; left out by a relay that had but one. */
	readonly secret?: string;
	/** A newer set of this ledger has another epoch, or the connection ended: none of it is taken. */
	readonly isRevoked: boolean;
}

/** A currency's months. Minor units. */
export interface MonthSeries extends MoneyForm {
	readonly months: readonly {
		/** `2026-11`. */
		readonly month: string;
		/** Taken on account and paid in the month, as the records say, less what was taken back. */
		readonly tookMinor: bigint;
		readonly paidMinor: bigint;
		/** The big number at the month's end. */
		readonly balanceMinor: bigint;
	}[];
}

export interface AskView {
	readonly ask: string;
	readonly by: Side;
	readonly shop: string;
	readonly username: string;
	readonly business?: BusinessId;
	readonly state: 'asked' | 'accepted' | 'declined';
	readonly at: number;
}

/** Something that a person should know. `at` is the relay's stamp, or the day itself for a due. */
export type Notice = {
	/** The same in every fold. */
	readonly id: string;
	readonly at: number;
	readonly isRead: boolean;
} & (
	| { readonly kind: 'connectionAsked'; readonly ask: AskView }
	| { readonly kind: 'connectionAnswered'; readonly ask: AskView }
	| { readonly kind: 'connected' | 'connectionEnded'; readonly shop: ShopRef; readonly by?: Side }
	/** What the shop wrote before it was connected waits for an answer: so many records. */
	| { readonly kind: 'broughtToAnswer'; readonly shop: ShopRef; readonly count: number }
	| {
			readonly kind: 'toAnswer' | 'paymentReceived' | 'confirmedByCode' | 'dueSoon' | 'overdue';
			readonly shop: ShopRef;
			readonly record: RecordRef;
	  }
	| {
			readonly kind: 'disputeAnswered';
			readonly shop: ShopRef;
			readonly record: RecordRef;
			readonly way: ShopAnswer['way'];
			readonly note: string;
	  }
	| {
			/** A code was told that is none of the open ones; three lock the codes. */
			readonly kind: 'wrongCode';
			readonly shop: ShopRef;
			readonly record?: RecordRef;
			readonly wrong: number;
			readonly isLocked: boolean;
	  }
	| {
			/** A right code was told that is spent, revoked, too old, or too small for the amount. */
			readonly kind: 'codeNotTaken';
			readonly shop: ShopRef;
			readonly record?: RecordRef;
			readonly why:
				| 'used'
				| 'locked'
				| 'revoked'
				| 'overTheCap'
				| 'tooOld'
				| 'notLinked'
				| 'overTheRule';
	  }
	| { readonly kind: 'codesRunningOut'; readonly shop: ShopRef; readonly left: number }
	| {
			readonly kind: 'dueMoved';
			readonly shop: ShopRef;
			readonly record: RecordRef;
			readonly dueMs: number;
	  }
);

export type NoticeKind = Notice['kind'];

export interface ShopRef {
	readonly id: ShopId;
	readonly name: string;
}

export interface RecordRef {
	readonly h: RecordHash;
	readonly kind: RecordKind;
	readonly amountMinor: number;
	readonly money: MoneyForm;
	readonly at: number;
}

/** A shop's page for a period of days: what stood before it, each record, what stands after it. */
export interface Statement {
	readonly shop: ShopRef;
	readonly money: MoneyForm;
	/** Both inside; `2026-11-20`. */
	readonly from: string;
	readonly to: string;
	readonly openingMinor: bigint;
	/** Oldest first. */
	readonly rows: readonly { readonly record: RecordView; readonly balanceMinor: bigint }[];
	readonly closingMinor: bigint;
	readonly tookMinor: bigint;
	readonly paidMinor: bigint;
}

export function shopId({ business, ledger }: ShopKey): ShopId {
	return `${business}/${ledger}` as ShopId;
}
