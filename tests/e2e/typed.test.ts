import { expect, go, openTill, say, test } from './stand.ts';

const EXAMPLE = { example: '1,250.5' };

test('reads an amount as a person types it, or says what is wrong with it (C2, N5)', async ({
	page
}) => {
	await openTill(page);
	await go(page, '/shop/products/new');
	const name = page.getByLabel(say('product.name'), { exact: true });
	const price = page.getByLabel(say('product.price', { currency: 'KES' }), { exact: true });
	const save = page.locator('.dock button.primary');
	await name.fill('Milk');
	for (const [typed, sentence] of [
		['1e3', say('typed.exponent', EXAMPLE)],
		['-1', say('typed.negative', EXAMPLE)],
		['-0', say('typed.negative', EXAMPLE)],
		['1.234,50', say('typed.ambiguous', EXAMPLE)],
		['99999999999999999999', say('typed.tooLarge', EXAMPLE)],
		['twelve', say('typed.notANumber', EXAMPLE)]
	] as const) {
		await price.fill(typed);
		await save.click();
		await expect(page.getByText(sentence)).toBeVisible();
		await expect(price).toHaveValue(typed);
	}
	for (const [product, typed, shown] of [
		['Milk', '1,234.50', '1,234.50'],
		['Laban', '١٢٣٫٥', '123.50'],
		['Water', '0', '0']
	] as const) {
		await go(page, '/shop/products/new');
		await name.fill(product);
		await price.fill(typed);
		await save.click();
		await expect(page.getByRole('link', { name: new RegExp(`^${product}`) })).toContainText(shown);
	}
});

test('cleans a name of what is no text, and refuses one of nothing else (N5)', async ({ page }) => {
	await openTill(page);
	await go(page, '/shop/products/new');
	const name = page.getByLabel(say('product.name'), { exact: true });
	const save = page.locator('.dock button.primary');
	await name.evaluate((input: HTMLInputElement) => {
		// Half of an emoji, and a NUL, as a broken keyboard or a paste brings them.
		input.value = 'Mi\u0000lk \ud83d';
		input.dispatchEvent(new Event('input', { bubbles: true }));
	});
	await save.click();
	const row = page.getByRole('link', { name: /^Milk/ });
	await expect(row).toBeVisible();
	const shown = (await row.textContent()) ?? '';
	expect(shown).not.toContain('\u0000');
	expect(shown.isWellFormed()).toBe(true);

	await go(page, '/shop/products/new');
	await name.evaluate((input: HTMLInputElement) => {
		input.value = '\u0000\ud83d';
		input.dispatchEvent(new Event('input', { bubbles: true }));
	});
	await save.click();
	await expect(name).toHaveAttribute('aria-invalid', 'true');
});
