import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHaveBook } from './have-book.ts';

describe('a have book', () => {
	it('[RELAY-17] joins neighbours, never over a multiple of 512, and tells the blocks asked for', () => {
		const book = createHaveBook([{ from: 1, to: 3, digest: 0xfn }]);
		book.add(5, 0x10n);
		book.add(4, 0x20n);
		book.add(511, 1n);
		book.add(512, 2n);
		expect(book.ranges()).toEqual([
			[1, 5, '000000000000003f'],
			[511, 511, '0000000000000001'],
			[512, 512, '0000000000000002']
		]);
		expect(book.ranges([512])).toEqual([[512, 512, '0000000000000002']]);
		expect(book.ranges([9_999])).toEqual([]);
		expect(book.rangesFrom(511)).toEqual(book.ranges());
		expect(book.rangesFrom(700)).toEqual([[512, 512, '0000000000000002']]);
		expect(book.rangesFrom(1_024)).toEqual([]);
	});

	it('[RELAY-17] says the same whatever order facts come in, and however often', () => {
		const numbers = fc.array(fc.integer({ min: 1, max: 1_600 }), { maxLength: 200 });
		fc.assert(
			fc.property(numbers, (given) => {
				const sorted = Array.from(new Set(given)).sort((a, b) => a - b);
				const book = createHaveBook([]);
				for (const n of given) book.add(n, BigInt(n) << 40n);
				const straight = createHaveBook([]);
				for (const n of sorted) straight.add(n, BigInt(n) << 40n);
				expect(book.ranges()).toEqual(straight.ranges());
				const covered = book
					.ranges()
					.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, at) => from + at));
				expect(covered).toEqual(sorted);
			})
		);
	});
});
