import { businessDayOf, dayFromNumber, isZone } from '#domain/calendar.ts';
import { currencyKey, type CurrencyKey } from '#domain/confirmation/currency-key.ts';
import {
	addSums,
	foldLedger,
	type LedgerEvent,
	type LedgerSums
} from '#domain/confirmation/ledger-fold.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import {
	ledgerEvents,
	recordStates,
	type RecordStanding as Standing,
	type StandingFacts
} from '#domain/confirmation/standing.ts';
import type { CardFields } from '#domain/fact/ledger-fact.ts';
import { groupBy } from '#domain/group-by.ts';
import { standsSince } from './card-spans.ts';
import { codesViews } from './codes-view.ts';
import { shopSteps } from './dispute.ts';
import type { HeldRecord } from './held-fact.ts';
import { monthSeries } from './months.ts';
import { movesOf, type Moves } from './moves.ts';
import { recordView, type RecordContext } from './record-view.ts';
import { saidByHash, standingFacts, statementsAgreed } from './said.ts';
import { settlingsOf } from './settling.ts';
import { foldCard, moneyForm, ownMoney } from './shop-card.ts';
import { shopKeys, type ShopFacts } from './shop-facts.ts';
import {
	shopId,
	type MoneyForm,
	type MonthSeries,
	type PromiseView,
	type RecordView,
	type Settling,
	type ShopTotal,
	type ShopView
} from './view.ts';

/**
 * One shop as its customer sees it at `nowMs`: the numbers are those of the shop's own book, made by
 * the same folds. A record that the shop's keys did not sign counts nowhere.
 */
export function shopView(all: ShopFacts, nowMs: number): ShopView {
	const facts = { ...all, records: countedRecords(all.records) };
	const card = foldCard(facts.cards);
	const page = pageOf(facts, card, nowMs);
	const records = facts.records
		.map((held) => recordView(held, page.context))
		.toSorted((a, b) => b.at - a.at || (a.h < b.h ? 1 : -1));
	const toAnswer = records.filter(({ standing }) => standing.kind === 'toAnswer').toReversed();
	const linkedAt = card.at ?? facts.cards[0]?.fact.at.wall ?? 0;
	return {
		id: shopId(facts.key),
		key: facts.key,
		...cardWords(card),
		zone: page.zone,
		at: linkedAt,
		money: ownMoney(card),
		totals: totalsOf(page, records),
		records,
		toAnswer,
		promises: promisesOf(facts, card, records),
		codes: codesViews(facts, card, nowMs),
		months: monthsOf(records, page, nowMs),
		lastAt: records.reduce((last, { at }) => Math.max(last, at), linkedAt),
		forged: all.records.filter(({ check }) => check === 'wrong').length
	};
}

/** What the folds made of a shop's page. */
interface Page {
	readonly card: CardFields;
	readonly zone: string;
	readonly sums: ReadonlyMap<CurrencyKey, LedgerSums>;
	readonly context: RecordContext;
}

function pageOf(facts: ShopFacts, card: CardFields, nowMs: number): Page {
	const saidOf = saidByHash(facts);
	const said = standingFacts(facts, saidOf);
	const events = ledgerEvents(said);
	const scope = { businessId: facts.key.business, ledgerId: facts.key.ledger };
	const standings = recordStates(scope, said, nowMs);
	const moves = movesByCurrency(said, events);
	// A shop may name what is no zone, or one that this phone has not heard of.
	const zone = card.zone !== undefined && isZone(card.zone) ? card.zone : 'UTC';
	const isDisputed = (h: RecordHash): boolean => standings.get(h)?.isDisputed === true;
	return {
		card,
		zone,
		sums: foldLedger(scope, { records: said.records, events }),
		context: {
			facts,
			card,
			keys: shopKeys(facts.cards),
			saidOf,
			since: standsSince(facts.cards.map(({ fact }) => fact)),
			standings,
			statements: statementsAgreed(facts.records, saidOf),
			moves,
			settlings: settlingsByCurrency(facts.records, { facts, moves, isDisputed, zone, nowMs }),
			twins: twinsOf(standings),
			shopSteps: shopSteps(facts),
			nowMs
		}
	};
}

/** Each H once, whatever carried it; none that somebody else signed. */
function countedRecords(records: readonly HeldRecord[]): readonly HeldRecord[] {
	const distinct = new Map<RecordHash, HeldRecord>();
	for (const held of records) {
		if (held.check !== 'wrong' && !distinct.has(held.h)) distinct.set(held.h, held);
	}
	return [...distinct.values()];
}

function movesByCurrency({ records }: StandingFacts, events: readonly LedgerEvent[]): Moves {
	const all = [...groupBy([...records], currencyKey).values()].map((ofOne) =>
		movesOf(ofOne, events)
	);
	return {
		effectByHash: new Map(all.flatMap(({ effectByHash }) => [...effectByHash])),
		countedByHash: new Map(all.flatMap(({ countedByHash }) => [...countedByHash]))
	};
}

function settlingsByCurrency(
	records: readonly HeldRecord[],
	context: Parameters<typeof settlingsOf>[1]
): ReadonlyMap<RecordHash, Settling> {
	const groups = groupBy(records, ({ fact }) => currencyKey(fact.record.core));
	return new Map([...groups.values()].flatMap((ofOne) => settlingsOf(ofOne, context)));
}

function twinsOf(standings: ReadonlyMap<RecordHash, Standing>): ReadonlySet<RecordHash> {
	return new Set([...standings].flatMap(([h, { hasConflict }]) => (hasConflict ? [h] : [])));
}

function cardWords(
	card: CardFields
): Pick<ShopView, 'name' | 'phone' | 'address' | 'state' | 'way' | 'endedBy'> {
	const { shop = '', phone = '', address = '', state = 'linked', way = 'app' } = card;
	const isEnded = state === 'ended' && card.endedBy !== undefined;
	return {
		name: shop,
		phone,
		address,
		state,
		way,
		...(isEnded && { endedBy: card.endedBy })
	};
}

const ZERO = addSums([]);

/** The shop's own currency first, whether or not anything was written in it. */
function totalsOf({ sums, card }: Page, records: readonly RecordView[]): readonly ShopTotal[] {
	const own = ownMoney(card);
	const forms = new Map<CurrencyKey, MoneyForm>();
	if (card.currency !== undefined || sums.size === 0) forms.set(currencyKey(own), own);
	for (const { money } of records) forms.set(currencyKey(money), money);
	return [...forms].map(([key, form]) => {
		const ofOne = records.filter(({ money }) => currencyKey(money) === key);
		return { ...(sums.get(key) ?? ZERO), ...form, ...openOf(ofOne) };
	});
}

function openOf(
	records: readonly RecordView[]
): Pick<ShopTotal, 'waitingCount' | 'disputedCount' | 'nextDue' | 'overdueMinor'> {
	const open = records.flatMap(({ h, settling }) =>
		settling?.dueMs !== undefined && settling.restMinor > 0n
			? [{ h, dueMs: settling.dueMs, restMinor: settling.restMinor, settling }]
			: []
	);
	const next = open.toSorted((a, b) => a.dueMs - b.dueMs)[0];
	return {
		waitingCount: records.filter(({ standing }) => standing.kind === 'toAnswer').length,
		disputedCount: records.filter(({ canDrop }) => canDrop).length,
		...(next !== undefined && {
			nextDue: { h: next.h, dueMs: next.dueMs, restMinor: next.restMinor }
		}),
		overdueMinor: open.reduce(
			(sum, { settling, restMinor }) => sum + (settling.isOverdue ? restMinor : 0n),
			0n
		)
	};
}

/** As the shop counts them: the latest of a currency, until as much was paid since it was given. */
function promisesOf(
	{ told }: ShopFacts,
	card: CardFields,
	records: readonly RecordView[]
): readonly PromiseView[] {
	const latest = new Map<CurrencyKey, PromiseView>();
	for (const { at, row } of told) {
		if (row[0] !== 'promise') continue;
		const [, day, minor, currency, exponent] = row;
		const money = moneyForm({ currency, exponent }, card);
		latest.set(currencyKey(money), { at: at.wall, on: dayFromNumber(day), minor, money });
	}
	return [...latest].flatMap(([key, promise]) => {
		const paid = records.filter(
			({ kind, money, at }) => kind === 'payment' && currencyKey(money) === key && at >= promise.at
		);
		const paidMinor = paid.reduce((sum, { effectMinor }) => sum - effectMinor, 0n);
		return paidMinor >= BigInt(promise.minor) ? [] : [promise];
	});
}

function monthsOf(
	records: readonly RecordView[],
	{ zone }: Page,
	nowMs: number
): readonly MonthSeries[] {
	const today = businessDayOf(nowMs, zone, 0);
	const groups = groupBy(records, ({ money }) => currencyKey(money));
	return [...groups.values()].flatMap((ofOne) => {
		const money = ofOne[0]?.money;
		return money === undefined ? [] : [monthSeries(money, ofOne, today)];
	});
}
