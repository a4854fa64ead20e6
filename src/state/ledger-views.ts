import type { LedgerSums } from '#domain/confirmation/ledger-fold.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type {
	CancelReason,
	PENDING_TENDERS,
	SheetKind,
	ShopAnswer,
	Side,
	SLIP_SIDES
} from '#domain/fact/ledger-fact.ts';
import type { FactId, LedgerId } from '#domain/ids.ts';
import type { Age } from '#domain/ledger/ageing.ts';
import type { RecordRow, TableName, TallyRow } from '#storage/device-store.ts';
import type { Mark } from './book.ts';

/** What a record's line says of the customer: the sentences of interface.md. */
export type RecordSentence =
	/** A credit, or what takes back a debit: it counts at once, nobody is asked. A statement too. */
	| { readonly kind: 'counted' }
	/** "According to our book": nobody is linked to this ledger. */
	| { readonly kind: 'ownBook' }
	/** "Your note · waiting"; `isSeen`: the customer's phone has it. `isOld`: unanswered for 30 days. */
	| { readonly kind: 'waiting'; readonly isSeen: boolean; readonly isOld: boolean }
	/** "Code fits, will be filed". */
	| { readonly kind: 'codeFits' }
	| {
			readonly kind: 'agreed';
			readonly at: number;
			readonly by: 'app' | 'code' | 'sms' | 'rule' | 'nobodyNeeded';
	  }
	/** "Amina says no". `wasAgreed`: a code had confirmed it before. */
	| {
			readonly kind: 'saysNo';
			readonly at: number;
			readonly reason: CancelReason | 0;
			readonly note: string;
			readonly wasAgreed: boolean;
			/** The shop stands by it. */
			readonly isInsisted: boolean;
	  }
	/** Taken back, whole. */
	| { readonly kind: 'reversed' };

/** Of a debit that counts: what was paid of it, and when it falls due. Minor units. */
export interface Settling {
	readonly paidMinor: bigint;
	readonly restMinor: bigint;
	readonly status: 'pending' | 'partPaid' | 'paid';
	/** As it stands after all moves, ms; absent where none was set. */
	readonly dueMs?: number;
	readonly isOverdue: boolean;
	readonly daysLate: number;
}

/** One step of a dispute, oldest first. */
export type DisputeStep = { readonly at: number; readonly id: FactId } & (
	| {
			readonly by: 'customer';
			readonly kind: 'cancel';
			readonly reason: CancelReason | 0;
			readonly note: string;
	  }
	| { readonly by: 'customer'; readonly kind: 'drop' }
	| {
			readonly by: 'shop';
			readonly kind: ShopAnswer['way'];
			readonly note: string;
			readonly member: number;
	  }
);

/** Why a code that fitted here was not taken by the relay. */
export type CodeTrouble =
	| 'wrong'
	| 'used'
	| 'locked'
	| 'revoked'
	| 'overTheCap'
	| 'tooOld'
	| 'notLinked'
	| 'overTheRule';

/** A record as its customer's page shows it. */
export interface ThreadRecord extends Omit<RecordRow, 'isLate' | 'list'> {
	readonly mark: Mark;
	/** Why the relay would not have its fact. */
	readonly refused?: string;
	/** Who wrote it, on which device, when (ms): of a late record the day it was entered. */
	readonly by: number;
	readonly device: string;
	readonly writtenAt: number;
	readonly isLate: boolean;
	/** `K7Q2-M4XD`. */
	readonly reference: string;
	/** What it moves the big number by, minor units: above zero raises the debt. */
	readonly effectMinor: bigint;
	readonly sentence: RecordSentence;
	/** The last code for it came to nothing at the relay, and why. */
	readonly trouble?: CodeTrouble;
	readonly settling?: Settling;
	readonly dispute: readonly DisputeStep[];
	/** What may still be taken back or lowered on its line, minor units; a sale goes back by receipt. */
	readonly leftMinor: number;
	/** What no later line has taken back of it, whoever may still do so: what the customer is asked. */
	readonly standsMinor: number;
	/** What waits for the customer and may be confirmed by a code. */
	readonly isAskable: boolean;
	/** Two records bear one id: both are here, both flagged. */
	readonly hasTwin: boolean;
	/** Of a statement. */
	readonly list: readonly RecordHash[];
}

/** A line of the shop's own book about a customer; it moves no balance. */
export interface ThreadEntry {
	readonly id: FactId;
	/** The card that it stands under. */
	readonly ledger: LedgerId;
	readonly at: number;
	readonly on: string;
	readonly by: number;
	readonly mark: Mark;
	readonly entry: EntryView;
}

export type EntryView =
	| ({
			readonly kind: 'promise';
			readonly day: string;
			readonly minor: number;
			/** Paid since, past its day, or still to come. */
			readonly state: 'open' | 'kept' | 'broken';
	  } & InCurrency)
	| {
			readonly kind: 'dueMove';
			readonly h: RecordHash;
			readonly dueMs: number;
			readonly reason: string;
	  }
	| ({ readonly kind: 'writeOff'; readonly minor: number; readonly reason: string } & InCurrency)
	| ({
			readonly kind: 'pending';
			readonly minor: number;
			readonly tender: (typeof PENDING_TENDERS)[number];
			readonly note: string;
			readonly state: 'open' | 'completed' | 'bounced';
	  } & InCurrency);

export interface InCurrency {
	readonly currency: string;
	readonly exponent: number;
}

/** One line of a thread: a record with what corrected it folded under it, or a line of the book. */
export type ThreadItem =
	| {
			readonly kind: 'record';
			readonly at: number;
			readonly record: ThreadRecord;
			/** Oldest first. */
			readonly corrections: readonly ThreadRecord[];
	  }
	| { readonly kind: 'entry'; readonly at: number; readonly entry: ThreadEntry };

/** The numbers at the head of a customer's page, in one currency. Minor units. */
export interface PageTotal extends LedgerSums, InCurrency {
	/** What the shop claims: total and disputed. Its limit is tested on this. */
	readonly claimMinor: bigint;
	readonly writtenOffMinor: bigint;
	readonly overdueMinor: bigint;
	readonly waitingCount: number;
	readonly disputedCount: number;
	/** Rests by age as of today. */
	readonly ageing: Ageing;
	/** Open pending payments together. */
	readonly pendingMinor: bigint;
}

/** Rests of dues by how long they are past their day. Minor units. */
export type Ageing = Readonly<Record<Age, bigint>>;

export interface LimitState extends InCurrency {
	readonly limitMinor: number;
	readonly claimMinor: bigint;
	/** Below zero by how much it is exceeded. */
	readonly leftMinor: bigint;
	readonly isOver: boolean;
	/** The balance is the last known as of then, ms: when the relay was last heard, or now. */
	readonly asOfMs: number;
}

export interface LinkView {
	readonly state: 'none' | 'linked' | 'ended';
	readonly way: 'app' | 'phone';
	readonly username: string;
	readonly name: string;
	readonly at: number;
	/** Left out where it was nobody: a restore forgot the connection. */
	readonly endedBy?: Side;
	/** Last three digits of the proved number, or empty. */
	readonly phoneEnd: string;
	/** The customer's phone has everything up to then, ms; 0 for nothing. */
	readonly seenUpToMs: number;
}

/** The codes of a customer as a shop's device may know them. */
export interface SheetView extends InCurrency {
	readonly ledger: LedgerId;
	readonly kind: SheetKind;
	readonly capMinor: number;
	/** How many are left; what is told and not yet filed is not counted. */
	readonly left: number;
	readonly isTooOld: boolean;
}

/** A customer, all cards of the one person together. */
export interface LedgerPageView {
	/** The row of the list: name, phone, link, sums. */
	readonly tally: TallyRow;
	/** Every card of this person; the first is the one that new records go to. */
	readonly ledgers: readonly LedgerId[];
	/** By currency, the shop's own first; never empty. */
	readonly totals: readonly PageTotal[];
	readonly limit?: LimitState;
	/** By ledger, only those that ever were linked. */
	readonly links: readonly (LinkView & { readonly ledger: LedgerId })[];
	readonly sheets: readonly SheetView[];
	/** Newest first. */
	readonly items: readonly ThreadItem[];
	/** Older ones are not in `items`. */
	readonly hasEarlier: boolean;
	/** False while older records are still on their way to this device. */
	readonly isWhole: boolean;
	/** False while something is here that only what is on its way can add up. */
	readonly isTotalSure: boolean;
	/** Facts of kinds that this program does not know yet. */
	readonly newer: number;
}

export interface StatementView extends InCurrency {
	readonly from: string;
	readonly to: string;
	readonly openingMinor: bigint;
	/** Oldest first. */
	readonly rows: readonly { readonly record: ThreadRecord; readonly balanceMinor: bigint }[];
	readonly closingMinor: bigint;
	/** Debits and credits of the rows, each less what takes one back: the sums that the customer reads. */
	readonly tookMinor: bigint;
	readonly paidMinor: bigint;
	/** Of the closing balance. */
	readonly notYetAgreedMinor: bigint;
	readonly disputedMinor: bigint;
}

/** What waits of a ledger in one currency, for one question to the customer. */
export interface WaitingView extends InCurrency {
	readonly ledger: LedgerId;
	readonly hs: readonly RecordHash[];
	readonly count: number;
	readonly sumMinor: bigint;
	readonly oldestAt: number;
}

export interface SlipView extends InCurrency {
	readonly id: FactId;
	readonly side: (typeof SLIP_SIDES)[number];
	readonly minor: number;
	readonly note: string;
	readonly at: number;
	readonly by: number;
}

/** The same customer and amount within 10 minutes, from another device or person. */
export interface TwiceView {
	readonly record: RecordRow;
	readonly by: number;
	readonly device: string;
	readonly minutesAgo: number;
}

export type CustomerFilter =
	| 'owes'
	| 'overdue'
	| 'waiting'
	| 'disputed'
	| 'promised'
	| 'overLimit'
	| 'quiet'
	| 'archived';
export type CustomerSort = 'name' | 'balance' | 'oldestDue' | 'lastRecord';

export interface CustomerQuery {
	readonly text?: string;
	readonly filter?: CustomerFilter;
	/** `balance` where absent. */
	readonly sort?: CustomerSort;
	/** Code and exponent, `INR/2`; the shop's own where absent. */
	readonly currency?: string;
}

/** A row of the customer list, in the asked currency. Minor units. */
export interface CustomerListRow {
	readonly tally: TallyRow;
	readonly totalMinor: bigint;
	readonly notYetAgreedMinor: bigint;
	readonly disputedMinor: bigint;
	/** When its oldest open due falls or fell due, ms. */
	readonly oldestDueMs?: number;
	readonly daysLate: number;
	readonly isOverLimit: boolean;
	/** What one reads beside the amount, the most pressing one. */
	readonly status:
		| 'disputed'
		| 'overdue'
		| 'promised'
		| 'waiting'
		| 'dueSoon'
		| 'owes'
		| 'ahead'
		| 'even';
}

export interface CustomerListAnswer extends InCurrency {
	readonly rows: readonly CustomerListRow[];
	/** How many each filter lets through, without the text. */
	readonly counts: Readonly<Record<CustomerFilter | 'all', number>>;
	/** What all who owe owe together; advances are never taken off it. */
	readonly owedMinor: bigint;
	readonly advancesMinor: bigint;
}

export interface CollectRow {
	readonly tally: TallyRow;
	readonly why: 'promised' | 'due' | 'overdue';
	readonly minor: bigint;
	readonly daysLate: number;
}

/** The ledger's part of the shop's day, in the shop's own currency. Minor units. */
export interface DashboardView extends InCurrency {
	readonly customers: number;
	readonly owedMinor: bigint;
	readonly owingCount: number;
	readonly advancesMinor: bigint;
	readonly notYetAgreedMinor: bigint;
	readonly waitingCount: number;
	readonly disputedMinor: bigint;
	readonly disputedCount: number;
	readonly overdueMinor: bigint;
	readonly overdueCount: number;
	/** Promised, due or overdue, most pressing first. */
	readonly toCollect: readonly CollectRow[];
	readonly toCollectMinor: bigint;
	/** The last seven business days, today the last. */
	readonly collectedWeek: readonly { readonly day: string; readonly minor: bigint }[];
	readonly collectedWeekMinor: bigint;
	readonly ageing: Ageing;
	/** Newest first. */
	readonly recent: readonly { readonly record: RecordRow; readonly name: string }[];
	readonly slips: number;
	/** Money in other currencies, each for itself. */
	readonly others: readonly (InCurrency & { readonly owedMinor: bigint })[];
}

export type ShopNotice = {
	/** The same in every fold. */
	readonly id: string;
	/** ms. */
	readonly at: number;
	readonly isRead: boolean;
	readonly ledger?: LedgerId;
	/** The customer as the shop calls him; empty where there is no card yet. */
	readonly name: string;
} & (
	| { readonly kind: 'connectionAsked'; readonly ask: AskView }
	| { readonly kind: 'connectionAnswered'; readonly ask: AskView }
	| { readonly kind: 'connected'; readonly way: 'app' | 'phone' }
	| { readonly kind: 'connectionEnded'; readonly by: Side | 'nobody' }
	| { readonly kind: 'accepted' | 'dropped'; readonly record?: RecordRow }
	| {
			readonly kind: 'cancelled';
			readonly record?: RecordRow;
			readonly reason: CancelReason | 0;
			readonly note: string;
			/** Nobody answered it yet, and something of the record is left. */
			readonly isOpen: boolean;
	  }
	| { readonly kind: 'confirmedByCode'; readonly record?: RecordRow }
	| { readonly kind: 'wrongCode'; readonly wrong: number; readonly isLocked: boolean }
	/** A code that fitted here was not taken: its record waits again. */
	| {
			readonly kind: 'codeNotTaken';
			readonly record?: RecordRow;
			readonly why: CodeTrouble;
			/** Nothing was said of the record since, and something of it is left. */
			readonly isOpen: boolean;
	  }
	| { readonly kind: 'codesRunningOut'; readonly left: number }
	| ({
			readonly kind: 'overdue' | 'dueToday';
			readonly minor: bigint;
			readonly daysLate: number;
	  } & InCurrency)
	| ({ readonly kind: 'promiseBroken'; readonly minor: number; readonly day: string } & InCurrency)
	| { readonly kind: 'newDevice'; readonly device: string }
	/** A device's book had been copied: it goes on under other letters. */
	| { readonly kind: 'tookOver'; readonly device: string; readonly from: string }
);
export type ShopNoticeKind = ShopNotice['kind'];

export interface AskView {
	readonly id: string;
	readonly by: Side;
	readonly username: string;
	readonly name: string;
	readonly ledger?: LedgerId;
	readonly state: 'asked' | 'accepted' | 'declined';
	readonly at: number;
}

export interface NoticesView {
	/** Newest first, of the kinds that are chosen, at most 200. */
	readonly notices: readonly ShopNotice[];
	readonly unread: number;
	/** Kinds that the person does not want to see. */
	readonly hidden: readonly ShopNoticeKind[];
}

/** Questions over the ledger. Every answer is of one moment; ages and days are of `nowMs`. */
export interface LedgerBook {
	/** Searched, sifted and sorted; one row a customer, merged cards together. */
	customers(query: CustomerQuery): Promise<CustomerListAnswer>;
	/** The page of the customer whose card `ledger` is; undefined where there is none. */
	page(ledger: LedgerId, limit: number): Promise<LedgerPageView | undefined>;
	/** Days both inside, `2026-11-20`. */
	statement(ledger: LedgerId, period: StatementPeriod): Promise<StatementView | undefined>;
	/** By ledger and currency, what one question to the customer would hold; newest 500. */
	waiting(ledger: LedgerId): Promise<readonly WaitingView[]>;
	sheets(ledger: LedgerId): Promise<readonly SheetView[]>;
	/** Who stands behind this very card; undefined where nobody ever did. */
	link(ledger: LedgerId): Promise<LinkView | undefined>;
	/** The statement that a fact carries. */
	statementOf(fact: FactId): Promise<RecordHash | undefined>;
	/** How many wrong codes may still be typed. */
	triesLeft(ledger: LedgerId, hs: readonly RecordHash[]): Promise<TriesLeft>;
	dashboard(): Promise<DashboardView>;
	/** Rough slips that are not settled, newest first. */
	slips(): Promise<readonly SlipView[]>;
	/** A record of this customer and amount that was written within 10 minutes elsewhere. */
	twice(ledger: LedgerId, of: TwiceQuestion): Promise<TwiceView | undefined>;
	notices(): Promise<NoticesView>;
	/** Requests to be connected, newest first. */
	asks(): Promise<readonly AskView[]>;
	/** Cards that look like one person's: same phone, or same name and nickname. */
	duplicates(ledger: LedgerId): Promise<readonly TallyRow[]>;
}

export interface StatementPeriod {
	readonly from: string;
	readonly to: string;
	/** Code and exponent, `INR/2`; the shop's own where absent. */
	readonly currency?: string;
}

export interface TwiceQuestion {
	readonly minor: number;
	readonly side: 'took' | 'paid';
	readonly currency?: string;
}

export interface TriesLeft {
	readonly ofRecord: number;
	readonly ofDay: number;
}

/** The tables that the ledger's answers stand on, for `app.live`. */
export const LEDGER_TABLES: readonly TableName[] = [
	'records',
	'sayings',
	'links',
	'sheets',
	'edges',
	'entries',
	'ends',
	'tallies',
	'tries',
	'journal',
	'settings',
	'customers'
];
