import { describe, expect, it } from 'vitest';
import { dayAt, shortMonth } from './days.ts';

describe('a month in the margin', () => {
	it('is as it is called where that is one word', () => {
		expect([shortMonth('Nov', String), shortMonth('نيسان', String)]).toEqual(['Nov', 'نيسان']);
	});

	it('is a letter and a figure where there are two of a name', () => {
		const months = ['تشرين الأول', 'تشرين الثاني', 'كانون الأول', 'كانون الثاني'];
		expect(months.map((month) => shortMonth(month, String))).toEqual(['ت1', 'ت2', 'ك1', 'ك2']);
	});
});

describe('the day of an instant', () => {
	it('is the one on the shop’s wall', () => {
		const at = Date.UTC(2026, 10, 20, 22, 30);
		expect([dayAt(at, 'Africa/Nairobi'), dayAt(at, 'America/Lima')]).toEqual([
			'2026-11-21',
			'2026-11-20'
		]);
	});
});
