import { expect, it } from 'vitest';
import { businessDayOf } from '#domain/calendar.ts';
import { ageing, ageOn } from './ageing.ts';
import { dueMsOf } from './due-date.ts';
import { mayBeTwice, TWICE_WITHIN_MS, type WrittenRecord } from './twice.ts';

it('[AGE-1] counts the days past the due date, from the day after it', () => {
	const ages = ['2026-11-30', '2026-12-01', '2026-12-30', '2026-12-31', '2027-01-29'];
	const later = ['2027-01-30', '2027-02-28', '2027-03-01', '2030-01-01'];
	expect([...ages, ...later].map((day) => ageOn('2026-11-30', day))).toEqual([
		...['notYetDue', 'upTo30', 'upTo30', 'upTo60', 'upTo60'],
		...['upTo90', 'upTo90', 'over90', 'over90']
	]);
});

it('[AGE-1] sums what is open by its age', () => {
	const dues = [
		{ dueDay: '2026-11-20', restMinor: 500n },
		{ dueDay: '2026-11-21', restMinor: 40n },
		{ dueDay: '2026-11-01', restMinor: 3n },
		{ dueDay: '2025-11-01', restMinor: 2n }
	];
	expect(ageing(dues, '2026-11-21')).toEqual({
		notYetDue: 40n,
		upTo30: 503n,
		upTo60: 0n,
		upTo90: 0n,
		over90: 2n
	});
});

it('[DUE-1] keeps a day as an instant that is that day at the shop', () => {
	for (const zone of [
		'Africa/Nairobi',
		'Pacific/Kiritimati',
		'Pacific/Pago_Pago',
		'UTC',
		'Asia/Kolkata'
	])
		for (const day of ['2026-03-29', '2026-11-21', '2028-02-29'])
			expect([zone, businessDayOf(dueMsOf(day, zone), zone, 0)]).toEqual([zone, day]);
});

it('[TWICE-1] asks about the same amount from another device within ten minutes', () => {
	const written: WrittenRecord = {
		kind: 'due',
		amount: 500,
		currency: 'KES',
		exponent: 2,
		occurredAt: 1_000_000,
		device: 'A'
	};
	const other = { ...written, device: 'B' };
	expect(mayBeTwice(written, { ...other, occurredAt: 1_000_000 - TWICE_WITHIN_MS })).toBe(true);
	expect(mayBeTwice(written, { ...other, occurredAt: 1_000_001 + TWICE_WITHIN_MS })).toBe(false);
	const others = [
		{ device: 'A' },
		{ kind: 'fee' },
		{ amount: 501 },
		{ currency: 'USD' },
		{ exponent: 0 }
	];
	for (const change of others)
		expect([change, mayBeTwice(written, { ...other, ...change } as WrittenRecord)]).toEqual([
			change,
			false
		]);
});
