import { DAY_TOTAL_NAMES, type DayTotals } from '#domain/fact/effects.ts';

export interface DayOfWeek {
	/** `'2026-11-20'`. */
	readonly on: string;
	readonly totals: DayTotals;
}

/** What the day put into the drawer, less what it took out; minor units. */
export function cashOf({ cashInMinor, cashOutMinor }: DayTotals): bigint {
	return cashInMinor - cashOutMinor;
}

/** Whether anything moved: a sale, a return, a due or a payment. */
export function isAnythingIn(totals: DayTotals): boolean {
	return DAY_TOTAL_NAMES.some((name) => totals[name] !== 0n);
}

/** A bar from the foot of a chart: both in parts of its height, exact for any size of sums. */
export function heightsOf(values: readonly bigint[], full: number): readonly number[] {
	const most = values.reduce((a, b) => (b > a ? b : a), 0n);
	if (most === 0n) return values.map(() => 0);
	const fine = 1_000n;
	return values.map((value) =>
		value <= 0n ? 0 : (Number((value * fine) / most) * full) / Number(fine)
	);
}
