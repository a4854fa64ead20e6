import { expect, test as base, type Browser, type Page } from '@playwright/test';
import { connectDatabase } from '#server/database/connect.ts';
import { say } from './words.ts';

export { expect } from '@playwright/test';
export { say, sayIn, type Language } from './words.ts';

/** The relay's tables. */
export type Sql = ReturnType<typeof connectDatabase>['sql'];

interface Given {
	/** Where `serve.ts` started the database; the configuration hands it in. */
	readonly databaseUrl: string;
	/** The relay's tables. */
	readonly sql: Sql;
}

/** A test at the running server and its database. */
export const test = base.extend<object, Given>({
	databaseUrl: ['', { option: true, scope: 'worker' }],
	sql: [
		async ({ databaseUrl }, use) => {
			const database = connectDatabase(databaseUrl, { connectionsMax: 2 });
			await use(database.sql);
			await database.close();
		},
		{ scope: 'worker' }
	]
});

/** Opens the till of a phone that was never here: it tries Daftar out, with no server asked. */
export async function openTill(page: Page): Promise<void> {
	await go(page, '/shop/sell');
	await expect(amountTile(page)).toBeVisible();
}

/**
 * Follows a link of the app to `path`, as a tap on one would: without a load where the app is open.
 * A page that is nowhere yet goes to the test's server.
 */
export async function go(page: Page, path: string): Promise<void> {
	if (!page.url().startsWith('http')) {
		await page.goto(path);
		return;
	}
	await page.evaluate((href) => {
		const link = document.createElement('a');
		link.href = href;
		document.body.append(link);
		link.click();
		link.remove();
	}, path);
	await page.waitForURL((url) => url.pathname + url.search === path);
}

export function amountTile(page: Page): ReturnType<Page['getByRole']> {
	return page.getByRole('button', { name: say('sell.amountOnly'), exact: true });
}

export function button(page: Page, name: string | RegExp): ReturnType<Page['getByRole']> {
	return page.getByRole('button', { name, ...(typeof name === 'string' && { exact: true }) });
}

/** The product's tile on the till. */
export function tile(page: Page, name: string): ReturnType<Page['getByRole']> {
	return page.locator('.tiles').getByRole('button', { name: new RegExp(`^${name}\\b`) });
}

/** Types on the number pad, a key a tap; answers how many taps that took. */
export async function tapPad(page: Page, keys: string): Promise<number> {
	const pad = page.getByRole('group', { name: say('pad') });
	const struck = keys.match(/000|00|./g) ?? [];
	for (const key of struck) await pad.getByRole('button', { name: key, exact: true }).click();
	return struck.length;
}

/** Waits until the page would open with no network at all. */
export async function readyOffline(page: Page): Promise<void> {
	await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
}

/** A phone of its own: nothing of any other is on it. */
export async function newPhone(browser: Browser): Promise<Page> {
	const context = await browser.newContext();
	return context.newPage();
}
