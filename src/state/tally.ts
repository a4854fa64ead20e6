import { dayNumber } from '#domain/calendar.ts';
import { currencyKey } from '#domain/confirmation/currency-key.ts';
import { addSums } from '#domain/confirmation/ledger-fold.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { isDebit } from '#domain/confirmation/record-kind.ts';
import type { LedgerId } from '#domain/ids.ts';
import { allocate, type Allocation, type AllocationRecord } from '#domain/ledger/allocation.ts';
import { compareStamps } from '#domain/stamp.ts';
import { searchKey } from '#domain/text.ts';
import type {
	BaseRow,
	BookEntryRow,
	CustomerRow,
	LinkRow,
	OpenRest,
	RecordRow,
	TallyRow,
	TallySums
} from '#storage/device-store.ts';
import type { LedgerRows, LedgerStanding } from './ledger-standing.ts';

/** One card of a person, with all that is kept of it. */
export interface Card extends LedgerRows {
	readonly customer: CustomerRow | undefined;
	readonly entries: readonly BookEntryRow[];
	readonly standing: LedgerStanding;
	/** What it came to at the relay, while some of its records are not here. */
	readonly base?: BaseRow;
}

type NewTally = Omit<TallyRow, 'revision'>;

/** The row of the list for one person, from every card; the first card is the head. */
export function tallyOf(cards: readonly [Card, ...Card[]]): NewTally {
	const [first] = cards;
	const links = cards.map(({ link }) => link);
	const named = cards.map(({ customer }) => customer).filter((row) => row !== undefined);
	const username = links.find((link) => link?.state === 'linked')?.username ?? '';
	const words = named.flatMap(({ name, nick, phone }) => [name, nick, phone]);
	return {
		ledger: first.ledger,
		head: first.ledger,
		ledgers: byUse(cards),
		name: firstOf(named, 'name') ?? '',
		nick: firstOf(named, 'nick') ?? '',
		phone: firstOf(named, 'phone') ?? '',
		username,
		searchKey: searchKey([...words, username].filter((word) => word !== undefined).join(' ')),
		isActive: named.length === 0 || named.some(({ active }) => active !== false),
		colour: firstOf(named, 'colour') ?? -1,
		limit: firstOf(named, 'limit') ?? null,
		link: linkOf(links),
		sums: tallySums(cards),
		lastAt: Math.max(0, ...cards.map(lastAtOf))
	};
}

/** When the latest record of a card happened, ms; 0 where there is none. */
export function lastAtOf({ records, base }: Card): number {
	const before = base?.sums.reduce((last, { lastAt }) => Math.max(last, lastAt), 0) ?? 0;
	return records.reduce((last, { at }) => Math.max(last, at), before);
}

/** The row of a card whose person is listed under another. */
export function pointerOf(ledger: LedgerId, head: NewTally): NewTally {
	return { ...head, ledger, ledgers: [], sums: [] };
}

function firstOf<K extends 'name' | 'nick' | 'phone' | 'colour' | 'limit'>(
	rows: readonly CustomerRow[],
	field: K
): CustomerRow[K] | undefined {
	return rows.map((row) => row[field]).find((value) => value !== undefined && value !== '');
}

/** New records go to the first: a connected card before others, one in use before an archived one. */
function byUse(cards: readonly Card[]): readonly LedgerId[] {
	const rank = ({ link, customer }: Card): number =>
		(link?.state === 'linked' ? 0 : 2) + (customer?.active === false ? 1 : 0);
	return cards.toSorted((a, b) => rank(a) - rank(b)).map(({ ledger }) => ledger);
}

function linkOf(links: readonly (LinkRow | undefined)[]): TallyRow['link'] {
	const linked = links.find((link) => link?.state === 'linked');
	if (linked !== undefined) return linked.way ?? 'app';
	return links.some((link) => link?.state === 'ended') ? 'ended' : 'none';
}

function tallySums(cards: readonly Card[]): readonly TallySums[] {
	const keys = new Map(
		cards.flatMap(({ records, base }) =>
			[...records, ...(base?.sums ?? [])].map(({ currency, exponent }) => [
				currencyKey({ currency, exponent }),
				{ currency, exponent }
			])
		)
	);
	return [...keys].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, of]) => sumsOf(cards, of));
}

interface Money {
	readonly currency: string;
	readonly exponent: number;
}

function sumsOf(cards: readonly Card[], money: Money): TallySums {
	const key = currencyKey(money);
	const sums = addSums(cards.flatMap(({ standing }) => standing.sums.get(key) ?? []));
	const debits = cards.flatMap((card) => liveDebits(card, money));
	const entries = cards.flatMap((card) => card.entries);
	const promise = openPromise(entries, cards, money);
	const writtenOff = sumOfRows(entries, money);
	const { total } = sums;
	return {
		...money,
		totalMinor: total,
		agreedMinor: sums.agreed,
		notYetAgreedMinor: sums.notYetAgreed,
		disputedMinor: sums.disputed,
		waitingCount: debits.filter(({ state }) => state === 'waiting').length,
		disputedCount: debits.filter(({ state }) => state === 'disputed').length,
		open: openRests(cards, money, entries),
		...(promise !== undefined && { promise }),
		// Still unpaid: what was paid since was recovered.
		writtenOffMinor: total <= 0n ? 0n : writtenOff < total ? writtenOff : total
	};
}

/** Debits that count, by what the customer made of them. */
function liveDebits(
	{ records, standing, link }: Card,
	money: Money
): readonly { readonly state: 'waiting' | 'disputed' | 'settled' }[] {
	return records
		.filter((row) => isOf(row, money) && isDebit(row.kind))
		.filter(({ h }) => (standing.counted.get(h) ?? 0n) > 0n)
		.map(({ h }) => {
			if (standing.disputed.has(h)) return { state: 'disputed' };
			const waits = link?.state === 'linked' && !standing.confirmed.has(h);
			return { state: waits ? 'waiting' : 'settled' };
		});
}

/** Lays the payments of all cards over the dues of all cards. */
export function allocationOf(cards: readonly Card[], money: Money): Allocation {
	return allocate(
		cards.flatMap(({ records, standing }) =>
			records
				.filter((row) => isOf(row, money))
				.map((row): AllocationRecord => ({
					h: row.h,
					recordId: row.record,
					kind: row.kind,
					on: row.on,
					counted: standing.counted.get(row.h) ?? 0n,
					isDisputed: standing.disputed.has(row.h),
					...(row.ref !== undefined && { ref: row.ref }),
					...(row.allocations !== undefined && { for: row.allocations })
				}))
		)
	);
}

/** When each due falls due as it stands: the latest move of it, or what it says itself. */
export function dueMoves(entries: readonly BookEntryRow[]): ReadonlyMap<RecordHash, number> {
	const moves = new Map<RecordHash, number>();
	for (const { row } of entries.toSorted(byFactOrder))
		if (row[0] === 'dueMove') moves.set(row[1], row[2]);
	return moves;
}

function openRests(
	cards: readonly Card[],
	money: Money,
	entries: readonly BookEntryRow[]
): readonly OpenRest[] {
	const { dues } = allocationOf(cards, money);
	const moves = dueMoves(entries);
	const rows = new Map(cards.flatMap(({ records }) => records.map((row) => [row.h, row])));
	const open = new Map<string, OpenRest>();
	for (const [h, { restMinor }] of dues) {
		const row = rows.get(h);
		if (row === undefined || restMinor === 0n) continue;
		const dueAt = moves.get(h) ?? row.dueAt;
		const at = dueAt ?? noonOf(row.on);
		const hasDue = dueAt === undefined ? 0 : 1;
		const key = `${String(at)} ${String(hasDue)}`;
		open.set(key, [at, (open.get(key)?.[1] ?? 0n) + restMinor, hasDue]);
	}
	return [...open.values()].sort(([a], [b]) => a - b);
}

function noonOf(day: string): number {
	return dayNumber(day) * 86_400_000 + 43_200_000;
}

/** The latest promise, unless as much was paid since it was given. */
function openPromise(
	entries: readonly BookEntryRow[],
	cards: readonly Card[],
	money: Money
): TallySums['promise'] {
	const last = entries
		.toSorted(byFactOrder)
		.findLast(({ row }) => row[0] === 'promise' && isOfRow(row[3], row[4], money));
	if (last?.row[0] !== 'promise') return undefined;
	const [, day, minor] = last.row;
	return paidSince(cards, money, last.wall) >= BigInt(minor) ? undefined : [day, minor];
}

/** Payments that count, written since then. */
export function paidSince(cards: readonly Card[], money: Money, sinceMs: number): bigint {
	return cards
		.flatMap(({ records, standing }) =>
			records
				.filter((row) => row.kind === 'payment' && isOf(row, money) && row.at >= sinceMs)
				.map(({ h }) => standing.counted.get(h) ?? 0n)
		)
		.reduce((sum, counted) => sum + counted, 0n);
}

function sumOfRows(entries: readonly BookEntryRow[], money: Money): bigint {
	return entries.reduce(
		(sum, { row }) =>
			row[0] === 'writeOff' && isOfRow(row[2], row[3], money) ? sum + BigInt(row[1]) : sum,
		0n
	);
}

function isOf(row: Pick<RecordRow, 'currency' | 'exponent'>, money: Money): boolean {
	return isOfRow(row.currency, row.exponent, money);
}

function isOfRow(currency: string, exponent: number, money: Money): boolean {
	return currency === money.currency && exponent === money.exponent;
}

function byFactOrder(a: BookEntryRow, b: BookEntryRow): number {
	return compareStamps(a, b) || (a.id < b.id ? -1 : 1);
}
