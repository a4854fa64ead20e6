import { currencyKey } from '#domain/confirmation/currency-key.ts';
import type { LedgerId } from '#domain/ids.ts';
import { dayNumber } from '#domain/calendar.ts';
import type { StoreReader, TallyRow, TallySums } from '#storage/device-store.ts';
import { searchCustomers } from './customer-search.ts';
import { daysLate, type LedgerDay } from './ledger-day.ts';
import type {
	CustomerFilter,
	CustomerListAnswer,
	CustomerListRow,
	CustomerQuery,
	InCurrency
} from './ledger-views.ts';
import { readMeta } from './meta.ts';

/** The rows of the customer list in memory: the disk is asked only for what moved since. */
export interface CustomerIndex {
	/** Needs `meta` and `tallies`. */
	refresh(rows: StoreReader): Promise<void>;
	/** One row a person. */
	persons(): readonly TallyRow[];
	/** The row under which a card's person is listed. */
	personOf(ledger: LedgerId): TallyRow | undefined;
	answer(query: CustomerQuery, day: LedgerDay): CustomerListAnswer;
}

const REVISION_END = Number.MAX_SAFE_INTEGER;

export function createCustomerIndex(): CustomerIndex {
	const rowByLedger = new Map<LedgerId, TallyRow>();
	let revision = -1;
	let heads: readonly TallyRow[] | undefined;
	/** The rows of one day and currency, until anything moves. */
	let listed: { readonly key: string; readonly rows: readonly CustomerListRow[] } | undefined;

	function take(rows: readonly TallyRow[]): void {
		for (const row of rows) rowByLedger.set(row.ledger, row);
	}

	function persons(): readonly TallyRow[] {
		heads ??= [...rowByLedger.values()].filter(({ ledger, head }) => ledger === head);
		return heads;
	}

	function rowsOf(money: InCurrency, day: LedgerDay): readonly CustomerListRow[] {
		const key = `${currencyKey(money)} ${String(day.startMs)} ${day.settings.money.currency}`;
		if (listed?.key !== key)
			listed = { key, rows: persons().map((tally) => listRowOf(tally, money, day)) };
		return listed.rows;
	}

	return {
		refresh: async (rows) => {
			const latest = (await readMeta(rows, 'tallies')) ?? 0;
			if (latest === revision) return;
			const newer = { index: 'revision', from: revision + 1, to: REVISION_END };
			take(revision < 0 ? await rows.all('tallies') : await rows.find('tallies', newer));
			// A checkpoint may have taken rows away.
			if ((await rows.count('tallies')) !== rowByLedger.size) {
				rowByLedger.clear();
				take(await rows.all('tallies'));
			}
			revision = latest;
			heads = undefined;
			listed = undefined;
		},
		persons,
		personOf: (ledger) => {
			const row = rowByLedger.get(ledger);
			return row === undefined ? undefined : rowByLedger.get(row.head);
		},
		answer: (query, day) => {
			const money = moneyOf(query.currency, day);
			return answerOf(rowsOf(money, day), { query, money, day });
		}
	};
}

export function moneyOf(key: string | undefined, { settings }: LedgerDay): InCurrency {
	const { currency, exponent } = settings.money;
	const [code, digits] = (key ?? '').split('/');
	if (code === undefined || digits === undefined) return { currency, exponent };
	return { currency: code, exponent: Number(digits) };
}

/** What a person has in a currency; undefined where nothing was ever written in it. */
export function sumsIn({ sums }: TallyRow, money: InCurrency): TallySums | undefined {
	return sums.find(
		({ currency, exponent }) => currency === money.currency && exponent === money.exponent
	);
}

const NO_SUMS: Pick<TallySums, 'totalMinor' | 'notYetAgreedMinor' | 'disputedMinor' | 'open'> = {
	totalMinor: 0n,
	notYetAgreedMinor: 0n,
	disputedMinor: 0n,
	open: []
};

function listRowOf(tally: TallyRow, money: InCurrency, day: LedgerDay): CustomerListRow {
	const sums = sumsIn(tally, money);
	const { totalMinor, notYetAgreedMinor, disputedMinor, open } = sums ?? NO_SUMS;
	const due = open.find(([, , hasDue]) => hasDue === 1)?.[0];
	const limit = money.currency === day.settings.money.currency ? tally.limit : null;
	const row = {
		tally,
		totalMinor,
		notYetAgreedMinor,
		disputedMinor,
		...(due !== undefined && { oldestDueMs: due }),
		daysLate: due === undefined ? 0 : daysLate(due, day),
		isOverLimit: limit !== null && totalMinor + disputedMinor > BigInt(limit)
	};
	return { ...row, status: statusOf(row, sums, day) };
}

const DUE_SOON_MS = 3 * 86_400_000;

function statusOf(
	row: Omit<CustomerListRow, 'status'>,
	sums: TallySums | undefined,
	day: LedgerDay
): CustomerListRow['status'] {
	if (sums === undefined) return 'even';
	const promised = sums.promise?.[0];
	const isPromised = promised !== undefined && promised >= dayNumber(day.today);
	const isSoon = row.oldestDueMs !== undefined && row.oldestDueMs < day.endMs + DUE_SOON_MS;
	const ladder: readonly (readonly [boolean, CustomerListRow['status']])[] = [
		[sums.disputedCount > 0, 'disputed'],
		[isPromised, 'promised'],
		[row.daysLate > 0, 'overdue'],
		[sums.waitingCount > 0, 'waiting'],
		[isSoon, 'dueSoon'],
		[row.totalMinor > 0n, 'owes'],
		[row.totalMinor < 0n, 'ahead']
	];
	return ladder.find(([holds]) => holds)?.[1] ?? 'even';
}

interface Asked {
	readonly query: CustomerQuery;
	readonly money: InCurrency;
	readonly day: LedgerDay;
}

function answerOf(all: readonly CustomerListRow[], asked: Asked): CustomerListAnswer {
	const { query, money, day } = asked;
	const sieves = sievesOf(money, day);
	const inUse = all.filter(({ tally }) => tally.isActive);
	const counts = Object.fromEntries(
		FILTERS.map((filter) => [filter, count(filter === 'archived' ? all : inUse, sieves[filter])])
	) as Record<CustomerFilter, number>;
	const { filter } = query;
	const sifted =
		filter === undefined ? inUse : (filter === 'archived' ? all : inUse).filter(sieves[filter]);
	const owing = all.filter(({ totalMinor }) => totalMinor > 0n);
	return {
		...money,
		rows: searched(sifted, query.text ?? '').toSorted(ORDERS[query.sort ?? 'balance']),
		counts: { ...counts, all: inUse.length },
		owedMinor: owing.reduce((sum, { totalMinor }) => sum + totalMinor, 0n),
		advancesMinor: all.reduce(
			(sum, { totalMinor }) => (totalMinor < 0n ? sum - totalMinor : sum),
			0n
		)
	};
}

/** By name, nickname, digits of the phone, and username with or without its sign. */
function searched(rows: readonly CustomerListRow[], text: string): readonly CustomerListRow[] {
	const query = text.replace(/@/g, ' ');
	if (query.trim() === '') return rows;
	const found = new Set(
		searchCustomers(
			rows.map(({ tally }) => tally),
			query
		)
	);
	return rows.filter(({ tally }) => found.has(tally));
}

const FILTERS: readonly CustomerFilter[] = [
	'owes',
	'overdue',
	'waiting',
	'disputed',
	'promised',
	'overLimit',
	'quiet',
	'archived'
];
/** Who had something written, and nothing for so long, is quiet. */
const QUIET_MS = 30 * 86_400_000;

type Sieve = (row: CustomerListRow) => boolean;

function sievesOf(money: InCurrency, day: LedgerDay): Readonly<Record<CustomerFilter, Sieve>> {
	return {
		owes: ({ totalMinor }) => totalMinor > 0n,
		overdue: (row) => row.daysLate > 0,
		waiting: ({ tally }) => (sumsIn(tally, money)?.waitingCount ?? 0) > 0,
		disputed: ({ tally }) => (sumsIn(tally, money)?.disputedCount ?? 0) > 0,
		promised: ({ tally }) => sumsIn(tally, money)?.promise !== undefined,
		overLimit: ({ isOverLimit }) => isOverLimit,
		quiet: ({ tally }) => tally.lastAt > 0 && tally.lastAt < day.nowMs - QUIET_MS,
		archived: ({ tally }) => !tally.isActive
	};
}

function count(rows: readonly CustomerListRow[], sieve: Sieve): number {
	return rows.reduce((sum, row) => (sieve(row) ? sum + 1 : sum), 0);
}

type Order = (a: CustomerListRow, b: CustomerListRow) => number;

const byName: Order = ({ tally: a }, { tally: b }) =>
	compare(a.searchKey, b.searchKey) || compare(a.ledger, b.ledger);
const byLast: Order = (a, b) => b.tally.lastAt - a.tally.lastAt || byName(a, b);

const ORDERS: Readonly<Record<NonNullable<CustomerQuery['sort']>, Order>> = {
	name: byName,
	balance: (a, b) => compare(b.totalMinor, a.totalMinor) || byLast(a, b),
	oldestDue: (a, b) =>
		compare(a.oldestDueMs ?? Infinity, b.oldestDueMs ?? Infinity) || byLast(a, b),
	lastRecord: byLast
};

function compare<T extends string | number | bigint>(a: T, b: T): number {
	if (a === b) return 0;
	return a < b ? -1 : 1;
}
