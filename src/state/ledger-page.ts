import { dayFromNumber, dayNumber } from '#domain/calendar.ts';
import { currencyKey } from '#domain/confirmation/currency-key.ts';
import { addSums } from '#domain/confirmation/ledger-fold.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { isDebit } from '#domain/confirmation/record-kind.ts';
import { groupBy } from '#domain/group-by.ts';
import type { BusinessId, LedgerId } from '#domain/ids.ts';
import {
	only,
	type BookEntryRow,
	type EndRow,
	type StoreReader,
	type TableName,
	type TallyRow
} from '#storage/device-store.ts';
import { UNKNOWN_REF } from './arrived-fact.ts';
import { journalOf } from './book.ts';
import { sumsIn } from './customer-index.ts';
import { CARD_TABLES, readCards, readGroups } from './fold-tallies.ts';
import { speaksOfOlder } from './ledger-base.ts';
import { ageingOf, overdueMinor, type LedgerDay } from './ledger-day.ts';
import { markOf, threadRecords, type FactLooks } from './ledger-thread.ts';
import type {
	EntryView,
	InCurrency,
	LedgerPageView,
	LimitState,
	PageTotal,
	ThreadEntry,
	ThreadItem,
	ThreadRecord
} from './ledger-views.ts';
import { linkViewOf, openSheets, sheetView } from './open-sheets.ts';
import { paidSince, type Card } from './tally.ts';

export const PAGE_TABLES: readonly TableName[] = [
	...CARD_TABLES,
	'meta',
	'settings',
	'facts',
	'journal',
	'sheets',
	'ends',
	'tallies'
];

export interface PageParts {
	readonly business: BusinessId;
	readonly day: LedgerDay;
}

/** One person's cards and everything on their page. */
export interface PageCards extends FactLooks {
	readonly tally: TallyRow;
	readonly cards: readonly Card[];
	readonly records: readonly ThreadRecord[];
}

export async function readPageCards(
	rows: StoreReader,
	ledger: LedgerId,
	{ business, day }: PageParts
): Promise<PageCards | undefined> {
	const groups = await readGroups(rows);
	const head = groups.headOf(ledger);
	const tally = await rows.get('tallies', head);
	const byLedger = await readCards(rows, groups.cardsOf(head), business);
	if (tally === undefined || byLedger.size === 0) return undefined;
	const cards = [...byLedger.values()];
	const ids = [...new Set(cards.flatMap(({ records }) => records.map(({ factId }) => factId)))];
	const found = await rows.getMany('facts', ids);
	const facts = new Map(found.flatMap((row) => (row === undefined ? [] : [[row.id, row]])));
	const entryIds = cards.flatMap(({ entries }) => entries.map(({ id }) => id));
	const journal = await journalOf(rows, [...ids, ...entryIds]);
	const looks = { business, day, facts, journal };
	return { ...looks, tally, cards, records: threadRecords(cards, looks) };
}

export async function readPage(
	rows: StoreReader,
	ledger: LedgerId,
	{ limit, ...parts }: PageParts & { readonly limit: number }
): Promise<LedgerPageView | undefined> {
	const page = await readPageCards(rows, ledger, parts);
	if (page === undefined) return undefined;
	const { tally, cards, day } = page;
	const entries = cards.flatMap((card) => card.entries);
	const ends = await rows.getMany(
		'ends',
		entries.map(({ id }) => id)
	);
	const endById = new Map(ends.flatMap((end) => (end === undefined ? [] : [[end.id, end]])));
	const sheets = await rows.findAny(
		'sheets',
		'ledger',
		cards.map((card) => card.ledger)
	);
	const items = itemsOf(page, entries, endById);
	const state = limitOf(tally, cards, day);
	return {
		tally,
		ledgers: tally.ledgers,
		totals: totalsOf(page, entries, endById),
		...(state !== undefined && { limit: state }),
		links: cards.flatMap(({ link }) =>
			link === undefined || link.history.length === 0 ? [] : [linkViewOf(link)]
		),
		sheets: cards.flatMap(({ ledger: of, sayings, link }) =>
			openSheets(
				{ sheets: sheets.filter((row) => row.ledger === of), sayings, link },
				day.nowMs
			).map(sheetView)
		),
		items: items.slice(0, limit),
		hasEarlier: items.length > limit,
		isWhole: cards.every(({ base }) => base === undefined),
		isTotalSure: cards.every((card) => card.base === undefined || !speaksOfOlder(card, card.base)),
		newer: await rows.countIn('facts', only('refs', UNKNOWN_REF))
	};
}

type Ends = ReadonlyMap<string, EndRow>;

function totalsOf(
	{ tally, cards, day, records }: PageCards,
	entries: readonly BookEntryRow[],
	ends: Ends
): readonly PageTotal[] {
	const { currency, exponent } = day.settings.money;
	const own = { currency, exponent };
	const others = tally.sums.filter((sums) => currencyKey(sums) !== currencyKey(own));
	return [own, ...others].map((money) => {
		const key = currencyKey(money);
		const sums = addSums(cards.flatMap(({ standing }) => standing.sums.get(key) ?? []));
		const row = sumsIn(tally, money);
		const open = row?.open ?? [];
		const ofMoney = records.filter((record) => currencyKey(record) === key);
		return {
			...sums,
			currency: money.currency,
			exponent: money.exponent,
			claimMinor: sums.total + sums.disputed,
			writtenOffMinor: row?.writtenOffMinor ?? 0n,
			overdueMinor: overdueMinor(open, day),
			waitingCount: ofMoney.filter(({ isAskable }) => isAskable).length,
			disputedCount: ofMoney.filter(
				({ sentence, kind }) => sentence.kind === 'saysNo' && isDebit(kind)
			).length,
			ageing: ageingOf(open, day),
			pendingMinor: pendingMinor(entries, ends, money)
		};
	});
}

function pendingMinor(entries: readonly BookEntryRow[], ends: Ends, money: InCurrency): bigint {
	return entries.reduce((sum, { id, row }) => {
		if (row[0] !== 'pending' || ends.has(id)) return sum;
		const isSame = row[2] === money.currency && row[3] === money.exponent;
		return isSame ? sum + BigInt(row[1]) : sum;
	}, 0n);
}

/** The limit is of the shop's own currency, and tested on what it claims, disputed or not. */
function limitOf(
	tally: TallyRow,
	cards: readonly Card[],
	{ settings, contactAt, nowMs }: LedgerDay
): LimitState | undefined {
	if (tally.limit === null) return undefined;
	const { currency, exponent } = settings.money;
	const key = currencyKey({ currency, exponent });
	const sums = addSums(cards.flatMap(({ standing }) => standing.sums.get(key) ?? []));
	const claimMinor = sums.total + sums.disputed;
	const leftMinor = BigInt(tally.limit) - claimMinor;
	return {
		currency,
		exponent,
		limitMinor: tally.limit,
		claimMinor,
		leftMinor,
		isOver: leftMinor < 0n,
		asOfMs: contactAt === 0 ? nowMs : contactAt
	};
}

/** Newest first: records with what corrected them folded under them, and lines of the book. */
function itemsOf(
	page: PageCards,
	entries: readonly BookEntryRow[],
	ends: Ends
): readonly ThreadItem[] {
	const rootOf = rootsOf(page);
	const groups = groupBy(page.records, (record) => rootOf(record));
	const records = page.records
		.filter((record) => rootOf(record) === record.h)
		.map((record): ThreadItem => {
			const corrections = (groups.get(record.h) ?? [])
				.filter(({ h }) => h !== record.h)
				.toSorted((a, b) => a.writtenAt - b.writtenAt || (a.h < b.h ? -1 : 1));
			return { kind: 'record', at: record.at, record, corrections };
		});
	const lines = entries.flatMap((entry) => entryItem(entry, page, ends));
	return [...records, ...lines].toSorted((a, b) => b.at - a.at || (keyOf(a) < keyOf(b) ? 1 : -1));
}

function keyOf(item: ThreadItem): string {
	return item.kind === 'record' ? item.record.h : item.entry.id;
}

const CHAIN_MAX = 50;

/** The record that a correction of a correction is of in the end. */
function rootsOf({ cards, records }: PageCards): (record: ThreadRecord) => RecordHash {
	const byHash = new Map(records.map((record) => [record.h, record]));
	const byReference = new Map(records.map((record) => [record.reference, record.h]));
	const answered = new Map(
		cards.flatMap(({ sayings }) =>
			sayings.flatMap(({ factId, saying }) =>
				saying.kind === 'shopAnswer' ? [[factId, saying.h] as const] : []
			)
		)
	);
	const parentOf = ({ h, ref, factId, kind, note }: ThreadRecord): RecordHash | undefined => {
		if (ref !== undefined) return ref;
		const disputed = answered.get(factId);
		if (disputed !== undefined && disputed !== h) return disputed;
		return kind === 'due' ? byReference.get((note ?? '').slice(0, REFERENCE_LENGTH)) : undefined;
	};
	return (record) => {
		let root = record;
		for (let step = 0; step < CHAIN_MAX; step += 1) {
			const parent = byHash.get(parentOf(root) ?? root.h);
			if (parent === undefined || parent.h === root.h || parent.h === record.h) break;
			root = parent;
		}
		return root.h;
	};
}

/** `K7Q2-M4XD`: the note of what raises a record begins with the record's. */
const REFERENCE_LENGTH = 9;

function entryItem(entry: BookEntryRow, page: PageCards, ends: Ends): readonly ThreadItem[] {
	const view = entryView(entry, page, ends.get(entry.id));
	const { id, ledger, wall, on, by } = entry;
	if (view === undefined || ledger === '') return [];
	const line: ThreadEntry = {
		id,
		ledger,
		at: wall,
		on,
		by,
		mark: markOf(page.journal.get(id)),
		entry: view
	};
	return [{ kind: 'entry', at: wall, entry: line }];
}

function entryView(
	{ row, wall }: BookEntryRow,
	{ cards, day }: PageCards,
	end: EndRow | undefined
): EntryView | undefined {
	switch (row[0]) {
		case 'promise': {
			const [kind, number, minor, currency, exponent] = row;
			const isKept = paidSince(cards, { currency, exponent }, wall) >= BigInt(minor);
			const isPast = number < dayNumber(day.today);
			const state = isKept ? 'kept' : isPast ? 'broken' : 'open';
			return { kind, day: dayFromNumber(number), minor, currency, exponent, state };
		}
		case 'dueMove':
			return { kind: row[0], h: row[1], dueMs: row[2], reason: row[3] };
		case 'writeOff': {
			const [kind, minor, currency, exponent, reason] = row;
			return { kind, minor, currency, exponent, reason };
		}
		case 'pending': {
			const [kind, minor, currency, exponent, tender, note] = row;
			const ended = end?.how === 'bounced' ? 'bounced' : 'completed';
			const state = end === undefined ? 'open' : ended;
			return { kind, minor, currency, exponent, tender, note, state };
		}
		default:
			return undefined;
	}
}
