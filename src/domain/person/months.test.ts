import { expect, it } from 'vitest';
import { monthSeries } from './months.ts';
import type { RecordView } from './view.ts';

const KES = { currency: 'KES', exponent: 2, shownDecimals: 2 } as const;

function record(on: string, effectMinor: bigint): Pick<RecordView, 'on' | 'side' | 'effectMinor'> {
	return { on, side: effectMinor < 0n ? 'paid' : 'took', effectMinor };
}

it('[PERSON-7] the months go from the first record to today, each with what was owed at its end', () => {
	const records = [record('2025-12-30', 500n), record('2026-02-01', -200n)];
	expect(monthSeries(KES, records, '2026-03-05')).toEqual({
		...KES,
		months: [
			{ month: '2025-12', tookMinor: 500n, paidMinor: 0n, balanceMinor: 500n },
			{ month: '2026-01', tookMinor: 0n, paidMinor: 0n, balanceMinor: 500n },
			{ month: '2026-02', tookMinor: 0n, paidMinor: 200n, balanceMinor: 300n },
			{ month: '2026-03', tookMinor: 0n, paidMinor: 0n, balanceMinor: 300n }
		]
	});
});

it('[PERSON-7] of centuries the last ten years are shown, with what was owed before them', () => {
	const records = [record('2026-11-20', 40n), record('0001-01-01', 7n), record('1999-07-02', -2n)];
	const { months } = monthSeries(KES, records, '2026-11-22');
	expect(months).toHaveLength(120);
	expect(months[0]).toEqual({ month: '2016-12', tookMinor: 0n, paidMinor: 0n, balanceMinor: 5n });
	expect(months.at(-1)).toMatchObject({ month: '2026-11', tookMinor: 40n, balanceMinor: 45n });
});
