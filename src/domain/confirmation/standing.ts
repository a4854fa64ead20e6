import { present } from '../assert.ts';
import { groupBy } from '../group-by.ts';
import { countedAmounts } from './counted-amounts.ts';
import { currencyKey } from './currency-key.ts';
import {
	ledgerRecord,
	type LedgerEvent,
	type LedgerRecord,
	type LedgerScope
} from './ledger-fold.ts';
import type { RecordHash } from './record-hash.ts';
import { isCredit, isDebit } from './record-kind.ts';
import type { Decision } from './signatures.ts';
import type { ReadRecord } from './signed-record.ts';
import type { VerdictResult } from './verdict.ts';

/** A record with what its standing depends on beside its sums. */
export interface StandingRecord extends LedgerRecord {
	readonly recordId: string;
	/** What a statement lists. */
	readonly list?: readonly RecordHash[];
}

/** What was said of a record later, whoever said it. Times are ms by the relay's stamp. */
export type LedgerSaying =
	| {
			readonly kind: 'claimed';
			readonly h: RecordHash;
			readonly claimId: string;
			/** Of a claim by a code that may open any record: which one, whoever says it. */
			readonly codeKey?: string;
	  }
	| {
			readonly kind: 'verdict';
			readonly h: RecordHash;
			readonly claimId: string;
			readonly result: VerdictResult;
			readonly al: number;
			readonly epoch: number;
			readonly seq: number;
			readonly at: number;
	  }
	| {
			readonly kind: 'reply';
			readonly h: RecordHash;
			readonly decision: Decision;
			readonly n: number;
			readonly at: number;
	  }
	| {
			readonly kind: 'shopAnswer';
			readonly h: RecordHash;
			readonly way: 'correct' | 'withdraw' | 'insist';
			readonly at: number;
	  };

/** When an account or a proved number stood behind a ledger; `to` null while it does. */
export interface LinkSpan {
	readonly from: number;
	readonly to: number | null;
	readonly way: 'app' | 'phone';
	/** Since when it is the same person or number, over connections that ended; `from` where left out. */
	readonly since?: number;
}

export interface StandingFacts {
	readonly records: Iterable<StandingRecord>;
	readonly sayings: Iterable<LedgerSaying>;
	readonly spans: readonly LinkSpan[];
}

/** `counted`: a credit or a reversal, which waits for nobody. */
export type RecordState =
	| 'waiting'
	| 'evidence'
	| 'confirmed'
	| 'reversed'
	| 'voided'
	| 'cancelled'
	| 'counted';

export interface RecordStanding {
	readonly state: RecordState;
	/** The customer says no, in time, and something of it is left; beside `confirmed` too. */
	readonly isDisputed: boolean;
	/** It waits for 30 days on somebody who is there; that is never taken for a yes. */
	readonly isUnanswered: boolean;
	/** Two records bear one id, the relay judged twice after a restore, a statement says too little. */
	readonly hasConflict: boolean;
	/** Strength of the evidence, 0 to 5. */
	readonly al: number;
	/** When a code first said yes to it, or to a statement that lists it: its 14 days begin. */
	readonly codedAt?: number;
}

/** A code's confirmation may be disputed for so long after the verdict. */
export const DISPUTE_WINDOW_MS = 14 * 86_400_000;
export const UNANSWERED_AFTER_MS = 30 * 86_400_000;
const AL_SIGNED = 4;

/** What the customer and the relay made of one record. */
interface Fate {
	/** When the first signed yes was filed that stands for good; undefined where none was. */
	readonly acceptedAt: number | undefined;
	/** When the first verdict that stands said yes; undefined where none did. */
	readonly okAt: number | undefined;
	readonly cancelledAt: number | undefined;
	/**
	 * Since when the last stood there who said no within 14 days of it: what others said yes to before
	 * does not bind him. Undefined where nobody did.
	 */
	readonly anewSince: number | undefined;
	readonly isClaimed: boolean;
	readonly hasLost: boolean;
	readonly al: number;
}

const NO_FATE: Fate = {
	acceptedAt: undefined,
	okAt: undefined,
	cancelledAt: undefined,
	anewSince: undefined,
	isClaimed: false,
	hasLost: false,
	al: 0
};

/** What its standing asks of a record that was read; `list` is what a statement's fact lists. */
export function standingRecord(
	read: Omit<ReadRecord, 'kid'>,
	list: readonly RecordHash[] | undefined
): StandingRecord {
	const record = { ...ledgerRecord(read), recordId: read.core.recordId };
	return list === undefined ? record : { ...record, list };
}

/** The events of which `foldLedger` makes the sums. The same for every order and repetition. */
export function ledgerEvents(facts: StandingFacts): readonly LedgerEvent[] {
	const records = distinct(facts.records);
	const fates = fatesOf(records, facts, () => countedByHash(records));
	return records.flatMap((record) => eventsOf(record, fateIn(fates, record)));
}

/**
 * How each record of `scope` stands. `now` (ms) is asked for the flag of what waits too long, and
 * for nothing else.
 */
export function recordStates(
	scope: LedgerScope,
	facts: StandingFacts,
	now: number
): ReadonlyMap<RecordHash, RecordStanding> {
	const records = distinct(facts.records).filter(
		({ businessId, ledgerId }) => businessId === scope.businessId && ledgerId === scope.ledgerId
	);
	const counted = countedByHash(records);
	const fates = fatesOf(records, facts, () => counted);
	const idCounts = groupBy(records, ({ recordId }) => recordId);
	const isLinkedNow = isLinked(facts.spans, now);
	return new Map(
		records.map((record) => {
			const fate = fateIn(fates, record);
			const isGone = isDebit(record.kind) && (counted.get(record.h) ?? 0n) === 0n;
			const state = stateOf(record, fate, isGone);
			const standing: RecordStanding = {
				state,
				isDisputed: isDisputed(fate) && !isGone,
				isUnanswered:
					isLinkedNow &&
					(state === 'waiting' || state === 'evidence') &&
					now - record.occurredAt >= UNANSWERED_AFTER_MS,
				hasConflict: fate.hasLost || present(idCounts.get(record.recordId), 'its own').length > 1,
				al: fate.al,
				...(fate.okAt !== undefined && { codedAt: fate.okAt })
			};
			return [record.h, standing] as const;
		})
	);
}

function countedByHash(records: readonly StandingRecord[]): ReadonlyMap<RecordHash, bigint> {
	return new Map(
		[...groupBy(records, ledgerKey).values()].flatMap((of) => [...countedAmounts(of)])
	);
}

/** Records of one key are added up; those of two know nothing of each other. */
function ledgerKey(record: StandingRecord): string {
	return `${record.businessId} ${record.ledgerId} ${currencyKey(record)}`;
}

function fateIn(fates: ReadonlyMap<RecordHash, Fate>, { h }: StandingRecord): Fate {
	return present(fates.get(h), 'every record has a fate');
}

function stateOf(record: StandingRecord, fate: Fate, isGone: boolean): RecordState {
	if (isCredit(record.kind) || record.kind === 'reversalOfDebit') return 'counted';
	const isConfirmed = fate.acceptedAt !== undefined || fate.okAt !== undefined;
	if (isGone) return isConfirmed ? 'reversed' : 'voided';
	if (isConfirmed) return 'confirmed';
	if (fate.cancelledAt !== undefined) return 'cancelled';
	return fate.isClaimed ? 'evidence' : 'waiting';
}

function isDisputed({ acceptedAt, okAt, cancelledAt, anewSince }: Fate): boolean {
	if (acceptedAt !== undefined || cancelledAt === undefined) return false;
	const isInTime = okAt === undefined || cancelledAt <= okAt + DISPUTE_WINDOW_MS;
	return isInTime || anewSince !== undefined;
}

/** A cancel of a credit only flags it. */
function eventsOf({ kind, h }: StandingRecord, fate: Fate): readonly LedgerEvent[] {
	if (!isDebit(kind)) return [];
	const events: LedgerEvent[] = [];
	if (fate.acceptedAt !== undefined) events.push({ kind: 'dropped', h });
	if (fate.okAt !== undefined) events.push({ kind: 'confirmed', h });
	if (isDisputed(fate)) events.push({ kind: 'cancelled', h });
	return events;
}

/** Each record's own fate, and what the statements that list it add. */
function fatesOf(
	records: readonly StandingRecord[],
	{ sayings, spans }: StandingFacts,
	counted: () => ReadonlyMap<RecordHash, bigint>
): ReadonlyMap<RecordHash, Fate> {
	const said = groupBy([...sayings], ({ h }) => h);
	const lost = lostVerdicts([...said.values()].flat());
	const fates = new Map(
		records.map((record) => {
			const ofIt = said.get(record.h) ?? [];
			return [record.h, withReplies(codedFate(ofIt, lost), ofIt, spans)] as const;
		})
	);
	for (const [h, at] of undoneAt(records)) {
		// Nobody is there to ask: the shop's own book.
		if (isLinked(spans, at)) continue;
		const fate = present(fates.get(h), 'every record has a fate');
		fates.set(h, { ...fate, okAt: earlier(fate.okAt, at) });
	}
	const confirmed = records.filter(
		(record) => record.kind === 'statement' && isConfirmation(fateIn(fates, record))
	);
	if (confirmed.length > 0) confirmListed(fates, confirmed, { records, counted: counted() });
	return fates;
}

/**
 * When each reversal of a credit happened (ms), by its H: never before the credit, whatever the clock of
 * its device said, or a payment that somebody saw would be taken back in the days before he was there.
 */
function undoneAt(
	records: readonly StandingRecord[]
): readonly (readonly [h: RecordHash, at: number])[] {
	const reversals = records.filter(({ kind }) => kind === 'reversalOfCredit');
	if (reversals.length === 0) return [];
	const atByHash = new Map(records.map(({ h, occurredAt }) => [h, occurredAt]));
	return reversals.map(({ h, ref, occurredAt }) => {
		const creditAt = ref === undefined ? undefined : atByHash.get(ref);
		return [h, Math.max(occurredAt, creditAt ?? occurredAt)];
	});
}

/** A statement that is contested confirms nothing while it is: its records wait for an answer each. */
function isConfirmation(fate: Fate): boolean {
	return (fate.acceptedAt !== undefined || fate.okAt !== undefined) && !isDisputed(fate);
}

interface Page {
	readonly records: readonly StandingRecord[];
	readonly counted: ReadonlyMap<RecordHash, bigint>;
}

/**
 * What statements were confirmed say yes to: the debits they list, of their own ledger and currency.
 * While one is unknown, or they come to more than the statement that the customer saw, it waits.
 */
function confirmListed(
	fates: Map<RecordHash, Fate>,
	statements: readonly StandingRecord[],
	{ records, counted }: Page
): void {
	const debits = new Map(records.filter(({ kind }) => isDebit(kind)).map((one) => [one.h, one]));
	for (const statement of statements) {
		const fate = fateIn(fates, statement);
		const { list = [] } = statement;
		const listed = [...new Set(list)].flatMap((h) => debits.get(h) ?? []);
		const isKnown = listed.length === new Set(list).size;
		const ofIt = listed.every((one) => ledgerKey(one) === ledgerKey(statement));
		const sum = listed.reduce((total, { h }) => total + (counted.get(h) ?? 0n), 0n);
		if (isKnown && ofIt && sum <= BigInt(statement.amount)) {
			for (const { h } of listed)
				fates.set(h, withStatement(present(fates.get(h), 'a debit of the page'), fate));
		} else {
			const hasLost = fate.hasLost || isKnown;
			fates.set(statement.h, { ...NO_FATE, hasLost, isClaimed: true });
		}
	}
}

/** What was cancelled before a statement was confirmed is not confirmed by it. */
function withStatement(fate: Fate, { acceptedAt, okAt, al }: Fate): Fate {
	const { cancelledAt = Infinity } = fate;
	const isBefore = (at: number | undefined): at is number => at !== undefined && at < cancelledAt;
	if (!isBefore(acceptedAt) && !isBefore(okAt)) return fate;
	const coded = isBefore(okAt) ? { ...fate, okAt: earlier(fate.okAt, okAt) } : fate;
	const signed = isBefore(acceptedAt) ? withYes(coded, acceptedAt) : coded;
	return { ...signed, al: Math.max(fate.al, al) };
}

/** A signed yes stands for good, but not against who stands there since and said no in time. */
function withYes(fate: Fate, at: number): Fate {
	const isBinding = fate.anewSince === undefined || at > fate.anewSince;
	return isBinding
		? { ...fate, acceptedAt: earlier(fate.acceptedAt, at) }
		: { ...fate, okAt: earlier(fate.okAt, at) };
}

function withReplies(fate: Fate, said: readonly LedgerSaying[], spans: readonly LinkSpan[]): Fate {
	const timesOf = (of: Decision): readonly number[] =>
		said.flatMap((saying) => (saying.kind === 'reply' && saying.decision === of ? saying.at : []));
	const [yes, noes] = [timesOf('accept'), timesOf('cancel')];
	if (yes.length === 0 && noes.length === 0) return fate;
	const sinces = noes.flatMap((at) => {
		const since = stoodSince(spans, at);
		return since !== undefined && at <= since + DISPUTE_WINDOW_MS ? [since] : [];
	});
	const answered: Fate = {
		...fate,
		cancelledAt: noes.length === 0 ? undefined : Math.min(...noes),
		anewSince: sinces.length === 0 ? undefined : Math.max(...sinces),
		al: yes.length === 0 ? fate.al : Math.max(fate.al, AL_SIGNED)
	};
	return yes.reduce(withYes, answered);
}

/** Since when whoever stood there at that time did, or did last. */
function stoodSince(spans: readonly LinkSpan[], at: number): number | undefined {
	const begun = spans.filter(({ from }) => from < at);
	const last = begun.reduce<LinkSpan | undefined>(
		(latest, span) => (latest === undefined || span.from > latest.from ? span : latest),
		undefined
	);
	return last?.since ?? last?.from;
}

function codedFate(said: readonly LedgerSaying[], lost: ReadonlySet<string>): Fate {
	const fate: { -readonly [Name in keyof Fate]: Fate[Name] } = { ...NO_FATE };
	const judged = new Set<string>();
	for (const saying of said) {
		if (saying.kind === 'verdict') judged.add(saying.claimId);
		if (saying.kind === 'verdict' && saying.result === 'ok') {
			if (lost.has(verdictKey(saying))) fate.hasLost = true;
			else {
				fate.okAt = earlier(fate.okAt, saying.at);
				fate.al = Math.max(fate.al, saying.al);
			}
		}
	}
	fate.isClaimed = said.some((saying) => saying.kind === 'claimed' && !judged.has(saying.claimId));
	return fate;
}

type ClaimSaying = Extract<LedgerSaying, { kind: 'claimed' }>;
type VerdictSaying = Extract<LedgerSaying, { kind: 'verdict' }>;

/**
 * A relay that was restored from a backup counts a ledger's verdicts on from an older number. Of
 * two with one number, of one claim, or by one code for two records, the lowest (epoch, number, claim)
 * stands.
 */
function lostVerdicts(said: readonly LedgerSaying[]): ReadonlySet<string> {
	const verdicts = said
		.filter((saying): saying is VerdictSaying => saying.kind === 'verdict')
		.sort(compareVerdicts);
	const holder = new Map<string, string>();
	const lost = lostByCode(said, verdicts);
	for (const verdict of verdicts) {
		const key = verdictKey(verdict);
		for (const place of [`seq ${String(verdict.seq)}`, `claim ${verdict.claimId}`]) {
			const first = holder.get(place);
			if (first === undefined) holder.set(place, key);
			else if (first !== key) lost.add(key);
		}
	}
	return lost;
}

/** No two are alike, so that the same stands in whatever order they came. */
function compareVerdicts(a: VerdictSaying, b: VerdictSaying): number {
	const byNumber = a.epoch - b.epoch || a.seq - b.seq;
	return byNumber || compareTexts(a.claimId, b.claimId) || compareTexts(a.h, b.h);
}

function compareTexts(a: string, b: string): number {
	return a < b ? -1 : Number(a > b);
}

/**
 * A relay that forgot that a code was spent says yes to a second record by it. Of several claims with one id nobody
 * here sees which was judged, so its yes spends the code of each that is of its record.
 */
function lostByCode(said: readonly LedgerSaying[], inOrder: readonly VerdictSaying[]): Set<string> {
	const claims = said.filter((saying) => saying.kind === 'claimed');
	const byName = groupBy(claims, claimName);
	const recordByCode = new Map<string, RecordHash>();
	const lost = new Set<string>();
	for (const verdict of inOrder) {
		if (verdict.result !== 'ok') continue;
		for (const { codeKey } of byName.get(claimName(verdict)) ?? []) {
			if (codeKey === undefined) continue;
			const first = recordByCode.get(codeKey) ?? verdict.h;
			recordByCode.set(codeKey, first);
			if (first !== verdict.h) lost.add(verdictKey(verdict));
		}
	}
	return lost;
}

function claimName({ claimId, h }: ClaimSaying | VerdictSaying): string {
	return `${claimId} ${h}`;
}

function verdictKey({ epoch, seq, claimId }: VerdictSaying): string {
	return `${String(epoch)} ${String(seq)} ${claimId}`;
}

function isLinked(spans: readonly LinkSpan[], at: number): boolean {
	return spans.some(({ from, to }) => from <= at && (to === null || at < to));
}

function earlier(a: number | undefined, b: number): number {
	return a === undefined ? b : Math.min(a, b);
}

function distinct(records: Iterable<StandingRecord>): readonly StandingRecord[] {
	return [...new Map([...records].map((record) => [record.h, record])).values()];
}
