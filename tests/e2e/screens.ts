import type { Page } from '@playwright/test';
import { signUpStore } from './people.ts';
import { bringProducts, sellForCash, sellOnAccount, sellToNewCustomer } from './shop.ts';
import { button, expect, go, openTill, sayIn, type Language } from './stand.ts';

/** A screen: how it is called, where it is, and what is done there before one looks. */
export interface Screen {
	readonly name: string;
	readonly path: string;
	readonly open?: (page: Page, language: Language) => Promise<void>;
}

/** What a phone shows that was never here. */
export const EMPTY_SCREENS: readonly Screen[] = [
	plain('empty-sell', '/shop/sell'),
	plain('empty-receipts', '/shop/receipts'),
	plain('empty-customers', '/shop/customers'),
	plain('empty-products', '/shop/products'),
	plain('empty-today', '/shop/today'),
	plain('empty-more', '/shop/more'),
	plain('empty-account', '/shop/more/account'),
	plain('import', '/shop/products/import'),
	plain('welcome', '/'),
	plain('sign-up', '/signup'),
	plain('sign-up-customer', '/signup?kind=customer'),
	plain('sign-in', '/signin'),
	plain('reset', '/reset'),
	plain('join', '/join')
];

/** What a customer sees who signed up. */
export const CUSTOMER_SCREENS: readonly Screen[] = [
	plain('me', '/me'),
	plain('me-account', '/me/account'),
	plain('account-address', '/account/address'),
	plain('account-second-factor', '/account/second-factor'),
	plain('account-sessions', '/account/sessions')
];

/** Gives a phone a shop with a little of everything, signed up, and answers every screen of it. */
export async function furnishShop(page: Page): Promise<readonly Screen[]> {
	await openTill(page);
	await bringProducts(page);
	await sellForCash(page, 'Milk', 2);
	await sellToNewCustomer(page, 'Bread', 'Amina Wanjiru');
	await sellOnAccount(page, 'Sugar 1 kg', 'Amina Wanjiru');
	await signUpStore(page);
	await go(page, '/shop/customers');
	const customer = await page.getByRole('link', { name: /^Amina/ }).getAttribute('href');
	await go(page, '/shop/products');
	const product = await page.getByRole('link', { name: /^Milk/ }).getAttribute('href');
	return screensOf(customer ?? '', product ?? '');
}

function screensOf(customer: string, product: string): readonly Screen[] {
	return [
		{
			name: 'sell-amount',
			path: '/shop/sell',
			open: (page, language) => tap(page, sayIn(language, 'sell.amountOnly'))
		},
		{
			name: 'sell',
			path: '/shop/sell',
			open: async (page) => {
				await page.locator('.tiles .tile:not(.by-amount)').first().click();
			}
		},
		plain('charge', '/shop/charge'),
		{
			name: 'charge-other',
			path: '/shop/charge',
			open: (page, language) => tap(page, sayIn(language, 'charge.other'))
		},
		plain('charge-account', '/shop/charge/account'),
		{
			name: 'customer-new',
			path: '/shop/customers',
			open: (page, language) => tap(page, sayIn(language, 'account.new'))
		},
		plain('receipts', '/shop/receipts'),
		plain('receipts-day', '/shop/receipts/day/2026-01-02'),
		plain('receipt', '/shop/receipts/A-000001'),
		plain('return', '/shop/receipts/A-000001/return'),
		plain('customers', '/shop/customers'),
		plain('customer', customer),
		{
			name: 'customer-record',
			path: customer,
			open: async (page) => {
				await page.locator('.thread .entry').last().click();
				await page.waitForURL('**/record/**');
			}
		},
		plain('customer-gave', `${customer}/gave`),
		plain('customer-got', `${customer}/got`),
		plain('customer-edit', `${customer}/edit`),
		plain('products', '/shop/products'),
		plain('product', product),
		{
			name: 'product-adjust',
			path: product,
			open: (page, language) => tap(page, sayIn(language, 'product.adjust'))
		},
		plain('product-new', '/shop/products/new'),
		plain('today', '/shop/today'),
		plain('more', '/shop/more'),
		plain('more-shop', '/shop/more/shop'),
		plain('more-devices', '/shop/more/devices'),
		plain('more-safety', '/shop/more/safety'),
		plain('more-account', '/shop/more/account'),
		plain('more-look', '/shop/more/look'),
		plain('code', '/code'),
		plain('plan', '/shop/plan'),
		plain('no-such-page', '/shop/nowhere'),
		{
			name: 'done',
			path: '/shop/sell',
			open: (page, language) => tap(page, sayIn(language, 'sell.exact'))
		}
	];
}

/** Speaks the language from now on, as its person would have chosen it. */
export async function speak(page: Page, language: Language): Promise<void> {
	await page.evaluate((chosen) => {
		localStorage.setItem('daftar.language', chosen);
	}, language);
	await page.reload();
	await expect(page.locator('html')).toHaveAttribute('lang', language);
}

/** Shows a screen and waits until it stands. */
export async function show(page: Page, { path, open }: Screen, language: Language): Promise<void> {
	await go(page, path);
	await expect(page.locator('h1:visible, h2:visible').first()).toBeVisible();
	await open?.(page, language);
	if (open !== undefined && new URL(page.url()).pathname === path)
		await expect(page.locator('dialog[open], .foot, .slip-pane, .done').first()).toBeAttached();
}

async function tap(page: Page, name: string): Promise<void> {
	await button(page, name).first().click();
}

function plain(name: string, path: string): Screen {
	return { name, path };
}
