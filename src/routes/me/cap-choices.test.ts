import { describe, expect, it } from 'vitest';
import { capChoices } from './cap-choices.ts';

const took = (amountMinor: number) => ({ side: 'took' as const, amountMinor });

describe('the limits offered for codes', () => {
	it('begin just below what is usually taken, in round sums', () => {
		expect(capChoices([took(34_500), took(120_000)], 2)).toEqual([
			100_000, 200_000, 500_000, 1_000_000
		]);
	});

	it('are around a hundred where nothing was taken yet, in every kind of money', () => {
		expect(capChoices([], 0)).toEqual([50, 100, 200, 500]);
		expect(capChoices([], 3)).toEqual([50_000, 100_000, 200_000, 500_000]);
	});

	it('do not look at what was paid', () => {
		expect(capChoices([{ side: 'paid', amountMinor: 9_000_000 }], 2)).toEqual(capChoices([], 2));
	});

	it('stay within what a record may say', () => {
		expect(Math.max(...capChoices([took(10 ** 13)], 2))).toBeLessThanOrEqual(10 ** 13);
	});
});
