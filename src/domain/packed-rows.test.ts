import { expect, it } from 'vitest';
import { packRows, unpackRows } from './packed-rows.ts';

it('[FEED-9] rows come back as they were, those of one form in their order', () => {
	const rows = [{ id: 'a', price: 1 }, { id: 'b' }, { id: 'c', price: null }];
	const packed = packRows(rows);
	expect(packed).toEqual([
		[
			['id', 'price'],
			['a', 'c'],
			[1, null]
		],
		[['id'], ['b']]
	]);
	expect(unpackRows(JSON.parse(JSON.stringify(packed)))).toEqual([rows[0], rows[2], rows[1]]);
	expect(unpackRows([])).toEqual([]);
});

it.each([
	[7],
	[[7]],
	[[['id'], 'a']],
	[[['id', 'price'], ['a']]],
	[[[1], ['a']]],
	[[['id', 'price'], ['a'], [1, 2]]]
])('[FEED-9] what is not packed is told: %j', (value: unknown) => {
	expect(unpackRows(value)).toBeUndefined();
});
