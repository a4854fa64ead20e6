import { fillStoreForm, freshUsername, PASSWORD, signUpCustomer, signUpStore } from './people.ts';
import { button, expect, go, newPhone, say, test } from './stand.ts';

test('a customer signs up and sees a username, a QR code and no shop yet (A1)', async ({
	page
}) => {
	const username = await signUpCustomer(page);
	await page.getByRole('link', { name: say('me.addShop') }).click();
	await expect(page.getByText(username, { exact: true })).toBeVisible();
	await expect(page.getByRole('img', { name: say('me.code', { username }) })).toBeVisible();

	await go(page, '/me/account');
	await button(page, say('signout.do')).click();
	await page.waitForURL('**/');
	await page.goto('/signin');
	await page.getByLabel(say('signup.username')).fill(username);
	await page.getByLabel(say('signup.password')).fill('not it at all');
	await button(page, say('signin.do')).click();
	await expect(page.getByRole('alert')).toHaveText(say('api.signInRefused'));
	await expect(page.getByLabel(say('signup.username'))).toHaveValue(username);
	await page.getByLabel(say('signup.password')).fill(PASSWORD);
	await button(page, say('signin.do')).click();
	await expect(page.getByRole('heading', { name: say('me.noShop'), exact: true })).toBeVisible();
});

test('a username that is taken is refused in words, and the form stays as it was (A1)', async ({
	browser,
	page
}) => {
	const username = await signUpStore(page);
	const other = await newPhone(browser);
	await fillStoreForm(other, {
		username,
		shop: 'Juma Shop',
		name: 'Juma',
		contact: 'juma@example.org'
	});
	await button(other, say('signup.do.store')).click();
	await expect(other.getByText(say('api.usernameTaken'))).toBeVisible();
	await expect(other.getByLabel(say('settings.name'), { exact: true })).toHaveValue('Juma Shop');
	await expect(other.getByLabel(say('signup.name'), { exact: true })).toHaveValue('Juma');
	await expect(other.getByLabel(say('signup.contact'), { exact: true })).toHaveValue(
		'juma@example.org'
	);
	await expect(other.getByLabel(say('signup.password'), { exact: true })).toHaveValue(PASSWORD);

	await other.getByLabel(say('signup.username'), { exact: true }).fill(freshUsername());
	await button(other, say('signup.do.store')).click();
	await other.waitForURL('**/code');
	await other.getByRole('link', { name: say('prove.later') }).click();
	await other.getByRole('link', { name: say('plan.go') }).click();
	await other.waitForURL('**/shop/sell');
	await other.context().close();
});

test('what is wrong in the form is said at its field before the relay is asked (A1)', async ({
	page
}) => {
	await fillStoreForm(page, { username: 'a b', password: 'short' });
	await button(page, say('signup.do.store')).click();
	const username = page.getByLabel(say('signup.username'), { exact: true });
	await expect(username).toHaveAttribute('aria-invalid', 'true');
	await expect(page.getByText(say('api.usernameInvalid'))).toBeVisible();
	await username.fill(freshUsername());
	await button(page, say('signup.do.store')).click();
	await expect(page.getByText(say('api.passwordTooShort'))).toBeVisible();
	await expect(page).toHaveURL(/\/signup$/);
});
