import type { Page } from '@playwright/test';
import {
	agreeTo,
	askLater,
	choice,
	connect,
	entry,
	expectMark,
	expectNotice,
	sayNo,
	shopRow,
	test
} from './connected.ts';
import { bringProducts, openCustomer, sellToNewCustomer, writeRecord } from './shop.ts';
import { button, expect, go, say } from './stand.ts';
import type { MessageKey } from './words.ts';

const NAME = { name: 'Amina' };
const SHOP = { shop: 'Asha Stores' };

test('a no with its reason is insisted on and dropped, withdrawn, or corrected; both read every step; sale and stock stand (F2, F3)', async ({
	phone
}) => {
	const { shop, amina, aminasPage } = await connect(phone, async (till) => {
		await bringProducts(till);
		await sellToNewCustomer(till, 'Milk', 'Amina');
		await openCustomer(till, 'Amina');
		return new URL(till.url()).pathname;
	});
	await writeRecord(shop, 'gave', '500');
	await askLater(shop);
	await writeRecord(shop, 'gave', '300');
	await askLater(shop);

	await sayNo(amina, '500', { reason: 'me.no.alreadyPaid', note: 'On Monday' });
	await expect(entry(shop, '500').locator('.mark').first()).toHaveText(/says no/);
	await expectNotice(shop, say('notice.saysNo', { ...NAME, amount: '500' }), '/shop/notices');
	await shop
		.getByRole('link', { name: say('notices.answer'), exact: true })
		.first()
		.click();
	await answer(shop, 'insist', { note: 'Your son was here' });
	await expect(shop.getByText(say('answer.done.insist', NAME))).toBeVisible();
	await expectNotice(amina, say('me.notice.insist', { ...SHOP, amount: '500' }), '/me/notices');
	await openLine(amina, '500');
	await expect(amina.getByText('On Monday')).toBeVisible();
	await expect(amina.getByText('Your son was here')).toBeVisible();
	await button(amina, say('me.record.drop')).click();
	await expect(amina.getByText(say('me.step.drop'))).toBeVisible();
	await go(shop, aminasPage);
	await expectMark(shop, '500', ['mark.agreed']);
	await entry(shop, '500').click();
	for (const said of ['On Monday', 'Your son was here', say('record.h.dropped', NAME)])
		await expect(shop.locator('.history').getByText(said)).toBeVisible();

	await sayNo(amina, '300', { reason: 'me.no.wrongAmount', note: 'It was 200' });
	await go(shop, aminasPage);
	await shop.getByRole('link', { name: say('customer.answer'), exact: true }).click();
	await answer(shop, 'correct', { note: 'Sorry', amount: '200' });
	await expect(shop.getByText(say('answer.done.correct', NAME))).toBeVisible();
	await agreeTo(amina, '200');
	await go(shop, aminasPage);
	await expect(shop.locator('.balance')).toContainText('770');

	await sayNo(amina, '70', { reason: 'me.no.notMe', note: '' });
	await shop.getByRole('link', { name: say('customer.answer'), exact: true }).click();
	await answer(shop, 'withdraw', { note: '' });
	await expect(shop.getByText(say('answer.done.withdraw', { amount: '70' }))).toBeVisible();
	await go(shop, aminasPage);
	await expect(shop.locator('.balance')).toContainText('700');
	await openLine(amina, '70');
	await expect(amina.getByText(say('me.step.withdraw', SHOP))).toBeVisible();
	await go(amina, '/me');
	await expect(shopRow(amina)).toContainText('700');

	await go(shop, '/shop/receipts');
	await expect(shop.getByRole('link', { name: /A-000001/ })).toBeVisible();
	await go(shop, '/shop/products');
	await shop.getByRole('link', { name: /^Milk/ }).click();
	await expect(shop.getByText('19', { exact: true }).filter({ visible: true })).toBeVisible();
});

const WAYS = {
	insist: ['answer.insist', /^Stand by/],
	withdraw: ['answer.withdraw', /^Take back/],
	correct: ['answer.correct', /^Write .* instead$/]
} as const satisfies Record<string, readonly [MessageKey, RegExp]>;

/** In the sheet that asks the shop what it says to a no. */
async function answer(
	shop: Page,
	way: keyof typeof WAYS,
	{ note, amount }: { readonly note: string; readonly amount?: string }
): Promise<void> {
	const [title, verb] = WAYS[way];
	await choice(shop, say(title, NAME)).click();
	if (amount !== undefined) await shop.getByLabel(/^What is right/).fill(amount);
	await shop.getByLabel(say('answer.note', NAME), { exact: true }).fill(note);
	await button(shop, verb).click();
}

async function openLine(amina: Page, amount: string): Promise<void> {
	await go(amina, '/me');
	await shopRow(amina).click();
	await entry(amina, amount).first().click();
	await expect(amina.getByRole('heading', { name: say('me.record.history') })).toBeVisible();
}
