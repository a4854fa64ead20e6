import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
	addDays,
	businessDayOf,
	dayFromNumber,
	dayNumber,
	isZone,
	parseDay,
	parseDayNumber,
	utcDayOf
} from './calendar.ts';
import { INSTANT_MAX_MS } from './confirmation/limits.ts';

const at = (iso: string) => Date.parse(iso);

describe('businessDayOf', () => {
	it.each([
		['2026-11-20T20:59:59.999Z', 'Asia/Baghdad', 0, '2026-11-20'],
		['2026-11-20T21:00:00Z', 'Asia/Baghdad', 0, '2026-11-21'],
		['2026-11-20T18:30:00Z', 'Asia/Kolkata', 0, '2026-11-21'],
		['2026-11-21T01:59:00Z', 'UTC', 120, '2026-11-20'],
		['2026-11-21T02:00:00Z', 'UTC', 120, '2026-11-21'],
		['2026-01-01T00:30:00Z', 'UTC', 60, '2025-12-31'],
		['2026-11-20T12:00:00Z', 'Pacific/Kiritimati', 0, '2026-11-21'],
		['2026-11-20T10:00:00Z', 'Pacific/Pago_Pago', 0, '2026-11-19']
	])('[DAY-1] books %s in %s with cut-off %i on %s', (...row) => {
		const [iso, zone, cutoffMinutes, day] = row;
		expect(businessDayOf(at(iso), zone, cutoffMinutes)).toBe(day);
	});

	it('[DAY-2] goes by the clock on the wall where clocks are changed', () => {
		// New York goes from 02:00 to 03:00 on 8 March, and from 02:00 back to 01:00 on 1 November.
		const day = (iso: string) => businessDayOf(at(iso), 'America/New_York', 180);
		expect(day('2026-03-08T06:59:00Z')).toBe('2026-03-07');
		expect(day('2026-03-08T07:00:00Z')).toBe('2026-03-08');
		expect(day('2026-11-01T07:59:00Z')).toBe('2026-10-31');
		expect(day('2026-11-01T08:00:00Z')).toBe('2026-11-01');
		// In Beirut midnight itself was skipped: the day begins at 01:00.
		expect(businessDayOf(at('2026-03-28T21:59:00Z'), 'Asia/Beirut', 0)).toBe('2026-03-28');
		expect(businessDayOf(at('2026-03-28T22:00:00Z'), 'Asia/Beirut', 0)).toBe('2026-03-29');
	});

	it('[DAY-6] is the last day behind the calendar, wherever the shop is', () => {
		const instants = [at('9999-12-31T12:00:00Z'), Date.UTC(12_000, 0, 1), INSTANT_MAX_MS];
		for (const zone of ['UTC', 'Asia/Baghdad', 'America/Lima'])
			expect(instants.map((ms) => businessDayOf(ms, zone, 60))).toEqual([
				'9999-12-31',
				'9999-12-31',
				'9999-12-31'
			]);
	});

	it('[DAY-6] is the first day before the calendar, wherever the shop is', () => {
		const instants = [
			Date.UTC(1_000, 0, 1),
			at('1899-12-30T00:00:00Z'),
			at('1900-01-01T12:00:00Z')
		];
		for (const zone of ['UTC', 'Asia/Baghdad', 'America/Lima'])
			expect(instants.map((ms) => businessDayOf(ms, zone, 60))).toEqual([
				'1900-01-01',
				'1900-01-01',
				'1900-01-01'
			]);
	});

	it('[DAY-1] has no cut-off outside the day', () => {
		for (const cutoff of [-1, 1_440, 0.5, NaN])
			expect(() => businessDayOf(0, 'UTC', cutoff)).toThrow('no cut-off');
	});
});

describe('days', () => {
	it('[DAY-3] agree with the clock of the machine from 1900 to 9999', () => {
		const instants = fc.integer({ min: at('1900-01-01'), max: at('9999-12-31T23:59:59Z') });
		fc.assert(
			fc.property(instants, (ms) => {
				const day = new Date(ms).toISOString().slice(0, 10);
				expect(utcDayOf(ms)).toBe(day.replaceAll('-', ''));
				expect(dayNumber(day)).toBe(Math.floor(ms / 86_400_000));
				expect(parseDay(day)).toEqual({ ok: true, value: day });
			})
		);
	});

	it('[DAY-3] are counted from 1970-01-01, one after the other', () => {
		expect(dayNumber('1970-01-01')).toBe(0);
		let expected = dayNumber('1999-01-01');
		for (let day = '1999-01-01'; day < '2005-01-01'; day = addDays(day, 1), expected += 1) {
			expect(dayNumber(day)).toBe(expected);
			expect(dayFromNumber(expected)).toBe(day);
		}
		expect(addDays('2024-02-28', 1)).toBe('2024-02-29');
		expect(addDays('2026-03-01', -1)).toBe('2026-02-28');
		expect(addDays('2000-02-29', 366)).toBe('2001-03-01');
	});

	it.each([
		'2026-02-29',
		'1900-02-29',
		'2026-00-10',
		'2026-13-01',
		'2026-04-31',
		'9999-12-32',
		'1899-12-31',
		'2026-1-1',
		'20261120',
		' 2026-11-20',
		''
	])('[DAY-4] refuses %j as a day', (text) => {
		expect(parseDay(text)).toEqual({ ok: false, error: 'notADay' });
	});

	it('[DAY-4] refuses a number outside the calendar', () => {
		expect(parseDayNumber(dayNumber('1900-01-01'))).toEqual({ ok: true, value: '1900-01-01' });
		expect(parseDayNumber(dayNumber('9999-12-31'))).toEqual({ ok: true, value: '9999-12-31' });
		for (const number of [-25_568, 2_932_897, 0.5, NaN, Infinity])
			expect(parseDayNumber(number)).toEqual({ ok: false, error: 'notADay' });
		expect(() => addDays('9999-12-31', 1)).toThrow('no day of the calendar');
	});
});

it('[DAY-5] knows the named zones only', () => {
	expect(['Asia/Baghdad', 'Europe/London', 'UTC'].map(isZone)).toEqual([true, true, true]);
	const wrong = ['', 'Mars/Olympus', '+03:00', 'Asia/', 'x'.repeat(65), 'Asia/Baghdad\u0000'];
	expect(wrong.map(isZone)).toEqual(wrong.map(() => false));
});
