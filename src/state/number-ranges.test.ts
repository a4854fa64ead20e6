import { expect, it } from 'vitest';
import { isInRanges, joined, withNumbers } from './number-ranges.ts';

it('[DEVICE-46] says numbers in as few ranges as there are', () => {
	expect(withNumbers([[3, 5]], [9, 6, 1])).toEqual([
		[1, 1],
		[3, 6],
		[9, 9]
	]);
	expect(
		joined([
			[4, 9],
			[1, 3],
			[6, 7]
		])
	).toEqual([[1, 9]]);
	expect(isInRanges({ code: 'A', n: 3 }, { A: [[1, 3]] })).toBe(true);
	expect(isInRanges({ code: 'B', n: 3 }, { A: [[1, 3]] })).toBe(false);
	expect(isInRanges({ code: 'A', n: 3 }, undefined)).toBe(false);
});
