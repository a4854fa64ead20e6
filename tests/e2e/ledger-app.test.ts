import type { Page } from '@playwright/test';
import {
	addCustomer,
	agreeTo,
	askLater,
	choice,
	expectMark,
	expectNotice,
	shopRow,
	test
} from './connected.ts';
import { signUpCustomer, signUpStore } from './people.ts';
import { writeRecord } from './shop.ts';
import { button, expect, go, openTill, readyOffline, say } from './stand.ts';

test('a shop and a customer find each other by username, both are told; a due is agreed to with both online, with the shop offline, with the customer offline (A1, F1, F2, H1)', async ({
	phone
}) => {
	const [shop, amina] = [await phone(), await phone()];
	await openTill(shop);
	const [store, customer] = await Promise.all([signUpStore(shop), signUpCustomer(amina)]);
	const aminasPage = await addCustomer(shop, 'Amina');

	await askByUsername(shop, aminasPage, customer);
	await go(amina, '/me/find');
	await button(amina, say('me.find.decline')).click();
	await expectNotice(shop, say('notice.declined', { name: 'Amina' }), '/shop/notices');
	await askShop(amina, store);
	await shop.getByRole('button', { name: say('notices.answer'), exact: true }).click();
	await shop
		.getByRole('dialog')
		.getByRole('button', { name: /^Amina|A Amina/ })
		.click();
	await expect(shop.getByText(say('notice.connected.app', { name: 'Amina' }))).toBeVisible();
	const connected = say('me.notice.accepted', { shop: 'Asha Stores' });
	await expectNotice(amina, connected, '/me/notices');
	await Promise.all([readyOffline(shop), readyOffline(amina)]);

	await go(shop, aminasPage);
	await writeRecord(shop, 'gave', '500');
	await askLater(shop);
	await agreeTo(amina, '500');
	await expectMark(shop, '500', ['mark.agreed']);

	await shop.context().setOffline(true);
	await writeRecord(shop, 'gave', '300');
	await askLater(shop);
	await expectMark(shop, '300', ['mark.saved']);
	await shop.context().setOffline(false);
	await go(amina, '/me');
	await expect(amina.getByRole('link', { name: /says you took 300/ })).toBeVisible();

	await amina.context().setOffline(true);
	await agreeTo(amina, '300');
	await writeRecord(shop, 'got', '100');
	await expect(shop.locator('.balance')).toContainText('700');
	// As one who answers and puts the phone away at once.
	await amina.reload();
	await go(amina, '/me');
	await shopRow(amina).click();
	await expectMark(amina, '300', ['me.mark.agreedHere']);
	await expectMark(shop, '300', ['mark.waiting']);
	await amina.context().setOffline(false);
	await expectMark(shop, '300', ['mark.agreed']);
	await expectMark(amina, '300', ['me.mark.agreed']);
	await expect(amina.locator('.balance')).toContainText('700');
	await expectNotice(shop, say('notice.agreed', { name: 'Amina', amount: '300' }), '/shop/notices');
});

async function askByUsername(shop: Page, aminasPage: string, username: string): Promise<void> {
	await go(shop, `${aminasPage}/link`);
	await choice(shop, say('link.way.search')).click();
	await shop.getByLabel(say('link.search.label'), { exact: true }).fill(username);
	await button(shop, say('link.search.do')).click();
	await button(shop, say('link.ask.do')).click();
	await expect(shop.getByText(say('link.asked.text'))).toBeVisible();
}

async function askShop(amina: Page, username: string): Promise<void> {
	await amina.getByLabel(say('me.find.search'), { exact: true }).fill(username);
	await button(amina, say('me.find.do')).click();
	await button(amina, say('me.find.ask')).click();
	await expect(amina.getByText(say('me.find.waits'))).toBeVisible();
}
