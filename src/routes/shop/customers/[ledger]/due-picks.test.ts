import { describe, expect, it } from 'vitest';
import { duePicks } from './due-picks.ts';

describe('the days a due is put off to', () => {
	it('[PICK-1] are a week, two weeks and the end of the month', () => {
		expect(duePicks('2026-11-20', undefined)).toEqual([
			{ key: 'due.week', on: '2026-11-27' },
			{ key: 'due.weeks', on: '2026-12-04' },
			{ key: 'due.month', on: '2026-11-30' }
		]);
	});

	it.each([
		['2026-11-20', 25, '2026-11-25'],
		['2026-11-25', 25, '2026-12-25'],
		['2026-02-10', 31, '2026-02-28'],
		['2026-01-31', 31, '2026-02-28'],
		['2026-12-31', 1, '2027-01-01']
	])('[PICK-2] after %s payday the %i is %s', (today, payday, on) => {
		const picks = duePicks(today, payday);
		expect(picks.map((pick) => pick.on)).toContain(on);
		expect(new Set(picks.map((pick) => pick.on)).size).toBe(picks.length);
	});

	it('[PICK-1] on the last day of a month mean the end of the next', () => {
		expect(duePicks('2026-11-30', undefined).at(-1)).toEqual({
			key: 'due.month',
			on: '2026-12-31'
		});
	});
});
