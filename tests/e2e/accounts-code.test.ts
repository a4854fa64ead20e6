import { generateSync } from 'otplib';
import type { Page } from '@playwright/test';
import {
	codeSentTo,
	e164,
	emailOf,
	fillStoreForm,
	freshPhone,
	freshUsername,
	PASSWORD,
	signUpCustomer,
	signUpStore
} from './people.ts';
import { button, expect, go, newPhone, openTill, say, test } from './stand.ts';

async function typeCode(page: Page, code: string): Promise<void> {
	await page.getByLabel(say('prove.code'), { exact: true }).fill(code);
	await button(page, say('prove.do')).click();
}

async function signIn(page: Page, username: string, password: string): Promise<void> {
	await page.goto('/signin');
	await page.getByLabel(say('signup.username'), { exact: true }).fill(username);
	await page.getByLabel(say('signup.password'), { exact: true }).fill(password);
	await button(page, say('signin.do')).click();
}

/** A code that is right for no other reason than chance has it, once in a million. */
function wrong(code: string): string {
	return code.startsWith('0') ? `1${code.slice(1)}` : `0${code.slice(1)}`;
}

test('a shop sells before its code comes; the code in Arabic digits proves the address; wrong ones are told apart (A1)', async ({
	page
}) => {
	await openTill(page);
	const username = freshUsername();
	await fillStoreForm(page, { username });
	await button(page, say('signup.do.store')).click();
	await page.waitForURL('**/code');
	await expect(page.getByText(say('prove.practice'))).toBeVisible();
	await page.getByRole('link', { name: say('prove.later') }).click();
	await expect(page.getByRole('heading', { name: say('plan.open') })).toBeVisible();
	await page.getByRole('link', { name: say('plan.go') }).click();
	await page.waitForURL('**/shop/sell');

	await go(page, '/shop/more');
	await expect(page.getByText(say('prove.strip'))).toBeVisible();
	await button(page, say('prove.strip.do')).click();
	const code = await codeSentTo(page, emailOf(username));
	await typeCode(page, code.slice(1));
	await expect(page.getByText(say('prove.tooShort'))).toBeVisible();
	await typeCode(page, `${code}1`);
	await expect(page.getByText(say('prove.tooLong'))).toBeVisible();
	await typeCode(page, 'abcdef');
	await expect(page.getByText(say('prove.notDigits'))).toBeVisible();
	await typeCode(page, wrong(code));
	await expect(page.getByText(say('api.codeWrong'))).toBeVisible();
	const arabic = code.replace(/\d/g, (digit) => String.fromCharCode(0x0660 + Number(digit)));
	await typeCode(page, ` ${arabic.slice(0, 3)} ${arabic.slice(3)}`);
	await page.waitForURL('**/shop/plan');
	await go(page, '/shop/more');
	await expect(page.getByText(say('prove.strip'))).toBeHidden();
	await expect(page.getByRole('heading', { name: say('tab.more') })).toBeVisible();
});

test('after five wrong codes the code has ended, and another can be had (A1)', async ({ page }) => {
	const username = freshUsername();
	await fillStoreForm(page, { username });
	await button(page, say('signup.do.store')).click();
	await page.waitForURL('**/code');
	const code = await codeSentTo(page, emailOf(username));
	for (let left = 4; left >= 1; left -= 1) {
		await typeCode(page, wrong(code));
		await expect(page.getByText(say('api.codeWrong'))).toBeVisible();
	}
	await typeCode(page, wrong(code));
	await expect(page.getByText(say('api.codeSpent'))).toBeVisible();
	await typeCode(page, code);
	await expect(page.getByText(say('api.codeSpent'))).toBeVisible();
	await expect(page.getByRole('button', { name: /^Send again in/ })).toBeDisabled();
});

test('a forgotten password is set anew by a code; other devices are signed out; an unknown name is told the same (A2)', async ({
	browser,
	page
}) => {
	const phone = freshPhone();
	const username = await signUpCustomer(page, phone);
	const other = await newPhone(browser);
	await other.goto('/reset');
	await other.getByLabel(say('signup.username'), { exact: true }).fill(freshUsername());
	await button(other, say('reset.do')).click();
	await expect(other.getByText(say('reset.sent'))).toBeVisible();
	await other.getByLabel(say('prove.code'), { exact: true }).fill('123456');
	await other.getByLabel(say('reset.password'), { exact: true }).fill('a new password');
	await button(other, say('reset.set')).click();
	await expect(other.getByText(say('api.codeWrong'))).toBeVisible();

	const before = await codeSentTo(other, e164(phone));
	await other.goto('/reset');
	await other.getByLabel(say('signup.username'), { exact: true }).fill(username);
	await button(other, say('reset.do')).click();
	await expect.poll(() => codeSentTo(other, e164(phone))).not.toBe(before);
	const code = await codeSentTo(other, e164(phone));
	await other.getByLabel(say('prove.code'), { exact: true }).fill(code);
	await other.getByLabel(say('reset.password'), { exact: true }).fill('short');
	await button(other, say('reset.set')).click();
	await expect(other.getByText(say('api.passwordTooShort'))).toBeVisible();
	await other.getByLabel(say('reset.password'), { exact: true }).fill('a new password');
	await button(other, say('reset.set')).click();
	await expect(other.getByRole('heading', { name: say('reset.done') })).toBeVisible();

	expect((await page.request.get('/api/me')).status()).toBe(401);
	await signIn(other, username, PASSWORD);
	await expect(other.getByRole('alert')).toHaveText(say('api.signInRefused'));
	await signIn(other, username, 'a new password');
	await other.waitForURL('**/me');
	await other.context().close();
});

test('a second step: set up by its secret, asked at signing in, a recovery code works once (A2)', async ({
	browser,
	page
}) => {
	const username = await signUpCustomer(page);
	await go(page, '/me/account');
	await page.getByRole('link', { name: say('factor.title') }).click();
	await page.getByLabel(say('factor.password'), { exact: true }).fill('not it');
	await button(page, say('factor.begin')).click();
	await expect(page.getByText(say('api.passwordWrong'))).toBeVisible();
	await page.getByLabel(say('factor.password'), { exact: true }).fill(PASSWORD);
	await button(page, say('factor.begin')).click();
	await expect(page.getByRole('img', { name: say('factor.qr') })).toBeVisible();
	const secret = ((await page.locator('.secret').textContent()) ?? '').replaceAll(' ', '');
	const used = generateSync({ secret });
	await page.getByLabel(say('prove.code'), { exact: true }).fill(used);
	await button(page, say('factor.confirm')).click();
	await expect(page.getByRole('heading', { name: say('factor.codes') })).toBeVisible();
	const codes = await page.locator('.codes li').allTextContents();
	expect(codes).toHaveLength(10);
	await button(page, say('factor.codes.kept')).click();
	await expect(page.getByText(say('factor.left', { count: 10 }))).toBeVisible();

	const other = await newPhone(browser);
	await signIn(other, username, PASSWORD);
	const factor = other.getByLabel(say('signin.factor'), { exact: true });
	await factor.fill(used);
	await button(other, say('signin.do')).click();
	await expect(other.getByRole('alert')).toHaveText(say('api.factorWrong'));
	await factor.fill((codes[0] ?? '').toUpperCase());
	await button(other, say('signin.do')).click();
	await other.waitForURL('**/me');

	await go(page, '/me/account');
	await page.getByRole('link', { name: say('sessions.title') }).click();
	await expect(page.getByText(say('sessions.here'))).toBeVisible();
	await page.getByRole('button', { name: new RegExp(`^${say('sessions.end')}:`) }).click();
	await expect(page.getByText(say('sessions.none'))).toBeVisible();
	expect((await other.request.get('/api/me')).status()).toBe(401);
	await signIn(other, username, PASSWORD);
	await factor.fill(codes[0] ?? '');
	await button(other, say('signin.do')).click();
	await expect(other.getByRole('alert')).toHaveText(say('api.factorWrong'));
	await other.context().close();
});

test('another address takes the place of the first once its code came back (A2)', async ({
	page
}) => {
	const username = await signUpStore(page);
	const phone = freshPhone();
	await go(page, '/account/address');
	await expect(page.getByText(say('address.now', { to: emailOf(username) }))).toBeVisible();
	await page.getByLabel(say('address.new'), { exact: true }).fill(phone);
	await page.getByLabel(say('address.password'), { exact: true }).fill(PASSWORD);
	await button(page, say('address.do')).click();
	await page.waitForURL('**/code');
	await expect(page.getByText(say('prove.sent', { to: e164(phone) }))).toBeVisible();
	await typeCode(page, await codeSentTo(page, e164(phone)));
	await page.waitForURL('**/shop/plan');
	await go(page, '/account/address');
	await expect(page.getByText(say('address.now', { to: e164(phone) }))).toBeVisible();
});
