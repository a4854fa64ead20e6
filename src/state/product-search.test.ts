import { expect, it } from 'vitest';
import { searchKey } from '#domain/text.ts';
import { searchProducts } from './product-search.ts';

const product = (
	name: string,
	codes: readonly string[] = [],
	active = true
): Parameters<typeof searchProducts>[0][number] & { readonly name: string } => ({
	name,
	codes,
	active,
	searchKey: searchKey(name)
});

const SHELF = [
	product('Brown bread', ['6161100200300']),
	product('Bread 400 g', ['6161100200400']),
	product('Shortbread'),
	product('Café crème', ['400']),
	product('خبز أسمر'),
	product('Old bread', ['6161100200999'], false)
];

it.each([
	['bread', ['Bread 400 g', 'Brown bread', 'Shortbread']],
	['brown br', ['Brown bread']],
	['BREAD brown', ['Brown bread']],
	['400', ['Café crème', 'Bread 400 g']],
	['200300', ['Brown bread']],
	['6161100200400', ['Bread 400 g']],
	['cafe', ['Café crème']],
	['خبز اسمر', ['خبز أسمر']],
	['٤٠٠', ['Café crème', 'Bread 400 g']],
	['  ', []],
	['zebra', []]
])('[TILL-2] finds by “%s” %o', (query, names) => {
	expect(searchProducts(SHELF, query, 10).map(({ name }) => name)).toEqual(names);
});

it('[TILL-2] searches 10,000 products in a fraction of the time a finger takes', () => {
	const shelf = Array.from({ length: 10_000 }, (_, n) =>
		product(`Product ${String(n)}`, [String(6e12 + n)])
	);
	expect(searchProducts(shelf, '9999', 5)[0]?.name).toBe('Product 9999');
	expect(searchProducts(shelf, 'product', 5)).toHaveLength(5);
});
