import fc from 'fast-check';
import { expect, it } from 'vitest';
import { dammDigit, isDamm } from './damm.ts';

it('[CP-11] finds every wrong digit and every swap of neighbours in a spoken code', () => {
	fc.assert(
		fc.property(fc.stringMatching(/^\d{8}$/), fc.nat(8), fc.nat(9), (digits, at, digit) => {
			const spoken = digits + dammDigit(digits);
			expect(isDamm(spoken)).toBe(true);
			const wrong = spoken.slice(0, at) + String(digit) + spoken.slice(at + 1);
			expect(isDamm(wrong)).toBe(wrong === spoken);
			const pair = spoken.slice(at, at + 2);
			const swapped =
				spoken.slice(0, at) + Array.from(pair).reverse().join('') + spoken.slice(at + 2);
			expect(isDamm(swapped)).toBe(swapped === spoken);
		})
	);
});

it('[CP-11] is of digits only', () => {
	for (const bad of ['', '0', '12a', '١٢', ' 12']) expect(isDamm(bad)).toBe(false);
	expect(() => dammDigit('12a')).toThrow('of digits');
});
