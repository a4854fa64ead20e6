import { humanReference, type RecordHash } from '#domain/confirmation/record-hash.ts';
import { isDebit, type RecordKind } from '#domain/confirmation/record-kind.ts';
import { currencyKey } from '#domain/confirmation/currency-key.ts';
import { recordStates, type RecordStanding } from '#domain/confirmation/standing.ts';
import { groupBy } from '#domain/group-by.ts';
import { parseFactId, type BusinessId } from '#domain/ids.ts';
import { compareFactOrder } from '#domain/stamp.ts';
import type { FactRow, JournalRow, RecordRow, SayingRow } from '#storage/device-store.ts';
import type { Mark } from './book.ts';
import { daysLate, type LedgerDay } from './ledger-day.ts';
import { standingFactsOf } from './ledger-standing.ts';
import type { Settling, ThreadRecord } from './ledger-views.ts';
import { loweredByHash } from './lowered.ts';
import { effectsOf } from './record-effects.ts';
import { disputeOf, sentenceOf, troubleOf, type Said } from './record-sentence.ts';
import { allocationOf, dueMoves, type Card } from './tally.ts';

/** What is looked up by the facts of the records. */
export interface FactLooks {
	readonly business: BusinessId;
	readonly day: LedgerDay;
	readonly facts: ReadonlyMap<string, FactRow>;
	/** The journal's rows of this device's own facts. */
	readonly journal: ReadonlyMap<string, Pick<JournalRow, 'sent' | 'refused'>>;
}

/** Every record of one person's cards, as a page shows it, in no promised order. */
export function threadRecords(cards: readonly Card[], looks: FactLooks): readonly ThreadRecord[] {
	const settlings = settlingsOf(cards, looks.day);
	return cards.flatMap((card) => recordsOfCard(card, settlings, looks));
}

/** What the records of one card are looked at with. */
interface CardLooks extends FactLooks {
	readonly card: Card;
	readonly settlings: ReadonlyMap<RecordHash, Settling>;
	readonly states: ReadonlyMap<RecordHash, RecordStanding>;
	readonly sayings: ReadonlyMap<RecordHash, readonly SayingRow[]>;
	readonly listers: ReadonlyMap<RecordHash, readonly RecordRow[]>;
	readonly effects: ReadonlyMap<RecordHash, bigint>;
	readonly lowered: ReadonlyMap<RecordHash, number>;
	readonly twins: ReadonlyMap<string, readonly RecordRow[]>;
}

function recordsOfCard(
	card: Card,
	settlings: ReadonlyMap<RecordHash, Settling>,
	looks: FactLooks
): readonly ThreadRecord[] {
	const { business, day } = looks;
	const scope = { businessId: business, ledgerId: card.ledger };
	const of: CardLooks = {
		...looks,
		card,
		settlings,
		states: recordStates(scope, standingFactsOf(card, business), day.nowMs),
		sayings: groupBy(card.sayings.toSorted(bySayingOrder), ({ h }) => h),
		listers: listersOf(card.records),
		effects: effectsOf(card),
		lowered: loweredByHash(card.records),
		twins: groupBy(card.records, ({ record }) => record)
	};
	return card.records.flatMap((row): readonly ThreadRecord[] => {
		const standing = of.states.get(row.h);
		return standing === undefined ? [] : [threadRecord(row, standing, of)];
	});
}

function threadRecord(row: RecordRow, standing: RecordStanding, of: CardLooks): ThreadRecord {
	const said = saidOf(row, standing, of);
	const sentence = sentenceOf(row, said);
	const isWaiting = standing.state === 'waiting' && sentence.kind !== 'codeFits';
	return {
		...row,
		...writingOf(row, of),
		...optionalOf(row, said, of),
		isLate: row.isLate === true,
		reference: humanReference(row.h),
		effectMinor: of.effects.get(row.h) ?? 0n,
		sentence,
		dispute: disputeOf(of.sayings.get(row.h) ?? []),
		leftMinor: leftOf(row, of.lowered.get(row.h) ?? 0),
		standsMinor: Math.max(0, row.amount - (of.lowered.get(row.h) ?? 0)),
		isAskable: isWaiting && isDebit(row.kind) && isConnected(of.card),
		hasTwin: hasTwin(row, of),
		list: row.list ?? []
	};
}

function isConnected({ link }: Card): boolean {
	return link?.state === 'linked';
}

function hasTwin({ record }: RecordRow, { twins }: CardLooks): boolean {
	return (twins.get(record)?.length ?? 0) > 1;
}

function saidOf(
	row: RecordRow,
	standing: RecordStanding,
	{ card, sayings, listers, states, facts }: CardLooks
): Said {
	const lists = listers.get(row.h) ?? [];
	return {
		card,
		standing,
		sayings: [row, ...lists].flatMap(({ h }) => sayings.get(h) ?? []),
		isListedInEvidence: lists.some(({ h }) => states.get(h)?.state === 'evidence'),
		writtenAt: facts.get(row.factId)?.wall ?? row.at
	};
}

/** Who wrote it, where and when, and how far it came. */
function writingOf(
	row: RecordRow,
	{ facts, journal }: CardLooks
): Pick<ThreadRecord, 'mark' | 'by' | 'device' | 'writtenAt'> {
	const fact = facts.get(row.factId);
	return {
		mark: markOf(journal.get(row.factId)),
		by: fact?.by ?? 0,
		device: deviceOf(row),
		writtenAt: fact?.wall ?? row.at
	};
}

function optionalOf(
	{ h, factId }: RecordRow,
	said: Said,
	{ journal, settlings }: CardLooks
): Pick<ThreadRecord, 'refused' | 'trouble' | 'settling'> {
	const refused = journal.get(factId)?.refused;
	const trouble = troubleOf(said);
	const settling = settlings.get(h);
	return {
		...(refused !== undefined && { refused }),
		...(trouble !== undefined && { trouble }),
		...(settling !== undefined && { settling })
	};
}

export function markOf(own: Pick<JournalRow, 'sent'> | undefined): Mark {
	return own === undefined || own.sent === 1 ? 'sent' : 'saved';
}

function deviceOf({ factId }: RecordRow): string {
	const id = parseFactId(factId);
	return id.ok ? id.value.code : '';
}

function bySayingOrder(a: SayingRow, b: SayingRow): number {
	return compareFactOrder({ ...a, id: a.factId }, { ...b, id: b.factId });
}

/** The statements that list each record. */
function listersOf(records: readonly RecordRow[]): ReadonlyMap<RecordHash, readonly RecordRow[]> {
	const statements = records.filter(({ list }) => list !== undefined);
	const pairs = statements.flatMap((row) => (row.list ?? []).map((h) => ({ h, row })));
	return new Map([...groupBy(pairs, ({ h }) => h)].map(([h, of]) => [h, of.map(({ row }) => row)]));
}

/** What a person takes back with one tap; a sale's due goes back with its receipt. */
const UNDOABLE: ReadonlySet<RecordKind> = new Set([
	'due',
	'openingDebit',
	'fee',
	'advancePaidBack',
	'payment',
	'openingCredit',
	'credit',
	'forgiveness'
]);

function leftOf({ kind, receipt, amount }: RecordRow, lowered: number): number {
	return UNDOABLE.has(kind) && receipt === undefined ? Math.max(0, amount - lowered) : 0;
}

/** What was paid of each debit, over all cards of the person, and when it falls due. */
function settlingsOf(cards: readonly Card[], day: LedgerDay): ReadonlyMap<RecordHash, Settling> {
	const rows = cards.flatMap(({ records }) => records);
	const moves = dueMoves(cards.flatMap(({ entries }) => entries));
	const moneys = new Map(rows.map((row) => [currencyKey(row), row]));
	const accounts = [...moneys.values()].flatMap((money) => [...allocationOf(cards, money).dues]);
	const dueByHash = new Map(rows.map(({ h, dueAt }) => [h, moves.get(h) ?? dueAt]));
	return new Map(
		accounts.map(([h, account]): [RecordHash, Settling] => {
			const dueMs = dueByHash.get(h);
			const late = dueMs === undefined || account.restMinor === 0n ? 0 : daysLate(dueMs, day);
			return [
				h,
				{
					...account,
					...(dueMs !== undefined && { dueMs }),
					isOverdue: late > 0,
					daysLate: late
				}
			];
		})
	);
}
