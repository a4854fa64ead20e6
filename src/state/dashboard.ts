import { addDays, dayNumber } from '#domain/calendar.ts';
import { currencyKey } from '#domain/confirmation/currency-key.ts';
import type { RecordRow, StoreReader, TallyRow, TallySums } from '#storage/device-store.ts';
import { sumsIn, type CustomerIndex } from './customer-index.ts';
import { addAgeing, ageingOf, daysLate, overdueMinor, type LedgerDay } from './ledger-day.ts';
import type { CollectRow, DashboardView, InCurrency } from './ledger-views.ts';

const RECENT = 20;
const WEEK_DAYS = 7;
const DAY_MS = 86_400_000;

/** Needs `records`, `entries` and `ends`; the index is fresh. */
export async function readDashboard(
	rows: StoreReader,
	index: CustomerIndex,
	day: LedgerDay
): Promise<DashboardView> {
	const { currency, exponent } = day.settings.money;
	const money = { currency, exponent };
	const toCollect = collectRows(index.persons(), money, day);
	const recent = await rows.find('records', {
		index: 'at',
		from: 0,
		to: Number.MAX_SAFE_INTEGER,
		isReverse: true,
		limit: RECENT
	});
	const week = await collectedWeek(rows, money, day);
	return {
		...money,
		...totalsOf(index.persons(), money, day),
		toCollect,
		toCollectMinor: toCollect.reduce((sum, { minor }) => sum + minor, 0n),
		collectedWeek: week,
		collectedWeekMinor: week.reduce((sum, { minor }) => sum + minor, 0n),
		recent: recent.map((record) => ({
			record,
			name: index.personOf(record.ledger)?.name ?? ''
		})),
		slips: await countSlips(rows),
		others: othersOf(index.persons(), money)
	};
}

type Totals = Pick<
	DashboardView,
	| 'customers'
	| 'owedMinor'
	| 'owingCount'
	| 'advancesMinor'
	| 'notYetAgreedMinor'
	| 'waitingCount'
	| 'disputedMinor'
	| 'disputedCount'
	| 'overdueMinor'
	| 'overdueCount'
	| 'ageing'
>;

function totalsOf(persons: readonly TallyRow[], money: InCurrency, day: LedgerDay): Totals {
	const totals = {
		customers: persons.filter(({ isActive }) => isActive).length,
		owedMinor: 0n,
		owingCount: 0,
		advancesMinor: 0n,
		notYetAgreedMinor: 0n,
		waitingCount: 0,
		disputedMinor: 0n,
		disputedCount: 0,
		overdueMinor: 0n,
		overdueCount: 0,
		ageing: ageingOf([], day)
	};
	for (const tally of persons) {
		const sums = sumsIn(tally, money);
		if (sums === undefined) continue;
		const overdue = overdueMinor(sums.open, day);
		if (sums.totalMinor > 0n) {
			totals.owedMinor += sums.totalMinor;
			totals.owingCount += 1;
		} else totals.advancesMinor -= sums.totalMinor;
		// Whom nobody asks cannot be waited for.
		if (tally.link === 'app' || tally.link === 'phone')
			totals.notYetAgreedMinor += sums.notYetAgreedMinor;
		totals.waitingCount += sums.waitingCount;
		totals.disputedMinor += sums.disputedMinor;
		totals.disputedCount += sums.disputedCount;
		totals.overdueMinor += overdue;
		totals.overdueCount += overdue > 0n ? 1 : 0;
		totals.ageing = { ...addAgeing(totals.ageing, ageingOf(sums.open, day)) };
	}
	return totals;
}

/** Who is to be called today: a promise for today or before it, else what falls due or fell due. */
function collectRows(
	persons: readonly TallyRow[],
	money: InCurrency,
	day: LedgerDay
): readonly CollectRow[] {
	return persons
		.flatMap((tally): readonly CollectRow[] => {
			const sums = sumsIn(tally, money);
			const row = sums === undefined ? undefined : collectRow(tally, sums, day);
			return row === undefined ? [] : [row];
		})
		.toSorted(
			(a, b) =>
				RANK[a.why] - RANK[b.why] ||
				b.daysLate - a.daysLate ||
				(a.minor === b.minor ? 0 : a.minor > b.minor ? -1 : 1)
		);
}

const RANK = { promised: 0, due: 1, overdue: 2 };

function collectRow(tally: TallyRow, sums: TallySums, day: LedgerDay): CollectRow | undefined {
	const { promise, open, totalMinor } = sums;
	const today = dayNumber(day.today);
	// Whose promise is still to come is left alone.
	if (promise !== undefined && promise[0] > today) return undefined;
	if (promise !== undefined && totalMinor > 0n)
		return { tally, why: 'promised', minor: BigInt(promise[1]), daysLate: today - promise[0] };
	const pressing = open.filter(([dueMs, , hasDue]) => hasDue === 1 && dueMs < day.endMs);
	const [oldest] = pressing;
	if (oldest === undefined) return undefined;
	const late = daysLate(oldest[0], day);
	const minor = pressing.reduce((sum, [, rest]) => sum + rest, 0n);
	return { tally, why: late > 0 ? 'overdue' : 'due', minor, daysLate: late };
}

/** Payments of the last seven business days; what was taken back of them leaves its own day. */
async function collectedWeek(
	rows: StoreReader,
	money: InCurrency,
	day: LedgerDay
): Promise<DashboardView['collectedWeek']> {
	const days = Array.from({ length: WEEK_DAYS }, (_none, back) =>
		addDays(day.today, back - WEEK_DAYS + 1)
	);
	const from = day.startMs - (WEEK_DAYS + 1) * DAY_MS;
	const records = await rows.find('records', {
		index: 'at',
		from,
		to: Number.MAX_SAFE_INTEGER
	});
	const ofMoney = records.filter((row) => currencyKey(row) === currencyKey(money));
	const undone = await undonePayments(rows, ofMoney);
	return days.map((on) => {
		const ofDay = ofMoney.filter((row) => row.on === on);
		const got = ofDay.filter(({ kind }) => kind === 'payment');
		const back = ofDay.filter(({ ref }) => ref !== undefined && undone.has(ref));
		return { day: on, minor: sumOf(got) - sumOf(back) };
	});
}

/** The payments that reversals among `records` take back. */
async function undonePayments(
	rows: StoreReader,
	records: readonly RecordRow[]
): Promise<ReadonlySet<string>> {
	const refs = records.flatMap(({ kind, ref }) =>
		kind === 'reversalOfCredit' && ref !== undefined ? [ref] : []
	);
	const named = await rows.getMany('records', refs);
	return new Set(named.flatMap((row) => (row?.kind === 'payment' ? [row.h] : [])));
}

function sumOf(records: readonly RecordRow[]): bigint {
	return records.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
}

async function countSlips(rows: StoreReader): Promise<number> {
	const slips = await rows.findAny('entries', 'ledger', ['']);
	const ends = await rows.getMany(
		'ends',
		slips.map(({ id }) => id)
	);
	return slips.filter(({ row }, place) => row[0] === 'slip' && ends[place] === undefined).length;
}

function othersOf(persons: readonly TallyRow[], money: InCurrency): DashboardView['others'] {
	const owed = new Map<string, InCurrency & { readonly owedMinor: bigint }>();
	for (const { sums } of persons) {
		for (const { currency, exponent, totalMinor } of sums) {
			const key = currencyKey({ currency, exponent });
			if (key === currencyKey(money) || totalMinor <= 0n) continue;
			const before = owed.get(key)?.owedMinor ?? 0n;
			owed.set(key, { currency, exponent, owedMinor: before + totalMinor });
		}
	}
	return [...owed.values()].toSorted((a, b) => (a.currency < b.currency ? -1 : 1));
}
