import { chromium } from '@playwright/test';
import { launch } from './browser.ts';
import { expect, test } from './stand.ts';

test('a page that was left while it opened the book keeps no other page from it (N1)', async ({
	baseURL
}) => {
	// Playwright's own browsers have no back-forward cache; those of people do.
	const browser = await chromium.launch({
		...launch,
		ignoreDefaultArgs: ['--disable-back-forward-cache']
	});
	try {
		const page = await browser.newPage({ baseURL: baseURL ?? '' });
		await page.addInitScript(() => {
			// Its person goes on at the moment in which the till begins to make its database.
			const open = IDBFactory.prototype.open.bind(indexedDB);
			let goesOn = location.pathname === '/shop/sell';
			IDBFactory.prototype.open = (name, version) => {
				const request = open(name, version);
				// Once: going there again would break off the first way there.
				if (goesOn) location.href = '/shop/today';
				goesOn = false;
				return request;
			};
		});
		await page.goto('/shop/sell', { waitUntil: 'commit' });
		await page.waitForURL('**/shop/today');
		await expect(page.locator('h1').first()).toBeVisible();
	} finally {
		await browser.close();
	}
});
