import type { Page } from '@playwright/test';
import { allSent, signUpStore } from './people.ts';
import { bringProducts, sellForCash } from './shop.ts';
import { button, expect, go, openTill, readyOffline, say, test } from './stand.ts';

test('a sale that left the phone is fetched, comes back, and without a network says what to do', async ({
	page
}) => {
	await openTill(page);
	await bringProducts(page);
	await sellForCash(page, 'Milk', 2);
	await signUpStore(page);
	await allSent(page);
	await readyOffline(page);
	await letSalesGo(page);
	await page.reload();
	await go(page, '/shop/receipts');
	await page.getByLabel(say('receipts.search')).fill('a 1');
	await page.getByRole('link', { name: say('receipts.look', { receipt: 'A-000001' }) }).click();
	await expect(page.getByText(say('receipts.fetched'))).toBeVisible();
	await expect(page.getByText('Milk')).toBeVisible();

	await page.getByRole('link', { name: say('receipt.takeBack') }).click();
	await expect(page.getByText(say('receipts.fetched'))).toBeVisible();
	await button(page, say('return.more', { name: 'Milk' })).click();
	await button(page, say('return.giveBack', { amount: '70' })).click();
	await expect(page).toHaveURL(/A-000002/);
	await go(page, '/shop/receipts/A-000001/return');
	await button(page, say('return.more', { name: 'Milk' })).click();
	await expect(button(page, say('return.more', { name: 'Milk' }))).toBeDisabled();

	await page.context().setOffline(true);
	await go(page, '/shop/receipts/A-000001');
	await expect(page.getByText(say('receipts.away', { query: 'A-000001' }))).toBeVisible();
	await expect(page.getByText(say('receipts.away.text'))).toBeVisible();
	await page.context().setOffline(false);
	await button(page, say('receipts.again')).click();
	await expect(page.getByText(say('receipts.fetched'))).toBeVisible();
});

/** As four hundred days do: the sales go, and are known to have been counted. */
async function letSalesGo(page: Page): Promise<void> {
	const count = await page.evaluate(async () => {
		let gone = 0;
		for (const { name = '' } of await indexedDB.databases()) {
			const opening = indexedDB.open(name);
			const database = await new Promise<IDBDatabase>((resolve, reject) => {
				opening.onsuccess = () => {
					resolve(opening.result);
				};
				opening.onerror = () => {
					reject(new Error('not opened'));
				};
			});
			if (!database.objectStoreNames.contains('facts')) continue;
			const work = database.transaction(['facts', 'meta'], 'readwrite');
			const all = work.objectStore('facts').index('kind').getAll('sale');
			await new Promise<void>((resolve) => {
				all.onsuccess = () => {
					for (const { id, n } of all.result as { id: string; n: number }[]) {
						gone += 1;
						work.objectStore('facts').delete(id);
						work.objectStore('meta').put({ key: 'pruned', value: { A: [[n, n]] } });
					}
				};
				work.oncomplete = () => {
					resolve();
				};
			});
			database.close();
		}
		return gone;
	});
	expect(count).toBe(1);
}
