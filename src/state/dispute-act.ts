import { isDebit } from '#domain/confirmation/record-kind.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { humanReference } from '#domain/confirmation/record-hash.ts';
import { recordStates } from '#domain/confirmation/standing.ts';
import { currencyKey } from '#domain/confirmation/currency-key.ts';
import { isAmount, isInstant } from '#domain/confirmation/limits.ts';
import type { FactRecord, RecordFact } from '#domain/fact/fact.ts';
import type { RecordTender } from '#domain/fact/ledger-fact.ts';
import { err, ok, type Result } from '#domain/result.ts';
import type { RecordRow, StoreReader } from '#storage/device-store.ts';
import { apartOf, draftRecord, owedBy, type RecordOf } from './draft-record.ts';
import { CARD_TABLES, readCards, readGroups } from './fold-tallies.ts';
import type {
	AnswerDraft,
	AnswerRefusal,
	CorrectionDraft,
	CorrectionRefusal,
	RestRefusal
} from './ledger-acts.ts';
import { isInBase } from './ledger-base.ts';
import { standingFactsOf } from './ledger-standing.ts';
import { loweredByHash } from './lowered.ts';
import { readMeta } from './meta.ts';
import { cleanNote } from './sell.ts';
import { allocationOf, type Card } from './tally.ts';
import type { Act, DeviceParts, Moment } from './write-path.ts';
import {
	loadRecords,
	readCameBy,
	RECORDS_TABLES,
	writeRecordsAct,
	type CameBy,
	type RecordDraft,
	type RecordOptions,
	type RecordRefusal,
	type RecordsContext
} from './write-records.ts';

interface DisputeContext {
	readonly row: RecordRow | undefined;
	readonly card: Card | undefined;
	/** Every card of the person. */
	readonly cards: readonly Card[];
	/** How the money of the record came. */
	readonly cameBy: CameBy;
}

const TABLES = [...CARD_TABLES, 'meta', 'facts'] as const;

async function loadRecord(rows: StoreReader, h: RecordHash): Promise<DisputeContext> {
	const row = await rows.get('records', h);
	const identity = await readMeta(rows, 'identity');
	if (row === undefined || identity === undefined)
		return { row: undefined, card: undefined, cards: [], cameBy: undefined };
	const groups = await readGroups(rows);
	const ledgers = groups.cardsOf(groups.headOf(row.ledger));
	const cards = await readCards(rows, ledgers, identity.business);
	const cameBy = await readCameBy(rows, row);
	return { row, card: cards.get(row.ledger), cards: [...cards.values()], cameBy };
}

/** What is left of a debit that is taken back by reversals alone. */
function notReversed(row: RecordRow, card: Card): number {
	return card.records
		.filter(({ kind, ref }) => kind === 'reversalOfDebit' && ref === row.h)
		.reduce((left, { amount }) => Math.max(0, left - amount), row.amount);
}

/** Answers a customer who said no: each answer is a fact, and none unwrites what he said. */
export function answerDisputeAct(
	h: RecordHash,
	answer: AnswerDraft,
	parts: DeviceParts
): Act<DisputeContext, RecordFact, AnswerRefusal> {
	return {
		tables: TABLES,
		load: (rows) => loadRecord(rows, h),
		decide: async ({ row, card }, moment) => {
			if (row === undefined || card === undefined) return err({ kind: 'unknownRecord', place: 0 });
			if (!isDisputed(row, card, moment)) return err({ kind: 'notDisputed' });
			const note = cleanNote(answer.note);
			if (!note.ok) return note;
			const drafts = answerDrafts(answer, row, card);
			if (!drafts.ok) return drafts;
			const records = await signAll(drafts.value, { card, moment, parts, row });
			const fact: RecordFact = {
				...moment.head(0),
				kind: 'record',
				records,
				...(records.length > 0 && totalsMoved(row, moment)),
				answer: { h, way: answer.way, note: note.value ?? '' }
			};
			return ok({ facts: [fact], value: fact });
		}
	};
}

/** What the reversal of `row` says of the day's totals. */
function totalsMoved(row: RecordRow, moment: Moment): Pick<RecordFact, 'undoes' | 'isApart'> {
	const wasCounted = row.kind === 'due' && row.receipt === undefined;
	return { ...(wasCounted && { undoes: 'due' }), ...apartOf(row, moment) };
}

function isDisputed({ h, ledger }: RecordRow, card: Card, { identity, nowMs }: Moment): boolean {
	const scope = { businessId: identity.business, ledgerId: ledger };
	const states = recordStates(scope, standingFactsOf(card, identity.business), nowMs);
	return states.get(h)?.isDisputed === true;
}

function answerDrafts(
	answer: AnswerDraft,
	row: RecordRow,
	card: Card
): Result<readonly RecordDraft[], AnswerRefusal> {
	if (answer.way === 'insist') return ok([]);
	const left = notReversed(row, card);
	// A credit that was said no to is flagged, and taken back like any other.
	if (!isDebit(row.kind) || left === 0) return err({ kind: 'wrongSide', place: 0 });
	const reversal: RecordDraft = { kind: 'reversalOfDebit', minor: left, ref: row.h };
	if (answer.way !== 'correct') return ok([reversal]);
	const due = correctedDue(answer, row);
	return due.ok ? ok([reversal, due.value]) : due;
}

function correctedDue(
	{ minor, note, dueAt }: Extract<AnswerDraft, { way: 'correct' }>,
	row: RecordRow
): Result<RecordDraft, AnswerRefusal> {
	const fallsDue = dueAt ?? row.dueAt;
	if (!isAmount(minor)) return err({ kind: 'amountRefused', place: 1 });
	if (fallsDue !== undefined && !isInstant(fallsDue))
		return err({ kind: 'dueAtRefused', place: 1 });
	const clean = cleanNote(note ?? row.note);
	if (!clean.ok) return clean;
	return ok({
		kind: 'due',
		minor,
		...(clean.value !== undefined && { note: clean.value }),
		...(fallsDue !== undefined && { dueAt: fallsDue })
	});
}

interface Signing {
	readonly card: Card;
	readonly moment: Moment;
	readonly parts: DeviceParts;
	readonly row: RecordRow;
}

async function signAll(
	drafts: readonly RecordDraft[],
	{ card, moment, parts, row }: Signing
): Promise<readonly FactRecord[]> {
	const { currency, exponent, ledger } = row;
	let owedMinor = card.standing.sums.get(currencyKey(row))?.total ?? 0n;
	const records: FactRecord[] = [];
	for (const draft of drafts) {
		const of: RecordOf = { ...draft, ledger, money: { currency, exponent }, owedMinor };
		records.push(await draftRecord(of, moment, { head: moment.head(0), parts }));
		owedMinor += owedBy(draft);
	}
	return records;
}

interface FurtherContext {
	readonly of: DisputeContext;
	readonly records: RecordsContext | undefined;
}

/** What is written of a record. */
interface Further {
	readonly draft: RecordDraft;
	readonly options: RecordOptions;
}

/** A record that is here. */
interface Known extends DisputeContext {
	readonly row: RecordRow;
	readonly card: Card;
}

/** Writes what `furtherOf` says of a record, by what is known of it when it is written. */
function furtherAct<E>(
	h: RecordHash,
	parts: DeviceParts,
	furtherOf: (known: Known) => Result<Further, E>
): Act<FurtherContext, RecordFact, E | RecordRefusal> {
	return {
		tables: [...TABLES, ...RECORDS_TABLES],
		load: async (rows) => {
			const of = await loadRecord(rows, h);
			const { row } = of;
			return { of, records: row && (await loadRecords(rows, row.ledger, {})) };
		},
		decide: async ({ of, records }, moment) => {
			const { row, card } = of;
			if (row === undefined || card === undefined || records === undefined)
				return err({ kind: 'unknownRecord', place: 0 });
			const further = furtherOf({ ...of, row, card });
			if (!further.ok) return further;
			const { draft, options } = further.value;
			return writeRecordsAct(row.ledger, [draft], { options, parts }).decide(records, moment);
		}
	};
}

/** Writes what corrects a record. */
export function correctAct(
	{ h, toMinor, reason }: CorrectionDraft,
	parts: DeviceParts
): Act<FurtherContext, RecordFact, CorrectionRefusal> {
	return furtherAct<CorrectionRefusal>(h, parts, ({ row, card, cameBy }) => {
		const why = cleanNote(reason);
		if (!why.ok) return why;
		if (why.value === undefined) return err({ kind: 'reasonMissing' });
		const draft = correctionOf({ row, card, toMinor, reason: why.value });
		if (!draft.ok) return draft;
		const options = { currency: row.currency, tender: cameBy ?? null };
		return ok({ draft: draft.value, options });
	});
}

interface Correcting {
	readonly row: RecordRow;
	readonly card: Card;
	readonly toMinor: number;
	readonly reason: string;
}

function correctionOf(of: Correcting): Result<RecordDraft, CorrectionRefusal> {
	const { row, card, toMinor } = of;
	const { h } = row;
	if (card.standing.disputed.has(h)) return err({ kind: 'isDisputed' });
	if (isOfBefore(row, card)) return err({ kind: 'stillComing' });
	if (toMinor !== 0 && !isAmount(toMinor)) return err({ kind: 'amountRefused', place: 0 });
	if (toMinor === 0 && row.receipt !== undefined) return err({ kind: 'isOfSale' });
	const leftMinor = row.amount - (loweredByHash(card.records).get(h) ?? 0);
	if (leftMinor <= 0) return err({ kind: 'nothingLeft' });
	if (toMinor === leftMinor) return err({ kind: 'sameAmount' });
	return ok(correctionDraft(of, leftMinor));
}

/** DEVICE-70. What takes some of it back may be among what is not here; of what was written since nothing is. */
function isOfBefore(row: RecordRow, { base }: Card): boolean {
	return base !== undefined && isInBase(row, base);
}

/** Lower by what names the record; higher by a further one of its side, whose note names it. */
function correctionDraft({ row, toMinor, reason }: Correcting, leftMinor: number): RecordDraft {
	const { h } = row;
	const isTaken = isDebit(row.kind);
	if (toMinor > leftMinor) {
		const note = `${humanReference(h)} ${reason}`;
		return { kind: isTaken ? 'due' : 'payment', minor: toMinor - leftMinor, note };
	}
	const lower = { minor: leftMinor - toMinor, ref: h, note: reason };
	if (!isTaken) return { kind: 'reversalOfCredit', ...lower };
	return { kind: toMinor === 0 ? 'reversalOfDebit' : 'credit', ...lower };
}

/** Writes the payment of a debit's rest, for it and nothing else. */
export function payRestAct(
	h: RecordHash,
	tender: RecordTender,
	parts: DeviceParts
): Act<FurtherContext, RecordFact, RestRefusal> {
	return furtherAct<RestRefusal>(h, parts, ({ row, cards }) => {
		if (isComing(cards)) return err({ kind: 'stillComing' });
		const minor = restOf(row, cards);
		if (minor === 0) return err({ kind: 'moreThanLeft', place: 0, leftMinor: 0 });
		const draft: RecordDraft = { kind: 'payment', minor, allocations: [[h, minor]] };
		return ok({ draft, options: { currency: row.currency, tender } });
	});
}

/** Ends what is left unpaid of a debit, and no more than `mostMinor`, as it was told. */
export function forgiveAct(
	h: RecordHash,
	mostMinor: number,
	parts: DeviceParts
): Act<FurtherContext, RecordFact, RestRefusal> {
	return furtherAct<RestRefusal>(h, parts, ({ row, cards }) => {
		if (isComing(cards)) return err({ kind: 'stillComing' });
		const rest = restOf(row, cards);
		if (rest === 0) return err({ kind: 'moreThanLeft', place: 0, leftMinor: 0 });
		const draft: RecordDraft = { kind: 'forgiveness', minor: Math.min(rest, mostMinor), ref: h };
		return ok({ draft, options: { currency: row.currency, tender: null } });
	});
}

/** DEVICE-70. What was paid before may be among what is not here. */
function isComing(cards: readonly Card[]): boolean {
	return cards.some(({ base }) => base !== undefined);
}

/** What is unpaid of a debit, over all cards of its person. */
function restOf(row: RecordRow, cards: readonly Card[]): number {
	return Number(allocationOf(cards, row).dues.get(row.h)?.restMinor ?? 0n);
}
