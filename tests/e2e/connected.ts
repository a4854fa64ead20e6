import type { Browser, Locator, Page } from '@playwright/test';
import { signUpCustomer, signUpStore } from './people.ts';
import { button, expect, go, newPhone, openTill, say } from './stand.ts';

/** A shop and the customer it is connected with, each on a phone of their own. */
export interface Connected {
	readonly shop: Page;
	readonly amina: Page;
	/** The page of Amina in the shop. */
	readonly aminasPage: string;
}

/** A shop with a page for Amina, who signed up and took up its invite. */
export async function connect(browser: Browser): Promise<Connected> {
	const [shop, amina] = await Promise.all([newPhone(browser), newPhone(browser)]);
	const [link] = await Promise.all([openShopWithAmina(shop), signUpCustomer(amina)]);
	await takeUpInvite(amina, link);
	const aminasPage = new URL(shop.url()).pathname.replace('/link', '');
	await go(shop, aminasPage);
	await expect(shop.getByText(say('customer.linked'), { exact: true })).toBeVisible();
	return { shop, amina, aminasPage };
}

async function openShopWithAmina(shop: Page): Promise<string> {
	await openTill(shop);
	await signUpStore(shop);
	await addCustomer(shop, 'Amina');
	return customerInvite(shop);
}

/** Writes a new page in the book, and opens it. */
export async function addCustomer(shop: Page, name: string, phone = ''): Promise<void> {
	await go(shop, '/shop/customers');
	await button(shop, new RegExp(`^(${say('customers.add')}|${say('account.new')})$`))
		.first()
		.click();
	await shop.getByLabel(say('customer.name'), { exact: true }).fill(name);
	await shop.getByLabel(say('customer.phone'), { exact: true }).fill(phone);
	await button(shop, say('customer.write')).click();
	await expect(shop.getByRole('heading', { name, level: 1 })).toBeVisible();
	await shop.waitForURL(/\/shop\/customers\/[^/]+$/);
}

/** From the page of a customer: the link that connects them, as it is sent to them. */
export async function customerInvite(shop: Page): Promise<string> {
	await shop.context().grantPermissions(['clipboard-read', 'clipboard-write']);
	await go(shop, `${new URL(shop.url()).pathname}/link`);
	await choice(shop, 'link.way.invite').click();
	await button(shop, say('link.invite.send')).click();
	await expect(shop.getByText(say('devices.copied'))).toBeVisible();
	return shop.evaluate(() => navigator.clipboard.readText());
}

/** Somebody who signed up takes up the invite of a shop. */
export async function takeUpInvite(customer: Page, link: string): Promise<void> {
	await customer.goto(link);
	await button(customer, /^Connect with/).click();
	await customer.waitForURL('**/me');
	await expect(customer.locator('a[href^="/me/shop/"]')).toBeVisible();
}

/** A way among others, by its title. */
export function choice(page: Page, title: Parameters<typeof say>[0], name = ''): Locator {
	return page.locator('button.choice').filter({ hasText: say(title, { name }) });
}

/** What the lines of the shop's page say, the latest last. */
export function marks(page: Page): Locator {
	return page.locator('.thread a.entry .mark:not(.rest)');
}
