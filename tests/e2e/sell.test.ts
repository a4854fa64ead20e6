import type { Page } from '@playwright/test';
import {
	bringProducts,
	openCustomer,
	sellForCash,
	sellToNewCustomer,
	writeRecord
} from './shop.ts';
import {
	amountTile,
	button,
	expect,
	go,
	openTill,
	readyOffline,
	say,
	tapPad,
	test,
	tile
} from './stand.ts';

test('sells a known product for exact cash in two taps (C1)', async ({ page }) => {
	await openTill(page);
	await bringProducts(page);
	await tile(page, 'Milk').click();
	await button(page, say('sell.exact')).click();
	await expectSold(page, 'done.noChange', '70');
});

test('sells to a regular on account in the products and two taps; the page of the regular says so (C1, E2)', async ({
	page
}) => {
	await openTill(page);
	await bringProducts(page);
	await sellToNewCustomer(page, 'Milk', 'Amina');
	await button(page, say('done.newSale')).click();

	await tile(page, 'Bread').click();
	await tile(page, 'Sugar 1 kg').click();
	await button(page, new RegExp(`^${say('sell.charge')}`)).click();
	await button(page, say('charge.give', { name: 'Amina', amount: '245' })).click();
	await expect(page.getByText(say('done.gave', { name: 'Amina' }))).toBeVisible();

	await openCustomer(page, 'Amina');
	await expect(page.locator('.balance')).toContainText('315');
	await writeRecord(page, 'got', '15');
	await expect(page.locator('.balance')).toContainText('300');
	await writeRecord(page, 'gave', '50');
	await expect(page.locator('.balance')).toContainText('350');
	await button(page, say('undo')).click();
	await expect(page.locator('.balance')).toContainText('300');
});

test('takes back a part of a receipt, then the rest, and never more (C7)', async ({ page }) => {
	await openTill(page);
	await bringProducts(page);
	await sellForCash(page, 'Milk', 3);
	await page.getByRole('link', { name: say('done.openReceipt') }).click();
	await page.getByRole('link', { name: say('receipt.takeBack') }).click();
	const more = button(page, say('return.more', { name: 'Milk' }));
	await more.click();
	await button(page, say('return.giveBack', { amount: '70' })).click();
	await expect(page.getByRole('heading', { name: 'A-000002' })).toBeVisible();

	await go(page, '/shop/receipts/A-000001/return');
	await more.click();
	await more.click();
	await expect(more).toBeDisabled();
	await button(page, say('return.damaged')).click();
	await button(page, say('return.giveBack', { amount: '140' })).click();
	await expect(page.getByRole('heading', { name: 'A-000003' })).toBeVisible();

	await go(page, '/shop/receipts/A-000001');
	await expect(page.getByText(say('receipt.returns'))).toBeVisible();
	await expect(page.getByRole('link', { name: say('receipt.takeBack') })).toBeHidden();
	await go(page, '/shop/receipts/A-000001/return');
	await expect(more).toBeDisabled();
	await go(page, '/shop/products');
	// Three sold, one back on the shelf, two damaged.
	await expect(page.getByRole('link', { name: /^Milk/ })).toContainText('18');
});

test.describe('on a desktop', () => {
	test.use({ viewport: { width: 1280, height: 800 } });

	test('sells from the keyboard alone: search, charge, exact, and a scanner (C1)', async ({
		page
	}) => {
		await openTill(page);
		await bringProducts(page);
		await page.keyboard.press('/');
		await expect(page.getByRole('searchbox')).toBeFocused();
		await page.keyboard.type('sug', { delay: 60 });
		await page.keyboard.press('Enter');
		await expect(page.getByRole('region', { name: say('sell.thisSale') })).toContainText(
			'Sugar 1 kg'
		);
		await page.keyboard.press('F2');
		await expectSold(page, 'done.noChange', '180');
		await page.keyboard.press('Enter');

		await expect(amountTile(page)).toBeVisible();
		await scan(page, '5901234123457');
		const slip = page.getByRole('region', { name: say('sell.thisSale') });
		await expect(slip).toContainText('Milk');
		await page.keyboard.press('Enter');
		await expect(page.getByRole('heading', { name: say('charge.title') })).toBeVisible();
		// What is scanned while money is taken is rung up, and none of its digits is a note.
		await scan(page, '5901234123457');
		await expect(page.locator('.to-pay')).toContainText('140');
		await scan(page, '11112222');
		await expect(page.getByText(say('sell.unknownCode', { code: '11112222' }))).toBeVisible();
		await page.keyboard.press('Enter');
		await expectSold(page, 'done.noChange', '140');
		await scan(page, '5901234123457');
		await expect(slip).toContainText('Milk');
		await page.keyboard.press('F2');
		await expectSold(page, 'done.noChange', '70');
	});
});

test('sells an amount alone in its digits and one tap (C1)', async ({ page }) => {
	await openTill(page);
	await amountTile(page).click();
	expect(await tapPad(page, '1500')).toBe(3);
	// Struck as often as a hand can before the next page is there.
	await button(page, say('sell.takeCash', { amount: '1,500' })).evaluate((take: HTMLElement) => {
		take.click();
		take.click();
		setTimeout(() => {
			take.click();
		});
	});
	await expectSold(page, 'done.noChange', '1,500');
	await button(page, say('done.newSale')).click();
	await expect(amountTile(page)).toBeVisible();
	await expect(button(page, new RegExp(`^${say('sell.charge')}`))).toBeHidden();
});

test('shows the change until the next sale (C8)', async ({ page }) => {
	await openTill(page);
	await ringUp(page, '1340');
	await button(page, new RegExp(`^${say('sell.charge')}`)).click();
	await button(page, `1,500 ${say('charge.giveBack')} 160`).click();
	await expectSold(page, 'done.giveBack', '160');
	await expect(page.getByText(say('done.of', { handed: '1,500', total: '1,340' }))).toBeVisible();

	await button(page, say('done.newSale')).click();
	await ringUp(page, '95');
	await button(page, new RegExp(`^${say('sell.charge')}`)).click();
	await button(page, say('charge.other')).click();
	await tapPad(page, '90');
	await expect(page.getByText(say('charge.missing', { amount: '5' }))).toBeVisible();
	await expect(button(page, say('sell.takeCash', { amount: '90' }))).toBeDisabled();
	await tapPad(page, '0');
	await button(page, say('sell.takeCash', { amount: '900' })).click();
	await expectSold(page, 'done.giveBack', '805');
});

test('keeps an open sale over a reload, and over a reload with no network (C6)', async ({
	context,
	page
}) => {
	await openTill(page);
	await ringUp(page, '70');
	await ringUp(page, '30');
	await expect(button(page, new RegExp(`^${say('sell.openSlip')}`))).toContainText('30');
	await readyOffline(page);
	await context.setOffline(true);
	await page.reload();
	await expect(button(page, new RegExp(`^${say('sell.openSlip')}`))).toContainText('70');
	await button(page, say('sell.exact')).click();
	await expectSold(page, 'done.noChange', '100');
});

/** A scanner types faster than a hand, and than a test from outside: its keys come from within. */
async function scan(page: Page, code: string): Promise<void> {
	await page.evaluate(
		(keys) => {
			for (const key of keys)
				document.body.dispatchEvent(
					new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true })
				);
		},
		[...code.matchAll(/./g)].map(([key]) => key).concat('Enter')
	);
}

/** An amount of its own onto the slip. */
async function ringUp(page: Page, digits: string): Promise<void> {
	await amountTile(page).click();
	await tapPad(page, digits);
	await page
		.getByRole('dialog')
		.getByRole('button', { name: new RegExp(`${say('sell.addToSale')}|^Add [\\d,]+ to the sale`) })
		.click();
	await expect(page.getByRole('dialog')).toBeHidden();
}

async function expectSold(
	page: Page,
	word: 'done.noChange' | 'done.giveBack',
	amount: string
): Promise<void> {
	const done = page.getByRole('status').filter({ hasText: say('done.sold') });
	await expect(done.getByText(say(word), { exact: true })).toBeVisible();
	await expect(done).toContainText(amount);
}
