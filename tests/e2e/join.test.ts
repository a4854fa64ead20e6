import { allSent, joinBy, PASSWORD, signUpStore } from './people.ts';
import { inviteLink } from './shop.ts';
import { amountTile, button, expect, go, newPhone, openTill, say, tapPad, test } from './stand.ts';

test('a second phone joins by the link, once; a third is refused in words; the owner removes the second; nobody signs out with unsent sales (A3, A7)', async ({
	browser,
	page
}) => {
	await openTill(page);
	await signUpStore(page);
	const link = await inviteLink(page);
	// One more is not said to be copied before it is.
	expect(await inviteLink(page)).not.toBe(link);

	const second = await newPhone(browser);
	await openTill(second);
	await sellAmount(second, '40');
	await second.goto(link);
	await expect(second.getByText(say('join.here.trial', { unsent: 2 }))).toBeVisible();
	await joinBy(second, link);
	await go(second, '/shop/more/devices');
	await expect(second.getByText(say('devices.device', { code: 'B' }))).toBeVisible();
	await expect(second.getByText(say('devices.device', { code: 'A' }))).toBeVisible();

	const third = await newPhone(browser);
	await third.goto(link);
	await button(third, say('join.do')).click();
	await expect(third.getByRole('alert')).toContainText(say('api.inviteUsed'));
	await third.goto('/join#not-a-token-of-ours');
	await button(third, say('join.do')).click();
	await expect(third.getByRole('alert')).toContainText(say('api.inviteUnknown'));

	await go(page, '/shop/more/devices');
	await button(page, say('devices.remove.of', { code: 'B' })).click();
	await page.getByLabel(say('address.password')).fill('not the password');
	await button(page, say('devices.remove.do')).click();
	await expect(page.getByText(say('api.passwordWrong'))).toBeVisible();
	await page.getByLabel(say('address.password')).fill(PASSWORD);
	await button(page, say('devices.remove.do')).click();
	await expect(page.getByText(say('devices.removed'), { exact: true })).toBeVisible();
	await expect(button(page, say('devices.remove.of', { code: 'B' }))).toBeHidden();

	await page.context().setOffline(true);
	await sellAmount(page, '250');
	await go(page, '/shop/more/account');
	await button(page, say('signout.do')).click();
	await expect(page.getByRole('alert')).toContainText(
		say('signout.atRisk', { count: 1, amount: 'KES 250' })
	);
	await page.context().setOffline(false);
	await go(page, '/shop/sell');
	await allSent(page);
	await go(page, '/shop/more/account');
	await button(page, say('signout.do')).click();
	await page.waitForURL((url) => url.pathname === '/');
	await Promise.all([second.context().close(), third.context().close()]);
});

async function sellAmount(page: Parameters<typeof allSent>[0], digits: string): Promise<void> {
	await go(page, '/shop/sell');
	await amountTile(page).click();
	await tapPad(page, digits);
	await button(page, say('sell.takeCash', { amount: digits })).click();
	await expect(page.getByText(say('done.noChange'), { exact: true })).toBeVisible();
}
