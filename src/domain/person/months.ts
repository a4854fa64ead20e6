import type { MoneyForm, MonthSeries, RecordView } from './view.ts';

type Month = MonthSeries['months'][number];
type MonthRecord = Pick<RecordView, 'on' | 'side' | 'effectMinor'>;

/** A chart of more months than people look at would only be a blur. */
const MONTHS_MAX = 120;
const YEAR_MONTHS = 12;

/** Each month from the first record to the one of `today`: what was taken, paid, and then owed. */
export function monthSeries(
	money: MoneyForm,
	records: readonly MonthRecord[],
	today: string
): MonthSeries {
	const byMonth = new Map<string, { took: bigint; paid: bigint }>();
	for (const { on, side, effectMinor } of records) {
		const month = on.slice(0, 7);
		const sums = byMonth.get(month) ?? { took: 0n, paid: 0n };
		if (side === 'took') sums.took += effectMinor;
		if (side === 'paid') sums.paid -= effectMinor;
		byMonth.set(month, sums);
	}
	const months = [...byMonth.keys()].toSorted();
	const last = numberOf([...months, today.slice(0, 7)].toSorted().at(-1) ?? '');
	const first = Math.max(numberOf(months[0] ?? ''), last - MONTHS_MAX + 1);
	let balanceMinor = 0n;
	for (const [month, { took, paid }] of byMonth)
		if (numberOf(month) < first) balanceMinor += took - paid;
	return {
		...money,
		months: Array.from({ length: last - first + 1 }, (_, at): Month => {
			const month = nameOf(first + at);
			const { took, paid } = byMonth.get(month) ?? { took: 0n, paid: 0n };
			balanceMinor += took - paid;
			return { month, tookMinor: took, paidMinor: paid, balanceMinor };
		})
	};
}

/** Months since the year 0, of `2026-11`. */
function numberOf(month: string): number {
	return Number(month.slice(0, 4)) * YEAR_MONTHS + Number(month.slice(5, 7)) - 1;
}

function nameOf(number: number): string {
	const year = String(Math.floor(number / YEAR_MONTHS)).padStart(4, '0');
	return `${year}-${String((number % YEAR_MONTHS) + 1).padStart(2, '0')}`;
}
