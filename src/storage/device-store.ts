import type { LedgerSums } from '#domain/confirmation/ledger-fold.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { RecordKind } from '#domain/confirmation/record-kind.ts';
import type { ClockedTime } from '#domain/fact/clock-fact.ts';
import type { DayTotals, Saying } from '#domain/fact/effects.ts';
import type {
	CustomerFields,
	DeviceFields,
	MemberFields,
	ProductFields
} from '#domain/fact/fact.ts';
import type {
	AskFields,
	EntryRow as EntryForm,
	LinkFields,
	SheetFields
} from '#domain/fact/ledger-fact.ts';
import type { BranchId, DeviceCode, FactId, LedgerId, ProductId } from '#domain/ids.ts';

/** A folded field's place in the order of facts: wall ms, counter, fact id. */
export type FieldStamp = readonly [wall: number, counter: number, id: FactId];
export type FieldStamps = Readonly<Record<string, FieldStamp>>;

/** Small things that are one of a kind: identity, sequence, stamp, the place in the feed, an open cart. */
export interface MetaRow {
	readonly key: string;
	readonly value: unknown;
}

/** One of this device's own facts, and what became of it. */
export interface JournalRow {
	readonly n: number;
	readonly id: FactId;
	/** The document it goes to the relay in. */
	readonly document: string;
	readonly text: string;
	/** First 8 bytes of the text's SHA-256, in hex. */
	readonly digest: string;
	readonly sent: 0 | 1;
	/** When it was written, ms. */
	readonly at: number;
	/** The money that it tells of, minor units, without its sign. */
	readonly minor: bigint;
	/** Why the relay would not have it. */
	readonly refused?: string;
	/** Chance drawn for the act that wrote it here: it knows itself again by it. */
	readonly act?: string;
}

/** Own facts that left the journal because a verified backup holds them: all numbers of one block. */
export interface BackedUpRow {
	/** The numbers of a block are those that give it when divided by `HAVE_RANGE_LENGTH`. */
	readonly block: number;
	/** The XOR of the facts' digests, 16 hex digits. */
	readonly digest: string;
}

/** A fact that this device holds, its own or another's. Stamp and day are those by which it counts. */
export interface FactRow {
	readonly id: FactId;
	readonly code: string;
	readonly n: number;
	/** A `FactKind`, or the name of one that this program does not know yet. */
	readonly kind: string;
	/** The branch it was written in; empty for a fact of the whole business. */
	readonly branch: BranchId | '';
	readonly wall: number;
	readonly counter: number;
	readonly on: string;
	readonly by: number;
	readonly text: string;
	/**
	 * Ledgers, `sale:{id}` of a return, `receipt:{A-000123}`, products of a product or adjust fact, and
	 * `was:{id}` of what was issued again: the id that it had first.
	 */
	readonly refs: readonly string[];
}

/** When a fact counts by the relay's word, whether the fact is here yet or not. */
export interface ClockRow extends ClockedTime {
	/** The fact that the word is on. */
	readonly id: FactId;
}

export interface ProductRow extends ProductFields {
	readonly id: ProductId;
	/** The name, folded for searching. */
	readonly searchKey: string;
	/** Its codes as they are compared: trimmed, without case. */
	readonly codeKeys: readonly string[];
	/** The order of tiles (`tileKeyOf`); empty for what is not in use. */
	readonly tileKey: string;
	readonly stamps: FieldStamps;
}

export interface CustomerRow extends CustomerFields {
	readonly ledger: LedgerId;
	readonly searchKey: string;
	readonly stamps: FieldStamps;
}

export interface SettingRow {
	readonly field: string;
	readonly value: string | number | boolean | readonly string[] | null;
	readonly stamps: FieldStamps;
}

export interface MemberRow extends MemberFields {
	readonly number: number;
	readonly stamps: FieldStamps;
}

export interface DeviceRow extends DeviceFields {
	readonly code: DeviceCode;
	readonly stamps: FieldStamps;
}

/** A ledger record under the hash of its core; two facts that carry one H are one row. */
export interface RecordRow {
	/** H, base64url. */
	readonly h: RecordHash;
	readonly ledger: LedgerId;
	/** The fact that carried it; of several the lowest in the order of facts. */
	readonly factId: FactId;
	readonly kind: RecordKind;
	/** Minor units. */
	readonly amount: number;
	readonly currency: string;
	readonly exponent: number;
	/** When it happened, ms, as its core says. */
	readonly at: number;
	readonly on: string;
	/** UUID v7. */
	readonly record: string;
	/** H of the record that this one reverses or lowers. */
	readonly ref?: RecordHash;
	readonly note?: string;
	readonly dueAt?: number;
	/** Receipt number. */
	readonly receipt?: string;
	/** Who took the goods. */
	readonly takenBy?: string;
	/** Which debits a credit settles, where the person said so. */
	readonly allocations?: readonly (readonly [RecordHash, amount: number])[];
	/** What a statement lists. */
	readonly list?: readonly RecordHash[];
	/** Entered after the day it happened on. */
	readonly isLate?: true;
}

/** Something said of a record since it was written. */
export interface SayingRow {
	/** The fact that says it, and which of its sayings. */
	readonly id: string;
	readonly h: RecordHash;
	/** Empty where it names none and its record is not here. */
	readonly ledger: LedgerId | '';
	readonly factId: FactId;
	readonly wall: number;
	readonly counter: number;
	/** Member number; 0 for the relay. */
	readonly by: number;
	readonly saying: Saying;
	/** Of a claim: the counter it names. */
	readonly codeCounter?: number;
}

/** Who stands behind a ledger, as far as a shop may know. */
export interface LinkRow extends LinkFields {
	readonly ledger: LedgerId;
	/** The customer's phone has everything up to then, ms. */
	readonly seenUpToMs: number;
	/** Every fact that said how the connection stands, in no promised order. */
	readonly history: readonly LinkChangeRow[];
	readonly stamps: FieldStamps;
}

/** With the stamp of its fact: two may name one moment. */
export interface LinkChangeRow {
	readonly id: FactId;
	readonly wall: number;
	readonly counter: number;
	/** ms. */
	readonly at: number;
	readonly state: NonNullable<LinkFields['state']>;
	readonly way: NonNullable<LinkFields['way']>;
	readonly since?: number;
	/** It ended by nobody: a restore forgot it. */
	readonly isLost?: true;
}

/** A customer's open codes of one kind and currency, as check values. */
export interface SheetRow extends SheetFields {
	readonly ledger: LedgerId;
	readonly stamp: FieldStamp;
}

/** Two cards are one person's, or are no longer. */
export interface EdgeRow {
	readonly a: LedgerId;
	readonly b: LedgerId;
	readonly isJoined: boolean;
	readonly stamp: FieldStamp;
}

/** A line of the shop's own book. */
export interface BookEntryRow {
	readonly id: FactId;
	/** Empty for a rough slip. */
	readonly ledger: LedgerId | '';
	readonly row: EntryForm;
	readonly wall: number;
	readonly counter: number;
	readonly on: string;
	readonly by: number;
}

/** What ended a rough slip or a pending payment; it may come before what it ends. */
export interface EndRow {
	readonly id: FactId;
	/** The fact that ends it; of several the first in the order of facts. */
	readonly factId: FactId;
	readonly wall: number;
	readonly counter: number;
	/** `bounced` and `slipDone` are entries, `written` is a record. */
	readonly how: 'bounced' | 'slipDone' | 'written';
}

/** A request to be connected. */
export interface AskRow extends AskFields {
	readonly id: string;
	readonly at: number;
	readonly stamps: FieldStamps;
}

export type OpenRest = readonly [dueMs: number, restMinor: bigint, hasDue: 0 | 1];

/** One currency of a customer. Minor units. */
export interface TallySums {
	readonly currency: string;
	readonly exponent: number;
	readonly totalMinor: bigint;
	readonly agreedMinor: bigint;
	readonly notYetAgreedMinor: bigint;
	readonly disputedMinor: bigint;
	/** Debits that the connected customer did not answer; 0 where nobody is connected. */
	readonly waitingCount: number;
	readonly disputedCount: number;
	/**
	 * Rests of open dues by the instant they fall due, ms, the oldest first. Where none was set
	 * (`hasDue` 0) it is the noon of their own business day: they age, and are never overdue.
	 */
	readonly open: readonly OpenRest[];
	/** The latest promise that is not kept: days since the epoch, and how much. */
	readonly promise?: readonly [day: number, minor: number];
	readonly writtenOffMinor: bigint;
}

/** A customer as the list shows him, folded; merged cards share the row of the first of them. */
export interface TallyRow {
	readonly ledger: LedgerId;
	/** The card under which the person is listed: the row of every other is a pointer to it. */
	readonly head: LedgerId;
	/** Every card of the person, where this is the head. */
	readonly ledgers: readonly LedgerId[];
	/** Rises with every change of any tally, so that a reader asks for what is newer only. */
	readonly revision: number;
	readonly name: string;
	readonly nick: string;
	readonly phone: string;
	readonly username: string;
	/** Name, nickname, phone and username of every card, folded for searching. */
	readonly searchKey: string;
	readonly isActive: boolean;
	readonly colour: number;
	/** Most he may owe in the shop's currency; null for no limit. */
	readonly limit: number | null;
	readonly link: 'none' | 'app' | 'phone' | 'ended';
	/** By currency. */
	readonly sums: readonly TallySums[];
	/** When his latest record happened, ms; 0 where there is none. */
	readonly lastAt: number;
}

/** First and last n of one device's facts, both inside. */
export type NumberRange = readonly [from: number, to: number];

/** Which facts are inside something, by device code. */
export type NumberRanges = Readonly<Record<string, readonly NumberRange[]>>;

/**
 * What a ledger came to at a place of the relay's feed, while not all of its records are here: the
 * balance is this and what came since. Gone once they are.
 */
export interface BaseRow {
	readonly ledger: LedgerId;
	/** Somebody looks at it, or something was written that only the whole ledger can fold. */
	readonly isWanted: 0 | 1;
	/** The facts that the sums are of. */
	readonly ranges: NumberRanges;
	readonly sums: readonly BaseSums[];
	/** How far it came before its turn, since a checkpoint of `s` was begun. */
	readonly next?: { readonly s: number; readonly after: string };
}

/** One currency of it; minor units. */
export interface BaseSums extends Pick<
	LedgerSums,
	'confirmed' | 'waiting' | 'credited' | 'disputed'
> {
	readonly currency: string;
	readonly exponent: number;
	/** When its latest record happened, ms. */
	readonly lastAt: number;
}

/** Wrong codes typed at this device for a ledger. */
export interface TryRow {
	readonly ledger: LedgerId;
	/** The business day that `count` is of. */
	readonly on: string;
	readonly count: number;
	readonly countByHash: Readonly<Record<string, number>>;
	/** Chance drawn for the try that was counted last: it knows itself again by it. */
	readonly act?: string;
}

/** The sums of one ledger in one currency, minor units. */
export interface BalanceRow extends LedgerSums {
	readonly ledger: LedgerId;
	/** Code and exponent together: `INR/2`. */
	readonly currency: string;
	/** When its latest record happened, ms. */
	readonly lastAt: number;
}

export interface StockRow {
	readonly branch: BranchId;
	readonly product: ProductId;
	/** Thousandths of a unit. */
	readonly level: bigint;
}

/** What one business day of a branch came to. */
export interface DayRow extends DayTotals {
	readonly branch: BranchId;
	readonly on: string;
}

export interface Rows {
	readonly meta: MetaRow;
	readonly journal: JournalRow;
	readonly backedUp: BackedUpRow;
	readonly facts: FactRow;
	readonly clocks: ClockRow;
	readonly products: ProductRow;
	readonly customers: CustomerRow;
	readonly settings: SettingRow;
	readonly members: MemberRow;
	readonly devices: DeviceRow;
	readonly records: RecordRow;
	readonly balances: BalanceRow;
	readonly stock: StockRow;
	readonly days: DayRow;
	readonly sayings: SayingRow;
	readonly links: LinkRow;
	readonly sheets: SheetRow;
	readonly edges: EdgeRow;
	readonly entries: BookEntryRow;
	readonly ends: EndRow;
	readonly asks: AskRow;
	readonly tallies: TallyRow;
	readonly tries: TryRow;
	readonly bases: BaseRow;
}

export type TableName = keyof Rows;

/** What a row or an index is found by; compared as IndexedDB compares: numbers, then text, then lists. */
export type Key = number | string | readonly (number | string)[];

interface TableForm {
	/** The fields that name a row, in order. */
	readonly key: readonly string[];
	/** Each index by its name: one field, several joined by `+`, or `*` before one that holds a list. */
	readonly indexes: readonly string[];
}

/** Every table with its primary key and indexes. */
export const TABLES: Readonly<Record<TableName, TableForm>> = {
	meta: { key: ['key'], indexes: [] },
	journal: { key: ['n'], indexes: ['sent', 'document', 'refused'] },
	backedUp: { key: ['block'], indexes: [] },
	facts: { key: ['id'], indexes: ['branch+on', 'kind', 'code+n', '*refs'] },
	clocks: { key: ['id'], indexes: [] },
	products: { key: ['id'], indexes: ['searchKey', 'tileKey', '*codeKeys'] },
	customers: { key: ['ledger'], indexes: ['searchKey'] },
	settings: { key: ['field'], indexes: [] },
	members: { key: ['number'], indexes: [] },
	devices: { key: ['code'], indexes: [] },
	records: { key: ['h'], indexes: ['ledger', 'factId', 'at'] },
	balances: { key: ['ledger', 'currency'], indexes: ['ledger'] },
	stock: { key: ['branch', 'product'], indexes: [] },
	days: { key: ['branch', 'on'], indexes: [] },
	sayings: { key: ['id'], indexes: ['h', 'ledger', 'wall'] },
	links: { key: ['ledger'], indexes: [] },
	sheets: { key: ['ledger', 'kind', 'currency', 'exponent'], indexes: ['ledger'] },
	edges: { key: ['a', 'b'], indexes: ['a', 'b'] },
	entries: { key: ['id'], indexes: ['ledger', 'wall'] },
	ends: { key: ['id'], indexes: [] },
	asks: { key: ['id'], indexes: [] },
	tallies: { key: ['ledger'], indexes: ['revision'] },
	tries: { key: ['ledger'], indexes: [] },
	bases: { key: ['ledger'], indexes: ['isWanted'] }
};

/**
 * The form of these tables. 2: the ledger that both sides trust. 3: years of a busy shop. 4: a journal
 * that is let go, and clocks that ran ahead. 5: acts known by the name that they had first.
 */
export const STORE_VERSION = 5;

/** Beyond every text of a key. */
export const TEXT_END = '\uffff';

/** Which rows: those whose index (the primary key where none is named) lies between two keys, both counted. */
export interface Span {
	/** A name of `TABLES[table].indexes`, without its `*`. */
	readonly index?: string;
	readonly from: Key;
	readonly to: Key;
	/** Largest first. */
	readonly isReverse?: boolean;
	readonly limit?: number;
}

export interface StoreReader {
	get<N extends TableName>(table: N, key: Key): Promise<Rows[N] | undefined>;
	/** One answer for each key, in the keys' order. */
	getMany<N extends TableName>(
		table: N,
		keys: readonly Key[]
	): Promise<readonly (Rows[N] | undefined)[]>;
	/** Rows of a span, in the order of its index, then of the primary key. */
	find<N extends TableName>(table: N, span: Span): Promise<readonly Rows[N][]>;
	/** Rows that bear any of the keys in the index, each row once, in no promised order. */
	findAny<N extends TableName>(
		table: N,
		index: string,
		keys: readonly Key[]
	): Promise<readonly Rows[N][]>;
	/** Every row, in the order of the primary key. */
	all<N extends TableName>(table: N): Promise<readonly Rows[N][]>;
	count(table: TableName): Promise<number>;
	/** How many rows `find` would give; its limit does not count. */
	countIn(table: TableName, span: Span): Promise<number>;
}

export interface StoreWriter extends StoreReader {
	/** Adds rows, in the place of rows of the same key. */
	put<N extends TableName>(table: N, rows: readonly Rows[N][]): Promise<void>;
	remove(table: TableName, keys: readonly Key[]): Promise<void>;
	clear(table: TableName): Promise<void>;
}

/**
 * What a device keeps, in tables. `read` sees one moment; `write` happens whole, on disk when it
 * resolves, or not at all: it rejects with whatever `work` threw, or with `storageFull`. In `work`
 * nothing may be awaited but the store's own calls, on the tables that were named. A row handed out
 * is a copy or frozen: changing it changes nothing that is stored.
 */
export interface DeviceStore {
	read<T>(tables: readonly TableName[], work: (rows: StoreReader) => Promise<T>): Promise<T>;
	write<T>(tables: readonly TableName[], work: (rows: StoreWriter) => Promise<T>): Promise<T>;
	close(): void;
}

const FULL = 'StorageFull';

/** The fault of a device whose disk has no room. What was being written is not written. */
export function storageFull(cause: unknown): Error {
	const fault = new Error('there is no room left on this device', { cause });
	fault.name = FULL;
	return fault;
}

export function isStorageFull(fault: unknown): boolean {
	return fault instanceof Error && fault.name === FULL;
}

/** A span of exactly one key. */
export function only(index: string, key: Key): Span {
	return { index, from: key, to: key };
}
