import { expect, it } from 'vitest';
import { bytes, hex } from '#tests/support/confirmation-vectors.ts';
import { isLowS, toLowS } from './low-s.ts';

const r = '11'.repeat(32);
const half = '7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8';
const halfAndOne = half.replace(/8$/, '9');

it('[CP-9] tells the low twin at the half of the order, and gives it', () => {
	expect(isLowS(bytes(r + half))).toBe(true);
	expect(isLowS(bytes(r + halfAndOne))).toBe(false);
	expect(hex(toLowS(bytes(r + half)))).toBe(r + half);
	expect(hex(toLowS(bytes(r + halfAndOne)))).toBe(r + half);
	const last = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550';
	expect(hex(toLowS(bytes(r + last)))).toBe(r + '1'.padStart(64, '0'));
});

it('[CP-9] takes no other length', () => {
	expect(isLowS(bytes(r))).toBe(false);
	expect(isLowS(bytes(`${r}${half}00`))).toBe(false);
	expect(() => toLowS(bytes(r))).toThrow('64 bytes');
});
