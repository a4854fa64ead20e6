import type { Locator, Page } from '@playwright/test';
import { codeInfo, sheetCheck } from '#domain/confirmation/codes.ts';
import type { BusinessId, LedgerId } from '#domain/ids.ts';
import { createWebCrypto } from '#state/web-crypto.ts';
import { signUpCustomer, signUpStore } from './people.ts';
import { button, expect, go, newPhone, openTill, say, test as base, type Sql } from './stand.ts';
import type { MessageKey } from './words.ts';

interface Given {
	/** One more phone, closed when the test ends; a page that fails on it fails the test. */
	readonly phone: () => Promise<Page>;
}

/** A test with as many phones as it has people. */
export const test = base.extend<Given>({
	phone: async ({ browser }, use) => {
		const phones: Page[] = [];
		const faults: string[] = [];
		await use(async () => {
			const page = await newPhone(browser);
			phones.push(page);
			page.on('pageerror', (fault) => faults.push(String(fault.stack)));
			page.on('response', (answer) => {
				if (answer.status() >= 500) faults.push(`${String(answer.status())} ${answer.url()}`);
			});
			return page;
		});
		await Promise.all(phones.map((page) => page.context().close()));
		expect(faults).toEqual([]);
	}
});

/** A shop and the customer it is connected with, each on a phone of their own. */
export interface Connected {
	readonly shop: Page;
	readonly amina: Page;
	/** The page of Amina in the shop. */
	readonly aminasPage: string;
	/** The shop's username. */
	readonly username: string;
}

/**
 * A shop with a page for Amina, who signed up and took up its invite. `write` makes the page while
 * the shop tries Daftar out, and answers where it is.
 */
export async function connect(
	phone: () => Promise<Page>,
	write: (shop: Page) => Promise<string> = (shop) => addCustomer(shop, 'Amina')
): Promise<Connected> {
	const [shop, amina] = [await phone(), await phone()];
	await openTill(shop);
	const aminasPage = await write(shop);
	const [username] = await Promise.all([signUpStore(shop), signUpCustomer(amina)]);
	await takeUpInvite(amina, await customerInvite(shop, aminasPage));
	await go(shop, aminasPage);
	await expect(shop.getByText(say('customer.linked'), { exact: true })).toBeVisible();
	return { shop, amina, aminasPage, username };
}

/** Writes a new page in the book, and opens it; answers where it is. */
export async function addCustomer(shop: Page, name: string, phone = ''): Promise<string> {
	await go(shop, '/shop/customers');
	await shop
		.getByRole('button', { name: say('customers.add') })
		.or(button(shop, say('account.new')))
		.first()
		.click();
	await shop.getByLabel(say('customer.name'), { exact: true }).fill(name);
	await shop.getByLabel(say('customer.phone'), { exact: true }).fill(phone);
	await button(shop, say('customer.write')).click();
	await shop.waitForURL(/\/shop\/customers\/[^/]+$/);
	await expect(shop.getByRole('heading', { name, level: 1 })).toBeVisible();
	return new URL(shop.url()).pathname;
}

/** The link that connects a customer with their page, as it is sent to them. */
export async function customerInvite(shop: Page, customersPage: string): Promise<string> {
	await shop.context().grantPermissions(['clipboard-read', 'clipboard-write']);
	await go(shop, `${customersPage}/link`);
	await choice(shop, say('link.way.invite')).click();
	await button(shop, say('link.invite.send')).click();
	await expect(shop.getByText(say('copied'))).toBeVisible();
	return shop.evaluate(() => navigator.clipboard.readText());
}

/** Somebody who signed up takes up the invite of a shop. */
async function takeUpInvite(customer: Page, link: string): Promise<void> {
	await customer.goto(link);
	await button(customer, /^Connect with/).click();
	await customer.waitForURL('**/me');
	await expect(shopRow(customer)).toBeVisible();
}

/** The one shop of a customer, in the list. */
export function shopRow(customer: Page): Locator {
	return customer.locator('a[href^="/me/shop/"]');
}

/** A way among others, by its title. */
export function choice(page: Page, title: string): Locator {
	return page.locator('button.choice').filter({ hasText: title });
}

/** The line of a page, the shop's or the customer's, by its amount. */
export function entry(page: Page, amount: string): Locator {
	return page.locator('.thread a.entry').filter({
		has: page.locator('.amount', { hasText: new RegExp(`^\\D?${RegExp.escape(amount)}$`) })
	});
}

/** Waits until the line says so. */
export async function expectMark(
	page: Page,
	amount: string,
	[key, name = 'Amina']: readonly [key: MessageKey, name?: string]
): Promise<void> {
	await expect(entry(page, amount).locator('.mark').first()).toHaveText(say(key, { name }));
}

/** Waits until one of the notices says so. */
export async function expectNotice(
	page: Page,
	said: string,
	room: '/me/notices' | '/shop/notices'
): Promise<void> {
	await go(page, room);
	await expect(page.locator('.rows').getByText(said).first()).toBeVisible();
}

/** Puts off the question at the counter. */
export async function askLater(shop: Page): Promise<void> {
	await choice(shop, say('counter.later')).click();
	await expect(choice(shop, say('counter.later'))).toBeHidden();
}

/** Taps a code at the counter, digit by digit. */
export async function tapCode(shop: Page, code: string): Promise<void> {
	const pad = shop.getByRole('dialog').getByRole('group', { name: say('pad') });
	for (const digit of code) await pad.getByRole('button', { name: digit, exact: true }).click();
}

/** Waits until the counter says that the code fits, and goes on. */
export async function codeFits(shop: Page): Promise<void> {
	await expect(shop.getByText(say('counter.fits'), { exact: true }).first()).toBeVisible();
	await button(shop, say('counter.fits.done')).click();
	await expect(button(shop, say('counter.fits.done'))).toBeHidden();
}

/** The customer makes a set of codes, each for up to `cap`, in the place of one before; answers the five. */
export async function makeCodes(amina: Page, cap: string): Promise<readonly string[]> {
	await go(amina, '/me/codes');
	await amina
		.getByRole('button', { name: say('me.codes.first'), exact: true })
		.or(button(amina, say('me.codes.new')))
		.click();
	// A tap on a worth chooses it: the set before ends with the button alone.
	const worths = amina.getByRole('group', { name: say('me.codes.limit'), exact: true });
	await worths.getByRole('button').first().click();
	await expect(button(amina, /^Make 5 codes/)).toBeEnabled();
	await amina.getByLabel(say('me.codes.other'), { exact: true }).fill(cap);
	await button(amina, /^Make 5 codes/).click();
	await expect(amina.getByRole('dialog')).toBeHidden();
	await expect(openCodes(amina)).toHaveCount(5);
	return (await openCodes(amina).allTextContents()).map((code) => code.replaceAll(' ', ''));
}

/** The codes that may still be told, on the page of codes. */
export function openCodes(amina: Page): Locator {
	return amina.locator('.screen .code:not(.used)');
}

/** Agrees to one line of those that stand to be answered. */
export async function agreeTo(amina: Page, amount: string): Promise<void> {
	await go(amina, '/me/answer');
	const slip = amina.locator('article.slip').filter({ hasText: amount });
	await slip.getByRole('button', { name: say('me.agree'), exact: true }).click();
	await expect(slip).toBeHidden();
}

/** Says no to one line, with the reason and a word. */
export async function sayNo(
	amina: Page,
	amount: string,
	{ reason, note }: { readonly reason: MessageKey; readonly note: string }
): Promise<void> {
	await go(amina, '/me/answer');
	const slip = amina.locator('article.slip').filter({ hasText: amount });
	await slip.getByRole('button', { name: say('me.notRight'), exact: true }).click();
	await amina.getByLabel(say(reason), { exact: true }).check();
	await amina.getByLabel(say('me.no.note'), { exact: true }).fill(note);
	await button(amina, /^Say no to/).click();
	await expect(slip).toBeHidden();
}

/**
 * Codes that are right for nobody and fit no check value on the shop's devices: one in two hundred
 * made at random would.
 */
export async function misfits(
	sql: Sql,
	{ business, ledger, capMinor }: { business: string; ledger: string; capMinor: number },
	count: number
): Promise<readonly string[]> {
	const [row] = await sql<{ text: string }[]>`
		select text from fact where business = ${business} and kind = 'sheet'
			and text like ${`%${ledger}%`} order by s desc limit 1`;
	const fields = /\{.*\}/s.exec(row?.text ?? '')?.[0] ?? '{}';
	const sheet = JSON.parse(fields) as {
		epoch: number;
		open: readonly (readonly [number, number])[];
	};
	const worth = { way: 'sheet', kind: 'due', currency: 'KES', exponent: 2 } as const;
	const info = codeInfo({ ...worth, minor: capMinor });
	const scope = {
		businessId: business as BusinessId,
		ledgerId: ledger as LedgerId,
		epoch: sheet.epoch
	};
	const found: string[] = [];
	for (let tried = 0; found.length < count; tried += 1) {
		const digits = String(10_000_019 + tried * 7_654_321).slice(-8);
		const fits = await Promise.all(
			sheet.open.map(
				async ([counter, check]) =>
					(await sheetCheck(scope, { info, counter, digits }, createWebCrypto())) === check
			)
		);
		if (!fits.includes(true)) found.push(digits);
	}
	return found;
}
