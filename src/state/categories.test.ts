import { expect, it } from 'vitest';
import { openTestDevice } from '#tests/support/test-device.ts';
import { sure } from '#tests/support/sure.ts';
import { categoriesIn } from './categories.ts';

it('[TILL-8] has no category without a name, as the form of a product writes that of none', async () => {
	const { device, book } = await openTestDevice({ seed: 51 });
	const drafts = ['', 'Spices', '', 'Tea', 'Spices'].map((category, at) => ({
		name: `Good ${String(at)}`,
		category
	}));
	sure(await device.addProducts([...drafts, { name: 'From a list' }]));
	const products = await book.allProducts();
	// The till's own chip is the one without a name: two of one name end the page.
	expect(products.map(({ category }) => category)).toContain('');
	expect(categoriesIn(products.map(({ category }) => category)).toSorted()).toEqual([
		'Spices',
		'Tea'
	]);
});
