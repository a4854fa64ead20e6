import { addDays } from '#domain/calendar.ts';

export const PERIODS = ['month', 'last', 'quarter', 'all'] as const;
export type Period = (typeof PERIODS)[number];

/** Days, both inside: `2026-11-01`. */
export interface Days {
	readonly from: string;
	readonly to: string;
}

/** The days of a period that ends today, or of the month before; `first` is the first day of all. */
export function daysOf(period: Period, today: string, first: string): Days {
	const month = firstOfMonth(today);
	const before = firstOfMonth(addDays(month, -1));
	switch (period) {
		case 'month':
			return { from: month, to: today };
		case 'last':
			return { from: before, to: addDays(month, -1) };
		case 'quarter':
			return { from: firstOfMonth(addDays(before, -1)), to: today };
		case 'all':
			return { from: first < today ? first : today, to: today };
	}
}

function firstOfMonth(day: string): string {
	return `${day.slice(0, 8)}01`;
}
