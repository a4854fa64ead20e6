import type { Page } from '@playwright/test';
import { chooseFile } from './shop.ts';
import { button, expect, go, openTill, say, test } from './stand.ts';

const HEADINGS = 'Name,Price,Code,Category,Stock';

test('takes in a list of a thousand products, and the same list again changes nothing (L1)', async ({
	page
}) => {
	const rows = Array.from({ length: 1_000 }, (_, place) =>
		[`Product ${String(place)}`, 50 + place, 1_000_000 + place, 'Shelf', place % 40].join(',')
	);
	const list = Buffer.from([HEADINGS, ...rows].join('\r\n'));
	await openTill(page);
	await go(page, '/shop/products/import');
	await chooseFile(page, list);
	await button(page, say('import.do', { count: 1_000 })).click();
	await expect(
		page.getByText(say('import.done.count', { added: 1_000, updated: 0 }))
	).toBeVisible();

	await go(page, '/shop/products');
	await go(page, '/shop/products/import');
	await chooseFile(page, list);
	await expect(page.getByText(say('import.same', { count: 1_000 }))).toBeVisible();
	await expect(button(page, say('import.do', { count: 0 }))).toBeDisabled();
});

test('counts each row that it does not take, with its number and reason (L1)', async ({ page }) => {
	await openTill(page);
	await go(page, '/shop/products/import');
	const lines = [
		HEADINGS,
		'Milk,"1,234.50",1001,Dairy,5',
		'Laban,١٢٣٫٥,1002,Dairy,5',
		'Science,1e3,1003,Shelf,1',
		'Less,-4,1004,Shelf,1',
		'Huge,99999999999999999999,1005,Shelf,1',
		',12,1006,Shelf,1',
		'Odd,12,1007,Shelf,many'
	];
	await chooseFile(page, Buffer.from(lines.join('\n')));
	await expect(button(page, say('import.do', { count: 2 }))).toBeEnabled();
	const refused = page.getByRole('list').filter({ hasText: 'Science' }).getByRole('listitem');
	await expect(refused).toHaveCount(5);
	const price = say('import.field.price');
	const example = { example: '1,250.5' };
	const reasons: readonly (readonly [string, string])[] = [
		['4', say('import.why', { field: price, why: say('typed.exponent', example) })],
		['5', say('import.why', { field: price, why: say('typed.negative', example) })],
		['6', say('import.why', { field: price, why: say('typed.tooLarge', example) })],
		['7', say('import.why', { field: say('import.field.name'), why: say('import.why.empty') })],
		[
			'8',
			say('import.why', { field: say('import.field.stock'), why: say('typed.notANumber', example) })
		]
	];
	for (const [place, [row, reason]] of reasons.entries()) {
		await expect(refused.nth(place)).toContainText(row);
		await expect(refused.nth(place)).toContainText(reason);
	}

	await button(page, say('import.do', { count: 2 })).click();
	await expect(page.getByText(say('import.done.count', { added: 2, updated: 0 }))).toBeVisible();
	await go(page, '/shop/products');
	await expect(page.getByRole('link', { name: /^Milk/ })).toContainText('1,234.50');
	await expect(page.getByRole('link', { name: /^Laban/ })).toContainText('123.50');
	await expect(page.getByRole('link', { name: /^Science/ })).toBeHidden();
});

test('refuses a file that is no list, says why, and leaves the book as it was (L1)', async ({
	page
}) => {
	await openTill(page);
	await go(page, '/shop/products/import');
	await refuses(page, Buffer.alloc(0), say('import.empty'));
	await refuses(page, Buffer.from(' \n\n'), say('import.empty'));
	await refuses(page, Buffer.from(HEADINGS), say('import.headingsOnly'));
	// As a spreadsheet of Windows writes é.
	await refuses(page, Buffer.from('Name,Price\nCaf\xe9,12\n', 'latin1'), say('import.notUtf8'));
	await refuses(page, Buffer.from('PK\u0003\u0004rest of it', 'latin1'), say('import.spreadsheet'));
	await refuses(page, Buffer.from('Name,Price\n"Milk,12\n'), say('import.openQuote'));

	await page.evaluate(() => {
		// A file of 100 MB, as far as anybody asks.
		Object.defineProperty(File.prototype, 'size', { get: () => 100 * 1024 * 1024 });
	});
	await refuses(page, Buffer.from(`${HEADINGS}\nMilk,70,1,Dairy,1`), say('import.tooLarge'));
	await go(page, '/shop/products');
	await expect(page.getByText(say('products.none'), { exact: true })).toBeVisible();
});

test('asks for the columns where it cannot tell them, and refuses a list without prices (L1)', async ({
	page
}) => {
	await openTill(page);
	await go(page, '/shop/products/import');
	await chooseFile(page, Buffer.from('First,Second\nMilk,70\n'));
	await expect(page.getByText(/^First$|Second/).first()).toBeAttached();
	const judge = button(page, say('import.judge'));
	await expect(judge).toBeDisabled();
	const fields = `${say('import.field.name')}, ${say('import.field.price')}`;
	await expect(page.getByText(say('import.missing', { fields }))).toBeVisible();
	for (const [key, column] of [
		['import.field.name', 'First'],
		['import.field.price', 'Second']
	] as const) {
		await page
			.getByLabel(say('import.fieldNeeded', { field: say(key) }))
			.selectOption({ label: column });
	}
	await judge.click();
	await button(page, say('import.do', { count: 1 })).click();
	await expect(page.getByText(say('import.done.count', { added: 1, updated: 0 }))).toBeVisible();
});

async function refuses(page: Page, file: Buffer, sentence: string): Promise<void> {
	await chooseFile(page, file);
	await expect(page.getByText(sentence)).toBeVisible();
	await expect(page.getByText(say('import.untouched'))).toBeVisible();
}
