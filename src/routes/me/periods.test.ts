import { describe, expect, it } from 'vitest';
import { daysOf } from './periods.ts';

describe('a statement’s days', () => {
	it('are this month so far, and the whole of the last one', () => {
		expect(daysOf('month', '2026-03-31', '2020-01-05')).toEqual({
			from: '2026-03-01',
			to: '2026-03-31'
		});
		expect(daysOf('last', '2026-03-31', '2020-01-05')).toEqual({
			from: '2026-02-01',
			to: '2026-02-28'
		});
	});

	it('go back over the turn of a year', () => {
		expect(daysOf('last', '2026-01-01', '2020-01-05').from).toBe('2025-12-01');
		expect(daysOf('quarter', '2026-01-31', '2020-01-05')).toEqual({
			from: '2025-11-01',
			to: '2026-01-31'
		});
	});

	it('of all begin with the first record, and never after today', () => {
		expect(daysOf('all', '2026-01-31', '2020-01-05').from).toBe('2020-01-05');
		expect(daysOf('all', '2026-01-31', '2026-02-02').from).toBe('2026-01-31');
	});
});
