import type { Page } from '@playwright/test';
import { amountTile, button, expect, readyOffline, say, tapPad, test } from './stand.ts';

const ROOM_BYTES = 8_000_000;

test('a full disk keeps the cart and says so, and sells when there is room again', async ({
	page
}) => {
	await page.goto('/icon.svg');
	const setRoom = await roomOf(page);
	await setRoom(ROOM_BYTES);
	await page.goto('/shop/sell');
	await readyOffline(page);
	await amountTile(page).click();
	await tapPad(page, '250');
	await button(page, say('sell.addToSale')).click();
	await button(page, new RegExp(`^${say('sell.charge')}`)).click();
	const exact = button(page, new RegExp(say('charge.exact')));
	await expect(exact).toBeVisible();

	await fillDisk(page);
	await exact.click();
	await expect(page.getByText(say('notSaved.happened', { amount: '250' }))).toBeVisible();
	await expect(page.getByText(say('notSaved.book', { pieces: 1 }))).toBeVisible();
	await expect(page.getByText(say('strip.storageFull'))).toBeVisible();
	const again = button(page, say('notSaved.again', { amount: '250' }));
	await again.click();
	await expect(page.getByText(say('notSaved.full'), { exact: true })).toBeVisible();

	await page.goto('/shop/sell');
	await expect(button(page, new RegExp(`^${say('sell.openSlip')}`))).toContainText('250');
	await setRoom(2 * ROOM_BYTES);
	await button(page, say('sell.exact')).click();
	await expect(page.getByText(say('done.noChange'))).toBeVisible();
	await expect(page.getByText(say('strip.storageFull'))).toBeHidden();
	await page.goto('/shop/receipts');
	await expect(page.getByRole('link', { name: /A-0000/ })).toHaveCount(1);
});

/** Sets how much the browser keeps for this origin, bytes. */
async function roomOf(page: Page): Promise<(bytes: number) => Promise<void>> {
	// The room is as given for as long as this session lasts.
	const session = await page.context().newCDPSession(page);
	const { origin } = new URL(page.url());
	return async (quotaSize) => {
		await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize });
	};
}

/** Writes photos, as it were, until there is no room for a kilobyte more. */
async function fillDisk(page: Page): Promise<void> {
	const written = await page.evaluate(async () => {
		const database = await new Promise<IDBDatabase>((resolve, reject) => {
			const request = indexedDB.open('photos', 1);
			request.onupgradeneeded = () =>
				request.result.createObjectStore('photos', { autoIncrement: true });
			request.onsuccess = () => {
				resolve(request.result);
			};
			request.onerror = () => {
				reject(new Error('no photos'));
			};
		});
		const put = (bytes: number): Promise<boolean> =>
			new Promise((resolve) => {
				const transaction = database.transaction('photos', 'readwrite');
				transaction.objectStore('photos').add(crypto.getRandomValues(new Uint8Array(bytes)));
				transaction.oncomplete = () => {
					resolve(true);
				};
				transaction.onabort = () => {
					resolve(false);
				};
			});
		let sum = 0;
		for (const bytes of [50_000, 5_000, 500, 50]) {
			while (await put(bytes)) sum += bytes;
		}
		database.close();
		return sum;
	});
	expect(written).toBeGreaterThan(0);
}
