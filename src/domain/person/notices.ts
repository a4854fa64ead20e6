import { WRONG_SHEETS_MAX } from '#domain/confirmation/judge.ts';
import { isCredit, isDebit } from '#domain/confirmation/record-kind.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { BookedFact, JudgedFact } from '#domain/fact/ledger-fact.ts';
import { linkSpans } from '#domain/ledger/link-spans.ts';
import { wrongOfSheet } from './codes-view.ts';
import type { ShopFacts } from './shop-facts.ts';
import type { AskView, Notice, RecordRef, RecordView, ShopRef, ShopView } from './view.ts';

/** A notice before anybody knows whether it was read. */
export type News = Notice extends infer N ? (N extends Notice ? Omit<N, 'isRead'> : never) : never;

/** News with what tells whether it was read. */
export interface DatedNews {
	readonly news: News;
	/** A day of its own told it, not the relay: what was read of those is kept on the phone. */
	readonly isOfDay: boolean;
	/** What it asks for was done. */
	readonly isDone: boolean;
}

/** What a record's news is told with. */
interface Told {
	readonly ref: ShopRef;
	readonly recordByHash: ReadonlyMap<RecordHash, RecordView>;
	readonly factByHash: ReadonlyMap<RecordHash, BookedFact>;
	/** When the connection began that stands, or stood last, ms. */
	readonly linkedAt: number;
}

const HALF_DAY_MS = 43_200_000;
const DUE_SOON_MS = 3 * 86_400_000;
const CODES_FEW = 2;

/** What a person should know of one shop, in no promised order. */
export function shopNews(facts: ShopFacts, shop: ShopView, nowMs: number): readonly DatedNews[] {
	const ref: ShopRef = { id: shop.id, name: shop.name };
	const recordByHash = new Map(shop.records.map((record) => [record.h, record]));
	const factByHash = new Map(facts.records.map(({ h, fact }) => [h, fact]));
	const linkedAt = linkSpans(facts.cards.map(({ fact }) => fact)).at(-1)?.from ?? shop.at;
	const booked: Told = { ref, recordByHash, factByHash, linkedAt };
	const told: News[] = [
		...cardNews(facts, ref),
		...broughtNews(facts, shop, ref),
		...judgedNews(facts, booked),
		...codesNews(facts, shop, ref),
		...dueMoveNews(facts, ref, recordByHash),
		...insistNews(facts, ref, recordByHash)
	];
	return [
		...told.map((news) => ({ news, isOfDay: false, isDone: false })),
		...shop.records.flatMap((record) => bookedNews(record, booked)),
		...shop.records.flatMap((record) => dueNews(record, ref, nowMs))
	];
}

/** A request is news for the side that did not ask; its answer for the side that did. */
export function askNews(ask: AskView): News | undefined {
	const id = `ask:${ask.ask}:${ask.state}`;
	if (ask.by === 'shop')
		return ask.state === 'asked' ? { id, at: ask.at, kind: 'connectionAsked', ask } : undefined;
	return ask.state === 'asked' ? undefined : { id, at: ask.at, kind: 'connectionAnswered', ask };
}

function cardNews({ cards }: ShopFacts, shop: ShopRef): readonly News[] {
	return cards.flatMap(({ fact }): readonly News[] => {
		const { state, endedBy } = fact.fields;
		if (state === undefined) return [];
		const kind = state === 'linked' ? 'connected' : 'connectionEnded';
		const by = endedBy === undefined ? {} : { by: endedBy };
		return [{ id: fact.id, at: fact.at.wall, kind, shop, ...by }];
	});
}

/**
 * What came with the connection is told as one, while any of it waits for an answer; what was written before
 * it and comes later, from a device that had no network, tells it again.
 */
function broughtNews({ cards }: ShopFacts, shop: ShopView, ref: ShopRef): readonly News[] {
	const brought = shop.toAnswer.filter(({ at }) => at < shop.at);
	const count = brought.length;
	const card = cards.findLast(({ fact }) => fact.fields.state !== undefined)?.fact;
	if (card?.fields.state !== 'linked' || count === 0) return [];
	const at = brought.reduce((last, { arrivedAt }) => Math.max(last, arrivedAt), card.at.wall);
	return [{ id: `brought:${card.id}`, at, kind: 'broughtToAnswer', shop: ref, count }];
}

/** What was written before the connection is not told for itself. */
function bookedNews(record: RecordView, told: Told): readonly DatedNews[] {
	const fact = told.factByHash.get(record.h);
	if (fact === undefined) return [];
	const head = { id: fact.id, at: fact.at.wall, shop: told.ref };
	const answer = answerNews(fact, record, told);
	if (answer !== undefined) return answer;
	if (record.at < told.linkedAt) return [];
	const isDone = record.standing.kind !== 'toAnswer';
	if (isDebit(record.kind)) {
		const news: News = { ...head, kind: 'toAnswer', record: refOf(record) };
		return [{ news, isOfDay: false, isDone }];
	}
	if (!isCredit(record.kind)) return [];
	const news: News = { ...head, kind: 'paymentReceived', record: refOf(record) };
	return [{ news, isOfDay: false, isDone: false }];
}

/** What a record that answers a no tells; undefined where it answers none. */
function answerNews(
	fact: BookedFact,
	record: RecordView,
	{ ref, recordByHash }: Told
): readonly DatedNews[] | undefined {
	if (fact.more.answer === undefined) return undefined;
	const [h, way, note] = fact.more.answer;
	// A correction is a reversal and a new record: the new one asks, so it tells.
	if (way === 'correct' && record.kind === 'reversalOfDebit') return [];
	const contested = refOf(recordByHash.get(h) ?? record);
	const head = { id: fact.id, at: fact.at.wall, shop: ref };
	const news: News = { ...head, kind: 'disputeAnswered', record: contested, way, note };
	return [{ news, isOfDay: false, isDone: false }];
}

/** What was judged before the connection was told to whoever stood there then. */
function judgedNews(facts: ShopFacts, { ref, recordByHash, linkedAt }: Told): readonly News[] {
	return facts.judged.flatMap((fact) => {
		if (fact.verdict.at < linkedAt) return [];
		const record = recordByHash.get(fact.verdict.h);
		const of = record === undefined ? undefined : refOf(record);
		const news = verdictNews(fact, ref, { record: of, isLocked: hasLocked(fact, facts) });
		return news === undefined ? [] : [news];
	});
}

/** Whether this wrong code was the one too many of the set that was in force. */
function hasLocked(
	{ way, verdict: { result, at: to } }: JudgedFact,
	{ judged, codes }: Pick<ShopFacts, 'judged' | 'codes'>
): boolean {
	if (way !== 'sheet' || result !== 'wrong') return false;
	const issued = codes.map(({ fields }) => fields.issuedAt).filter((at) => at <= to);
	const from = issued.reduce((latest, at) => Math.max(latest, at), 0);
	return wrongOfSheet(judged, { from, to }) >= WRONG_SHEETS_MAX;
}

function verdictNews(
	{ id, at, verdict, wrong }: JudgedFact,
	shop: ShopRef,
	{ record, isLocked }: { readonly record: RecordRef | undefined; readonly isLocked: boolean }
): News | undefined {
	const head = { id, at: at.wall, shop, ...(record !== undefined && { record }) };
	const { result } = verdict;
	if (result === 'ok')
		return record === undefined ? undefined : { ...head, kind: 'confirmedByCode', record };
	// Those of a message are not among the ledger's.
	if (result === 'wrong')
		return { ...head, kind: 'wrongCode', wrong: Math.max(1, wrong), isLocked };
	return { ...head, kind: 'codeNotTaken', why: result };
}

/** Of the set as it is now; an old one that ran out was replaced. */
function codesNews({ codes }: ShopFacts, shop: ShopView, ref: ShopRef): readonly News[] {
	return shop.codes.flatMap(({ kind, money, open, isRevoked, issuedAt }): readonly News[] => {
		if (open.length >= CODES_FEW || isRevoked) return [];
		const fact = codes.findLast(
			({ fields }) =>
				fields.kind === kind &&
				fields.currency === money.currency &&
				fields.exponent === money.exponent
		);
		const at = fact?.at.wall ?? issuedAt;
		const id = fact?.id ?? shop.id;
		return [{ id, at, kind: 'codesRunningOut', shop: ref, left: open.length }];
	});
}

function dueMoveNews(
	{ told }: ShopFacts,
	shop: ShopRef,
	recordByHash: ReadonlyMap<RecordHash, RecordView>
): readonly News[] {
	return told.flatMap(({ id, at, row }): readonly News[] => {
		const record = row[0] === 'dueMove' ? recordByHash.get(row[1]) : undefined;
		if (record === undefined || row[0] !== 'dueMove') return [];
		return [{ id, at: at.wall, kind: 'dueMoved', shop, record: refOf(record), dueMs: row[2] }];
	});
}

function insistNews(
	{ told }: ShopFacts,
	shop: ShopRef,
	recordByHash: ReadonlyMap<RecordHash, RecordView>
): readonly News[] {
	return told.flatMap(({ id, at, row }): readonly News[] => {
		const contested = row[0] === 'insist' ? recordByHash.get(row[1]) : undefined;
		if (contested === undefined || row[0] !== 'insist') return [];
		const record = refOf(contested);
		const [, , note] = row;
		return [{ id, at: at.wall, kind: 'disputeAnswered', shop, record, way: 'insist', note }];
	});
}

/** A day comes by itself, so it tells once it is near, and once it is over. */
function dueNews(record: RecordView, shop: ShopRef, nowMs: number): readonly DatedNews[] {
	const { settling } = record;
	if (settling?.dueMs === undefined || settling.restMinor === 0n) return [];
	const { dueMs, isOverdue } = settling;
	const soonAt = dueMs - DUE_SOON_MS;
	if (!isOverdue && nowMs < soonAt) return [];
	// A due date is noon of its day at the shop: half a day later it is over.
	const at = isOverdue ? dueMs + HALF_DAY_MS : Math.max(soonAt, record.arrivedAt);
	const kind = isOverdue ? 'overdue' : 'dueSoon';
	const id = `${kind}:${record.h}:${String(dueMs)}`;
	return [{ news: { id, at, kind, shop, record: refOf(record) }, isOfDay: true, isDone: false }];
}

function refOf({ h, kind, amountMinor, money, at }: RecordView): RecordRef {
	return { h, kind, amountMinor, money, at };
}
