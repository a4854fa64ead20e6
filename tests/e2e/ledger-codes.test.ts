import {
	askLater,
	choice,
	codeFits,
	connect,
	entry,
	expectMark,
	expectNotice,
	makeCodes,
	misfits,
	openCodes,
	tapCode,
	test
} from './connected.ts';
import { businessOf, joinBy } from './people.ts';
import { inviteLink, openCustomer, writeRecord } from './shop.ts';
import { button, expect, go, readyOffline, say } from './stand.ts';

const NAME = { name: 'Amina' };

test('with both offline one of five codes fits, and is filed; three wrong ones stop the line, spend nothing, alarm nobody (F4, F5)', async ({
	phone,
	sql
}) => {
	const { shop, amina, aminasPage, username } = await connect(phone);
	const codes = await makeCodes(amina, '2000');
	const [first = ''] = codes;
	const business = await businessOf(sql, username);
	await go(shop, `${aminasPage}/link`);
	await expect(shop.getByText(/^5 left, each for up to/)).toBeVisible();
	const ledger = aminasPage.split('/').at(-1) ?? '';
	const wrong = await misfits(sql, { business, ledger, capMinor: 200_000 }, 3);
	await go(shop, aminasPage);
	await Promise.all([readyOffline(shop), readyOffline(amina)]);
	await Promise.all([shop.context().setOffline(true), amina.context().setOffline(true)]);

	await writeRecord(shop, 'gave', '500');
	await choice(shop, say('counter.paper')).click();
	await tapCode(shop, first);
	await codeFits(shop);
	await expectMark(shop, '500', ['mark.fits']);

	await writeRecord(shop, 'gave', '200');
	await choice(shop, say('counter.paper')).click();
	await tapCode(shop, wrong[0] ?? '');
	await expect(shop.getByText(say('code.doesNotFit', { ...NAME, left: 2 }))).toBeVisible();
	await tapCode(shop, wrong[1] ?? '');
	await expect(shop.getByText(say('code.doesNotFit', { ...NAME, left: 1 }))).toBeVisible();
	await tapCode(shop, wrong[2] ?? '');
	await expect(shop.getByText(say('code.recordLocked', NAME))).toBeVisible();
	await askLater(shop);

	await Promise.all([shop.context().setOffline(false), amina.context().setOffline(false)]);
	await expectMark(shop, '500', ['mark.agreed']);
	await expectMark(shop, '200', ['mark.waiting']);
	await go(amina, '/me/codes');
	await expect(amina.locator('.screen .code.used')).toHaveCount(1);
	await expect(openCodes(amina)).toHaveCount(5);
	const byCode = say('me.notice.confirmedByCode', { amount: '500', shop: 'Asha Stores' });
	await expectNotice(amina, byCode, '/me/notices');
	await expect(amina.getByText(/wrong code/i)).toBeHidden();
	await expectNotice(shop, say('notice.byCode', { ...NAME, amount: '500' }), '/shop/notices');
});

test('one code taken at two offline phones of the shop agrees to one line; the other waits again, and both sides are told (F5, E10)', async ({
	phone
}) => {
	const { shop, amina, aminasPage } = await connect(phone);
	const [code = ''] = await makeCodes(amina, '2000');
	const other = await phone();
	await joinBy(other, await inviteLink(shop));
	await openCustomer(other, 'Amina');
	await go(shop, aminasPage);
	for (const till of [shop, other]) {
		await go(till, `${aminasPage}/link`);
		await expect(till.getByText(/^5 left, each for up to/)).toBeVisible();
		await go(till, aminasPage);
	}
	await Promise.all([shop.context().setOffline(true), other.context().setOffline(true)]);
	for (const [till, amount] of [
		[shop, '110'],
		[other, '120']
	] as const) {
		await writeRecord(till, 'gave', amount);
		await choice(till, say('counter.paper')).click();
		await tapCode(till, code);
		await codeFits(till);
		await expectMark(till, amount, ['mark.fits']);
	}

	await shop.context().setOffline(false);
	await expectMark(shop, '110', ['mark.agreed']);
	await other.context().setOffline(false);
	for (const till of [other, shop]) {
		await expectMark(till, '110', ['mark.agreed']);
		await expectMark(till, '120', ['mark.waiting']);
		await expect(till.getByText(say('trouble.used'))).toBeVisible();
	}
	const told = say('me.notice.codeNotTaken.used', { shop: 'Asha Stores' });
	await expectNotice(amina, told, '/me/notices');
	for (const till of [other, shop])
		await expectNotice(till, say('notice.notTaken', { ...NAME, amount: '120' }), '/shop/notices');
	await go(amina, '/me/answer');
	await expect(amina.locator('article.slip')).toHaveCount(1);
	await button(amina, say('me.agree')).click();
	await go(other, aminasPage);
	await expect(entry(other, '120')).toBeVisible();
	await expectMark(other, '120', ['mark.agreed']);
	await expect(other.getByText(say('trouble.used'))).toBeHidden();
});
