import type { Page } from '@playwright/test';
import { amountTile, button, expect, go, say, tapPad, tile } from './stand.ts';

/** A shop's shelf for tests: prices in whole shillings, opening stock in pieces. */
const SHELF = [
	'Name,Price,Code,Category,Stock',
	'Milk,70,5901234123457,Dairy,20',
	'Bread,65,4006381333931,Bakery,10',
	'Sugar 1 kg,180,96385074,Dry goods,12'
].join('\n');

/** Brings the products of a CSV file onto this phone, and comes back to the till. */
export async function bringProducts(page: Page, csv = SHELF): Promise<void> {
	await go(page, '/shop/products/import');
	await chooseFile(page, Buffer.from(csv));
	const count = csv.trim().split('\n').length - 1;
	await button(page, say('import.do', { count })).click();
	await expect(page.getByText(say('import.done'), { exact: true })).toBeVisible();
	await toTill(page);
}

/** Chooses a file for the import, as the system's own dialog would hand it in. */
export async function chooseFile(page: Page, buffer: Buffer, name = 'products.csv'): Promise<void> {
	const input = page.locator('input[type=file]');
	await expect(input).toBeEnabled();
	await input.setInputFiles({ name, mimeType: 'text/csv', buffer });
}

async function toTill(page: Page): Promise<void> {
	await go(page, '/shop/sell');
	await expect(amountTile(page)).toBeVisible();
}

/** Sells that many of a product for exact cash. */
export async function sellForCash(page: Page, name: string, times = 1): Promise<void> {
	await toTill(page);
	for (let tap = 0; tap < times; tap += 1) await tile(page, name).click();
	await button(page, say('sell.exact')).click();
	await expect(page.getByText(say('done.noChange'), { exact: true })).toBeVisible();
}

/** Sells one of a product on the account of somebody new. */
export async function sellToNewCustomer(page: Page, name: string, customer: string): Promise<void> {
	await toTill(page);
	await tile(page, name).click();
	await button(page, new RegExp(`^${say('sell.charge')}`)).click();
	await page.getByRole('link', { name: say('charge.choose') }).click();
	await button(page, say('account.new')).first().click();
	await page.getByLabel(say('customer.name'), { exact: true }).fill(customer);
	await button(page, say('customer.write')).click();
	await button(page, new RegExp(`^${say('charge.give', { name: customer, amount: '' })}`)).click();
	await expect(page.getByText(say('done.gave', { name: customer }))).toBeVisible();
}

/** Sells one of a product on the account of somebody known. */
export async function sellOnAccount(page: Page, name: string, customer: string): Promise<void> {
	await toTill(page);
	await tile(page, name).click();
	await button(page, new RegExp(`^${say('sell.charge')}`)).click();
	await button(page, new RegExp(`^${say('charge.give', { name: customer, amount: '' })}`)).click();
	await expect(page.getByText(say('done.gave', { name: customer }))).toBeVisible();
}

/** Opens a customer's page from the list. */
export async function openCustomer(page: Page, name: string): Promise<void> {
	await go(page, '/shop/customers');
	await page.getByRole('link', { name: new RegExp(`^${name}`) }).click();
	await expect(page.getByRole('heading', { name, level: 1 })).toBeVisible();
}

/** Writes what a customer took or paid, on the customer's page. */
export async function writeRecord(page: Page, way: 'gave' | 'got', digits: string): Promise<void> {
	await page
		.getByRole('link', { name: new RegExp(`^${say(way === 'gave' ? 'gave.gave' : 'gave.got')}`) })
		.click();
	await tapPad(page, digits);
	await page.locator(`.dock button.${way}`).click();
	await expect(page.getByRole('region', { name: say('customer.thread') })).toBeVisible();
}

/** What the owner's phone gives out for one more device. */
export async function inviteLink(page: Page): Promise<string> {
	await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
	await go(page, '/shop/more/devices');
	await button(page, say('devices.join')).click();
	await expect(page.getByRole('img', { name: say('devices.code') })).toBeVisible();
	await button(page, say('devices.send')).click();
	await expect(button(page, say('copied'))).toBeVisible();
	return page.evaluate(() => navigator.clipboard.readText());
}
