import type { Page, Route } from '@playwright/test';
import { VIEW_KEY } from '#ui/first-view.ts';
import { bringProducts } from './shop.ts';
import { amountTile, button, expect, openTill, say, test, tile } from './stand.ts';

// The service worker's answers cannot be held back.
test.use({ serviceWorkers: 'block' });

test('[FIRST-6] [FIRST-7] a till that nobody changed stands before the app, which does what was struck on it', async ({
	page
}) => {
	await openTill(page);
	await bringProducts(page);
	await tile(page, 'Milk').click();
	await kept(page, 'Milk');

	const app = await heldBack(page);
	await expect(tile(page, 'Milk')).toContainText('1');
	await expect(page.locator('.app')).toHaveCount(1);
	await expectNoApp(page);
	await tile(page, 'Bread').click();
	await expect(tile(page, 'Bread')).toHaveAttribute('aria-pressed', 'true');
	await tile(page, 'Bread').click();
	await page.getByRole('searchbox').fill('mil');
	await app.comes();

	await expect(page.locator('.tile .name')).toHaveText(['Milk']);
	await expect(page.getByRole('searchbox')).toBeFocused();
	await page.getByRole('searchbox').fill('');
	await expect(tile(page, 'Bread')).toContainText('2');
	await expect(tile(page, 'Milk')).toContainText('1');
	await expect(page.locator('.app')).toHaveCount(1);
});

test('[FIRST-7] keys are done by the app too, and a link leads where it says', async ({ page }) => {
	await openTill(page);
	await bringProducts(page);
	await tile(page, 'Milk').click();
	await kept(page, 'Milk');

	const sale = await heldBack(page);
	await expect(tile(page, 'Milk')).toBeVisible();
	await page.keyboard.press('F2');
	await expectNoApp(page);
	await sale.comes();
	await expect(page.getByText(say('done.noChange'), { exact: true })).toBeVisible();

	await page.goto('/shop/sell');
	await expect(amountTile(page)).toBeVisible();
	await putAway(page);
	await kept(page, 'Milk');
	const customers = await heldBack(page);
	await page.getByRole('link', { name: say('tab.customers') }).click();
	await expectNoApp(page);
	await customers.comes();
	await page.waitForURL('**/shop/customers');
});

for (const [what, change] of [
	['a price', changePrice],
	['the language', changeLanguage]
] as const)
	test(`[FIRST-6] nothing of it is shown where ${what} is another by now`, async ({ page }) => {
		await openTill(page);
		await bringProducts(page);
		await kept(page, 'Milk');
		await page.evaluate(change);

		const app = await heldBack(page);
		await drawnIfEver(page);
		await expect(page.locator('.tile')).toHaveCount(0);
		await app.comes();
		await expect(page.locator('.tile')).toHaveCount(4);
	});

test('[FIRST-7] what the app shows otherwise, or not at all, is not done', async ({ page }) => {
	await openTill(page);
	await bringProducts(page);
	await kept(page, 'Milk');
	await page.evaluate((key) => {
		localStorage.setItem(key, localStorage.getItem(key)?.replace('"Bread"', '"Brioche"') ?? '');
	}, VIEW_KEY);

	const app = await heldBack(page);
	await tile(page, 'Brioche').click();
	await tile(page, 'Milk').click();
	await app.comes();
	// As the app says it, when it has done the last.
	await expect(tile(page, 'Milk')).toContainText('1');
	await expect(tile(page, 'Bread')).toHaveAttribute('aria-pressed', 'false');
});

test('[FIRST-8] it goes where the app cannot come', async ({ page }) => {
	await openTill(page);
	await bringProducts(page);
	await kept(page, 'Milk');

	const app = await heldBack(page);
	await expect(tile(page, 'Milk')).toBeVisible();
	await app.breaks();
	await expect(page.locator('.app')).toHaveCount(0);
});

test('[FIRST-8] it goes where the app has not come in 20 s', async ({ page }) => {
	await openTill(page);
	await bringProducts(page);
	await kept(page, 'Milk');

	await page.clock.install();
	await heldBack(page);
	await expect(tile(page, 'Milk')).toBeVisible();
	await page.clock.fastForward(19_000);
	await expect(tile(page, 'Milk')).toBeVisible();
	await page.clock.fastForward(2_000);
	await expect(page.locator('.app')).toHaveCount(0);
});

test('[FIRST-9] tiles take another order only while nobody looks, and are kept in that one', async ({
	page
}) => {
	await openTill(page);
	await bringProducts(page);
	await expect(page.locator('.tile .name').nth(1)).toHaveText('Bread');
	for (let sale = 0; sale < 2; sale += 1) {
		await tile(page, 'Sugar 1 kg').click();
		await button(page, say('sell.exact')).click();
		await button(page, say('done.newSale')).click();
	}
	await expect(page.locator('.tile .name').nth(1)).toHaveText('Bread');
	await putAway(page);
	await expect(page.locator('.tile .name').nth(1)).toHaveText('Sugar 1 kg');
	await kept(page, 'Sugar 1 kg');

	const app = await heldBack(page);
	await expect(page.locator('.tile .name').nth(1)).toHaveText('Sugar 1 kg');
	await expectNoApp(page);
	await app.comes();
	await expect(page.locator('.tile .name').nth(1)).toHaveText('Sugar 1 kg');
});

/** Nobody looks at the page any more, as far as it knows. */
async function putAway(page: Page): Promise<void> {
	await page.evaluate(() => {
		Object.defineProperty(document, 'visibilityState', { value: 'hidden' });
		document.dispatchEvent(new Event('visibilitychange'));
	});
}

/** Waits until the till as it is now is kept, with that product. */
async function kept(page: Page, name: string): Promise<void> {
	await page.evaluate((key) => {
		localStorage.removeItem(key);
		// What is kept is kept when something moved.
		document.body.append(document.createComment(''));
	}, VIEW_KEY);
	await page.waitForFunction(([key, text]) => localStorage.getItem(key)?.includes(text) === true, [
		VIEW_KEY,
		name
	] as const);
}

interface HeldBack {
	/** The app's scripts come, and it stands. */
	comes(): Promise<void>;
	/** They cannot be had. */
	breaks(): Promise<void>;
}

/** Begins the page anew, with the app's scripts held back. */
async function heldBack(page: Page): Promise<HeldBack> {
	const held: Route[] = [];
	const name = /\/assets\/(first|till)\.[\w-]+\.js$/;
	let go: (route: Route) => unknown = (route) => held.push(route);
	await page.route(name, (route) => go(route));
	await page.reload({ waitUntil: 'commit' });
	const end = async (how: (route: Route) => Promise<void>): Promise<void> => {
		go = how;
		await Promise.all(held.splice(0).map(how));
	};
	return {
		comes: async () => {
			await end((route) => route.continue());
			await page.unroute(name);
		},
		breaks: () => end((route) => route.abort())
	};
}

async function expectNoApp(page: Page): Promise<void> {
	const hasApp = await page.evaluate(() => {
		const loaded = Reflect.get(window, 'daftar') as Readonly<Record<string, unknown>>;
		return 'entry_app' in loaded;
	});
	expect(hasApp).toBe(false);
}

async function drawnIfEver(page: Page): Promise<void> {
	await page.waitForFunction(() => Reflect.has(window, 'daftarFirstView'));
	await page.evaluate(async () => {
		const { drawn } = Reflect.get(window, 'daftarFirstView') as { drawn?: Promise<void> };
		await drawn;
	});
	expect(await page.evaluate((key) => localStorage.getItem(key), VIEW_KEY)).toContain('Milk');
}

/** In the page: as another tab might, with no word to this one. */
async function changePrice(): Promise<void> {
	const { book } = JSON.parse(localStorage.getItem('daftar.place') ?? '') as { book: string };
	const opened = await new Promise<IDBDatabase>((resolve, reject) => {
		const request = indexedDB.open(book);
		request.onsuccess = () => {
			resolve(request.result);
		};
		request.onerror = () => {
			reject(new Error(String(request.error)));
		};
	});
	const transaction = opened.transaction('products', 'readwrite');
	const products = transaction.objectStore('products');
	products.openCursor().onsuccess = ({ target }) => {
		const cursor = (target as IDBRequest<IDBCursorWithValue | null>).result;
		cursor?.update({ ...(cursor.value as object), price: 99 });
	};
	await new Promise((resolve) => {
		transaction.oncomplete = resolve;
	});
	opened.close();
}

function changeLanguage(): Promise<void> {
	localStorage.setItem('daftar.language', 'ar');
	return Promise.resolve();
}
