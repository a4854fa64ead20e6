import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
	compareFactIds,
	factId,
	nextDeviceCode,
	parseBusinessId,
	parseDeviceCode,
	parseFactId,
	parseProductId,
	productIdOf,
	receiptNumber,
	type DeviceCode,
	type FactId
} from './ids.ts';

const ids = fc
	.tuple(fc.constantFrom('A', 'B', 'Z', 'AA', '0.1', '0.2'), fc.integer({ min: 1, max: 2_000 }))
	.map(([code, n]) => factId(code, n));

describe('ids', () => {
	it('[ID-1] reads what a device and a relay write, and nothing that only looks like it', () => {
		expect(parseFactId('A-127')).toEqual({ ok: true, value: { id: 'A-127', code: 'A', n: 127 } });
		expect(parseFactId('0.3-9')).toEqual({ ok: true, value: { id: '0.3-9', code: '0.3', n: 9 } });
		for (const not of [
			'A-0',
			'A-01',
			'a-1',
			'AAAA-1',
			'A1',
			'A-',
			'0-1',
			'0.0-1',
			'A-1 ',
			'A-1e3',
			7
		])
			expect(parseFactId(not)).toEqual({ ok: false, error: 'notAnId' });
		expect(parseProductId('A-12.3').ok).toBe(true);
		for (const not of ['A-12.0', 'A-12.', '0.1-3', 'A-12.123456'])
			expect(parseProductId(not).ok).toBe(false);
		expect(parseDeviceCode('ABCD').ok).toBe(false);
		expect(parseBusinessId('0192f0c1-7a00-4000-8000-000000000001').ok).toBe(true);
		expect(parseBusinessId('0192F0C1-7A00-4000-8000-000000000001').ok).toBe(false);
		expect(parseBusinessId('0192f0c1-7a00-7000-8000-000000000001').ok).toBe(false);
	});

	it('[ID-2] gives every device the letters after the last, as a ledger numbers its columns', () => {
		const codes = ['A' as DeviceCode];
		for (let i = 1; i < 800; i++) codes.push(nextDeviceCode(codes[i - 1] ?? ('A' as DeviceCode)));
		expect([codes[25], codes[26], codes[27], codes[701], codes[702]]).toEqual([
			'Z',
			'AA',
			'AB',
			'ZZ',
			'AAA'
		]);
		expect(new Set(codes).size).toBe(800);
		expect(() => nextDeviceCode('ZZZ' as DeviceCode)).toThrow('every device code');
	});

	it('[ID-3] orders ids by code, then by number, the same whoever asks', () => {
		expect((['A-10', 'A-9', 'AA-1', 'B-1', '0.1-5'] as FactId[]).toSorted(compareFactIds)).toEqual([
			'0.1-5',
			'A-9',
			'A-10',
			'AA-1',
			'B-1'
		]);
		fc.assert(
			fc.property(fc.array(ids), (some) => {
				expect(some.toReversed().toSorted(compareFactIds)).toEqual(some.toSorted(compareFactIds));
			})
		);
	});

	it('[ID-4] names a product by the fact that made it', () => {
		expect(productIdOf(factId('A', 12), 0)).toBe('A-12');
		expect(productIdOf(factId('A', 12), 3)).toBe('A-12.3');
	});

	it('[ID-5] writes a receipt number with six digits at the least', () => {
		expect(receiptNumber('A', 123)).toBe('A-000123');
		expect(receiptNumber('AB', 1_234_567)).toBe('AB-1234567');
	});
});
