import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addToBook, createHaveBook, haveRanges, haveRangesFrom } from './have-book.ts';

describe('a have book', () => {
	it('[RELAY-17] joins neighbours, never over a multiple of 512, and tells the blocks asked for', () => {
		const book = createHaveBook([{ from: 1, to: 3, digest: 0xfn }]);
		addToBook(book, 5, 0x10n);
		addToBook(book, 4, 0x20n);
		addToBook(book, 511, 1n);
		addToBook(book, 512, 2n);
		expect(haveRanges(book)).toEqual([
			[1, 5, '000000000000003f'],
			[511, 511, '0000000000000001'],
			[512, 512, '0000000000000002']
		]);
		expect(haveRanges(book, [512])).toEqual([[512, 512, '0000000000000002']]);
		expect(haveRanges(book, [9_999])).toEqual([]);
		expect(haveRangesFrom(book, 511)).toEqual(haveRanges(book));
		expect(haveRangesFrom(book, 700)).toEqual([[512, 512, '0000000000000002']]);
		expect(haveRangesFrom(book, 1_024)).toEqual([]);
	});

	it('[RELAY-17] says the same whatever order facts come in, and however often', () => {
		const numbers = fc.array(fc.integer({ min: 1, max: 1_600 }), { maxLength: 200 });
		fc.assert(
			fc.property(numbers, (given) => {
				const sorted = Array.from(new Set(given)).sort((a, b) => a - b);
				const book = createHaveBook([]);
				for (const n of given) addToBook(book, n, BigInt(n) << 40n);
				const straight = createHaveBook([]);
				for (const n of sorted) addToBook(straight, n, BigInt(n) << 40n);
				expect(haveRanges(book)).toEqual(haveRanges(straight));
				const covered = haveRanges(book).flatMap(([from, to]) =>
					Array.from({ length: to - from + 1 }, (_, at) => from + at)
				);
				expect(covered).toEqual(sorted);
			})
		);
	});
});
