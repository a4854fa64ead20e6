import {
	addCustomer,
	choice,
	codeFits,
	connect,
	makeCodes,
	shopRow,
	tapCode,
	test
} from './connected.ts';
import { writeRecord } from './shop.ts';
import { button, expect, go, say } from './stand.ts';

const RECORDS = 30;

test('two cards of one person become one page and two again; a month of 30 lines is agreed to by one code (F4, E10)', async ({
	phone
}) => {
	const { shop, amina, aminasPage } = await connect(phone);
	const [code = ''] = await makeCodes(amina, '5000');
	await addCustomer(shop, 'Amina Wanjiru');
	await writeRecord(shop, 'gave', '800');
	await go(shop, `${aminasPage}/merge`);
	await shop
		.getByRole('button', { name: /Amina Wanjiru/ })
		.first()
		.click();
	await expect(shop.locator('.balance')).toContainText('800');
	await button(shop, say('undo')).click();
	await expect(shop.locator('.balance')).not.toContainText('800');

	await go(shop, '/shop/more/ledger');
	await button(shop, say('rules.ask.never')).click();
	await button(shop, say('rules.save')).click();
	await shop.waitForURL('**/shop/more');
	await go(shop, aminasPage);
	for (let line = 1; line <= RECORDS; line += 1) await writeRecord(shop, 'gave', '10');
	await expect(shop.locator('.balance')).toContainText('300');
	await expect(amina.getByText(say('me.waiting', { count: RECORDS })).first()).toBeVisible();

	await go(shop, '/shop/customers');
	await go(shop, aminasPage);
	await button(shop, say('customer.askNow')).click();
	await choice(shop, say('counter.paper')).click();
	await tapCode(shop, code);
	await codeFits(shop);
	await expect(shop.getByText(/not yet agreed/)).toBeHidden();
	await go(amina, '/me');
	await expect(shopRow(amina)).toContainText('300');
	await expect(shopRow(amina)).toContainText(say('me.allAgreed'));
	await go(amina, '/me/codes');
	await expect(amina.locator('.screen .code.used')).toHaveCount(1);
});
