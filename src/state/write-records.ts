import { assert } from '#domain/assert.ts';
import { dayNumber, parseDay } from '#domain/calendar.ts';
import {
	ALLOCATIONS_MAX,
	isAmount,
	isInstant,
	TAKEN_BY_CHARACTERS_MAX
} from '#domain/confirmation/limits.ts';
import { exponentOf, parseCurrency } from '#domain/currency.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import {
	isCredit,
	isDebit,
	isOpening,
	REF_OF_KIND,
	type RecordKind
} from '#domain/confirmation/record-kind.ts';
import {
	FACT_RECORDS_MAX,
	type FactRecord,
	type RecordFact,
	type UndoneKind
} from '#domain/fact/fact.ts';
import type { RecordTender } from '#domain/fact/ledger-fact.ts';
import type { FactId, LedgerId } from '#domain/ids.ts';
import { dueMsByTerms, dueMsOf } from '#domain/ledger/due-date.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { cleanName } from '#domain/text.ts';
import type {
	BookEntryRow,
	MemberRow,
	RecordRow,
	StoreReader,
	TableName
} from '#storage/device-store.ts';
import { factOf } from './arrived-fact.ts';
import { apartOf, draftRecord, owedBy, type RecordMoney } from './draft-record.ts';
import { loweredByHash } from './lowered.ts';
import { readMeta } from './meta.ts';
import {
	checkAccount,
	cleanNote,
	loadAccount,
	owedIn,
	termsOf,
	type AccountContext,
	type CustomerRefusal
} from './sell.ts';
import type { Act, DeviceParts, Moment } from './write-path.ts';

/** A record that a person writes without a sale. */
export interface RecordDraft {
	readonly kind: Exclude<RecordKind, 'statement'>;
	/** Minor units, above zero. */
	readonly minor: number;
	readonly note?: string;
	/** When a due falls due, ms UTC; by the customer's terms or the shop's where absent. */
	readonly dueAt?: number;
	/** The record that this one reverses or lowers. */
	readonly ref?: RecordHash;
	/** Who took the goods. */
	readonly takenBy?: string;
	/** Which debits a credit settles; the rest goes by age. */
	readonly allocations?: readonly (readonly [RecordHash, amountMinor: number])[];
}

export interface RecordOptions {
	/**
	 * How the money of the payments came or goes back, null where none changed hands here; where absent
	 * it goes back the way it came, and else is cash.
	 */
	readonly tender?: RecordTender | null;
	/** One of the shop's currencies; its own where absent. */
	readonly currency?: string;
	/** Entered later: the business day it happened on, `2026-11-20`. */
	readonly lateOn?: string;
	/** The rough slip that this writes down in full. */
	readonly slip?: FactId;
	/** The pending payment that this completes. */
	readonly pending?: FactId;
}

/** Why records are not written, in the order in which it is asked; `place` counts the drafts from 0. */
export type RecordRefusal =
	| { readonly kind: 'noRecords' }
	| { readonly kind: 'tooManyRecords'; readonly recordsMax: number }
	| CustomerRefusal
	| { readonly kind: 'amountRefused'; readonly place: number }
	| { readonly kind: 'dueAtRefused'; readonly place: number }
	| { readonly kind: 'refMissing'; readonly place: number }
	| { readonly kind: 'refNotAllowed'; readonly place: number }
	| { readonly kind: 'unknownRecord'; readonly place: number }
	| { readonly kind: 'wrongSide'; readonly place: number }
	| { readonly kind: 'moreThanLeft'; readonly place: number; readonly leftMinor: number }
	| { readonly kind: 'openingKnown'; readonly place: number }
	| { readonly kind: 'allocationRefused'; readonly place: number }
	| { readonly kind: 'takerTooLong'; readonly place: number }
	| { readonly kind: 'currencyRefused' }
	/** Entered later: no day, a day to come, or further back than this person may write. */
	| { readonly kind: 'dayRefused'; readonly why: 'notADay' | 'inFuture' | 'tooFarBack' }
	| { readonly kind: 'unknownSlip' }
	| { readonly kind: 'unknownPending' }
	| { readonly kind: 'noteTooLong' };

export interface RecordsContext extends AccountContext {
	readonly records: readonly RecordRow[];
	/** The writer, as the shop knows them. */
	readonly member: MemberRow | undefined;
	/** What `slip` and `pending` name, where it is not ended. */
	readonly ended: readonly (BookEntryRow | undefined)[];
	/** How the money came that goes back. */
	readonly cameBy: CameBy;
}

/** Null where no money changed hands; undefined where that is not known here. */
export type CameBy = RecordTender | null | undefined;

/** What an act names of what was written before. */
interface Naming extends Pick<RecordOptions, 'slip' | 'pending'> {
	/** The record that it takes back. */
	readonly back?: RecordHash | undefined;
}

/** What all records of one act share. */
interface Frame {
	readonly money: RecordMoney;
	/** The business day they happened on, and an instant of it. */
	readonly on: string;
	readonly atMs: number;
	readonly isLate: boolean;
}

export const RECORDS_TABLES: readonly TableName[] = [
	'customers',
	'balances',
	'records',
	'facts',
	'meta',
	'members',
	'entries',
	'ends'
];

export function writeRecordsAct(
	ledger: LedgerId,
	drafts: readonly RecordDraft[],
	{ options, parts }: { readonly options: RecordOptions; readonly parts: DeviceParts }
): Act<RecordsContext, RecordFact, RecordRefusal> {
	return {
		tables: RECORDS_TABLES,
		load: (rows) => {
			const back = drafts.find(({ kind }) => kind === 'reversalOfCredit')?.ref;
			return loadRecords(rows, ledger, { ...options, back });
		},
		decide: async (context, moment) => {
			const frame = frameOf(options, context, moment);
			if (!frame.ok) return frame;
			const standing = { context, moment, frame: frame.value };
			const checked = check(drafts, ledger, standing);
			if (!checked.ok) return checked;
			const unknown = endedRefusal(options, context);
			if (unknown !== undefined) return err(unknown);
			const records = await sign(checked.value, ledger, { ...standing, parts });
			const fact = recordFact(records, checked.value, { ...standing, options });
			return ok({ facts: [fact], value: fact });
		}
	};
}

export async function loadRecords(
	rows: StoreReader,
	ledger: LedgerId,
	{ slip, pending, back }: Naming
): Promise<RecordsContext> {
	const identity = await readMeta(rows, 'identity');
	const ids = [slip, pending].filter((id) => id !== undefined);
	const ends = await rows.getMany('ends', ids);
	const entries = await rows.getMany('entries', ids);
	const taken = back === undefined ? undefined : await rows.get('records', back);
	return {
		...(await loadAccount(rows, ledger)),
		records: await rows.findAny('records', 'ledger', [ledger]),
		member: identity === undefined ? undefined : await rows.get('members', identity.member),
		ended: entries.filter((_entry, place) => ends[place] === undefined),
		cameBy: taken && (await readCameBy(rows, taken))
	};
}

/** How the money of a record came. */
export async function readCameBy(rows: StoreReader, { factId }: RecordRow): Promise<CameBy> {
	const row = await rows.get('facts', factId);
	const fact = row === undefined ? null : factOf(row);
	return fact?.kind === 'record' ? (fact.tender ?? null) : undefined;
}

/** A slip and a pending payment end once. */
function endedRefusal(
	{ slip, pending }: RecordOptions,
	{ ended }: RecordsContext
): RecordRefusal | undefined {
	const isOpen = (id: FactId, kind: string): boolean =>
		ended.some((entry) => entry?.id === id && entry.row[0] === kind);
	if (slip !== undefined && !isOpen(slip, 'slip')) return { kind: 'unknownSlip' };
	if (pending !== undefined && !isOpen(pending, 'pending')) return { kind: 'unknownPending' };
	return undefined;
}

function recordFact(
	records: readonly FactRecord[],
	drafts: readonly RecordDraft[],
	{ context, moment, frame, options }: Standing & { readonly options: RecordOptions }
): RecordFact {
	const undoes = undoneKind(drafts, context);
	const isPaid = undoes === 'payment' || drafts.some(({ kind }) => kind === 'payment');
	const { cameBy = 'cash' } = context;
	const { tender = cameBy, slip, pending } = options;
	return {
		...moment.head(0),
		on: frame.on,
		kind: 'record',
		records,
		...(isPaid && tender !== null && { tender }),
		...(undoes !== undefined && { undoes }),
		...(slip !== undefined && { slip }),
		...(pending !== undefined && { pending }),
		...(frame.isLate && { isLate: true }),
		...apartOf(frame.money, moment)
	};
}

/** How far back an owner may enter later, and anybody else. */
const LATE_DAYS_OWNER = 366;
const LATE_DAYS = 7;

function frameOf(
	{ currency, lateOn }: RecordOptions,
	context: RecordsContext,
	moment: Moment
): Result<Frame, RecordRefusal> {
	const money = moneyOf(currency, context, moment);
	if (money === undefined) return err({ kind: 'currencyRefused' });
	const { on } = moment.head(0);
	if (lateOn === undefined || lateOn === on)
		return ok({ money, on, atMs: moment.nowMs, isLate: false });
	const day = parseDay(lateOn);
	if (!day.ok) return err({ kind: 'dayRefused', why: 'notADay' });
	if (lateOn > on) return err({ kind: 'dayRefused', why: 'inFuture' });
	// A shop that was not claimed yet has one person, who owns it.
	const isOwner = context.member === undefined || context.member.role === 'owner';
	const daysBack = dayNumber(on) - dayNumber(lateOn);
	if (daysBack > (isOwner ? LATE_DAYS_OWNER : LATE_DAYS))
		return err({ kind: 'dayRefused', why: 'tooFarBack' });
	return ok({ money, on: lateOn, atMs: dueMsOf(lateOn, moment.settings.zone), isLate: true });
}

/** The shop's own currency, one it chose beside it, or one in which this customer has records. */
function moneyOf(
	code: string | undefined,
	{ records }: RecordsContext,
	{ settings }: Moment
): RecordMoney | undefined {
	const { currency, exponent } = settings.money;
	if (code === undefined || code === currency) return { currency, exponent };
	const written = records.find((row) => row.currency === code);
	if (written !== undefined) return { currency: code, exponent: written.exponent };
	const parsed = parseCurrency(code);
	if (!parsed.ok || settings.currencies?.includes(code) !== true) return undefined;
	return { currency: code, exponent: exponentOf(parsed.value) };
}

/** What the reversals among `drafts` take back, where a day's totals counted it. */
function undoneKind(
	drafts: readonly RecordDraft[],
	{ records }: RecordsContext
): UndoneKind | undefined {
	const kinds = drafts.flatMap(({ kind, ref }) => {
		if (kind !== 'reversalOfDebit' && kind !== 'reversalOfCredit') return [];
		const named = records.find(({ h }) => h === ref);
		return [named?.receipt === undefined ? named?.kind : undefined];
	});
	assert(new Set(kinds).size <= 1, 'one act takes back records of one kind');
	const [kind] = kinds;
	return kind === 'due' || kind === 'payment' ? kind : undefined;
}

interface Standing {
	readonly context: RecordsContext;
	readonly moment: Moment;
	readonly frame: Frame;
}

function check(
	drafts: readonly RecordDraft[],
	ledger: LedgerId,
	standing: Standing
): Result<readonly RecordDraft[], RecordRefusal> {
	if (drafts.length === 0) return err({ kind: 'noRecords' });
	if (drafts.length > FACT_RECORDS_MAX)
		return err({ kind: 'tooManyRecords', recordsMax: FACT_RECORDS_MAX });
	const asked = checkAccount(ledger, standing.context, undefined);
	if (!asked.ok) return asked;

	const checked: RecordDraft[] = [];
	for (const [place, draft] of drafts.entries()) {
		const refusal = refusalOf(draft, place, { ...standing, before: checked });
		if (refusal !== undefined) return err(refusal);
		const clean = cleanDraft(draft, place);
		if (!clean.ok) return clean;
		checked.push(clean.value);
	}
	return ok(checked);
}

function cleanDraft(draft: RecordDraft, place: number): Result<RecordDraft, RecordRefusal> {
	const note = cleanNote(draft.note);
	if (!note.ok) return note;
	const { takenBy: typed = '', ...rest } = draft;
	const taker = cleanName(typed, TAKEN_BY_CHARACTERS_MAX);
	if (!taker.ok && taker.error === 'tooLong') return err({ kind: 'takerTooLong', place });
	return ok({ ...rest, note: note.value ?? '', ...(taker.ok && { takenBy: taker.value }) });
}

function refusalOf(
	draft: RecordDraft,
	place: number,
	standing: Standing & Before
): RecordRefusal | undefined {
	if (!isAmount(draft.minor)) return { kind: 'amountRefused', place };
	if (draft.dueAt !== undefined && !isInstant(draft.dueAt)) return { kind: 'dueAtRefused', place };
	if (isOpening(draft.kind) && hasOpening(standing)) return { kind: 'openingKnown', place };
	if (!areAllocated(draft, standing)) return { kind: 'allocationRefused', place };
	return refRefusal(draft, place, standing);
}

/** An opening counts once in a ledger and currency; a second would stand there and mean nothing. */
function hasOpening({ context, frame, before }: Standing & Before): boolean {
	const isKnown = context.records.some((row) => isOpening(row.kind) && isOfMoney(row, frame.money));
	return isKnown || before.some(({ kind }) => isOpening(kind));
}

interface Before {
	readonly before: readonly RecordDraft[];
}

function isOfMoney(row: RecordRow, { currency, exponent }: RecordMoney): boolean {
	return row.currency === currency && row.exponent === exponent;
}

/** What a credit is said to settle: known debits of its currency, together no more than itself. */
function areAllocated(
	{ kind, minor, allocations = [] }: RecordDraft,
	{ context, frame }: Standing
): boolean {
	if (allocations.length === 0) return true;
	if (!isCredit(kind) || allocations.length > ALLOCATIONS_MAX) return false;
	const sum = allocations.reduce((so, [, part]) => so + BigInt(part), 0n);
	return (
		sum <= BigInt(minor) &&
		allocations.every(([h, part]) => {
			const named = context.records.find((row) => row.h === h);
			return (
				isAmount(part) &&
				named !== undefined &&
				isDebit(named.kind) &&
				isOfMoney(named, frame.money)
			);
		})
	);
}

function refRefusal(
	{ kind, ref, minor }: RecordDraft,
	place: number,
	{ context, frame, before }: Standing & Before
): RecordRefusal | undefined {
	const rule = REF_OF_KIND[kind];
	if (ref === undefined) return rule === 'required' ? { kind: 'refMissing', place } : undefined;
	if (rule === undefined) return { kind: 'refNotAllowed', place };
	const named = context.records.find(({ h }) => h === ref);
	if (named === undefined) return { kind: 'unknownRecord', place };
	if (!isRightSide(kind, named) || !isOfMoney(named, frame.money))
		return { kind: 'wrongSide', place };
	const lowered =
		(loweredByHash(context.records).get(ref) ?? 0) +
		sumOf(before.filter((draft) => draft.ref === ref).map((draft) => draft.minor));
	const leftMinor = Math.max(0, named.amount - lowered);
	return minor > leftMinor ? { kind: 'moreThanLeft', place, leftMinor } : undefined;
}

/** A credit is undone by a reversal of a credit, a debit by all else. */
function isRightSide(kind: RecordDraft['kind'], named: RecordRow): boolean {
	return kind === 'reversalOfCredit' ? isCredit(named.kind) : isDebit(named.kind);
}

function sumOf(amounts: readonly number[]): number {
	return amounts.reduce((sum, amount) => sum + amount, 0);
}

async function sign(
	drafts: readonly RecordDraft[],
	ledger: LedgerId,
	{ context, moment, frame, parts }: Standing & { readonly parts: DeviceParts }
): Promise<readonly FactRecord[]> {
	const { money, on, atMs } = frame;
	const head = { ...moment.head(0), on };
	const terms = termsOf(context, moment);
	const byTerms = terms === undefined ? undefined : dueMsByTerms(terms, on, moment.settings.zone);
	let owed = owedIn(context, money);
	const records: FactRecord[] = [];
	for (const draft of drafts) {
		const dueAt = draft.dueAt ?? (draft.kind === 'due' ? byTerms : undefined);
		const of = {
			...draft,
			ledger,
			money,
			atMs,
			owedMinor: owed,
			...(dueAt !== undefined && { dueAt })
		};
		records.push(await draftRecord(of, moment, { head, parts }));
		owed += owedBy(draft);
	}
	return records;
}
