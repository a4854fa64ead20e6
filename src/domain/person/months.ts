import { addDays } from '#domain/calendar.ts';
import type { MoneyForm, MonthSeries, RecordView } from './view.ts';

type Month = MonthSeries['months'][number];

/** A chart of more months than people look at would only be a blur. */
const MONTHS_MAX = 120;

/** Each month from the first record to the one of `today`: what was taken, paid, and then owed. */
export function monthSeries(
	money: MoneyForm,
	records: readonly RecordView[],
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
	const first = [...byMonth.keys()].reduce((least, month) => (month < least ? month : least), '~');
	const last = [...byMonth.keys(), today.slice(0, 7)].reduce((a, b) => (a > b ? a : b));
	const months: Month[] = [];
	let balanceMinor = 0n;
	for (let month = first; month <= last; month = nextMonth(month)) {
		const { took, paid } = byMonth.get(month) ?? { took: 0n, paid: 0n };
		balanceMinor += took - paid;
		months.push({ month, tookMinor: took, paidMinor: paid, balanceMinor });
	}
	return { ...money, months: months.slice(-MONTHS_MAX) };
}

function nextMonth(month: string): string {
	return addDays(`${month}-28`, 4).slice(0, 7);
}
