/** The first and last day of a period, both inside. */
export interface Period {
	readonly from: string;
	readonly to: string;
}

export type PeriodName = 'month' | 'lastMonth' | 'quarter';

/** The days that a statement mostly is of, as seen from `today`. */
export function periodOf(name: PeriodName, today: string): Period {
	switch (name) {
		case 'month':
			return { from: firstOf(today, 0), to: today };
		case 'lastMonth':
			return { from: firstOf(today, -1), to: dayBefore(firstOf(today, 0)) };
		case 'quarter':
			return { from: firstOf(today, -2), to: today };
	}
}

function firstOf(day: string, months: number): string {
	const [year = 0, month = 1] = day.split('-').map(Number);
	return new Date(Date.UTC(year, month - 1 + months, 1)).toISOString().slice(0, 10);
}

function dayBefore(day: string): string {
	const before = new Date(`${day}T00:00:00Z`);
	before.setUTCDate(before.getUTCDate() - 1);
	return before.toISOString().slice(0, 10);
}
