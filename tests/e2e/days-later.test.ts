import type { Browser, Page } from '@playwright/test';
import { allSent, businessOf, joinBy, signUpStore } from './people.ts';
import { bringProducts, inviteLink, sellForCash } from './shop.ts';
import { startServer } from './server-process.ts';
import { expect, go, openTill, readyOffline, say, test } from './stand.ts';

const DAYS = 5;
const DAYS_MS = DAYS * 86_400_000;

test('a sale written offline five days ago reaches the other phone, on its own day (C10, N1)', async ({
	browser,
	databaseUrl,
	sql
}) => {
	const server = await startServer({
		databaseUrl,
		behindMs: DAYS_MS
	});
	const back = Date.now() - DAYS_MS;
	const a = await phoneAt(browser, server.url, back);
	const b = await phoneAt(browser, server.url, back);
	try {
		await openTill(a);
		await bringProducts(a);
		const business = await businessOf(sql, await signUpStore(a));
		await joinBy(b, await inviteLink(a));
		await readyOffline(a);
		await a.context().setOffline(true);
		await sellForCash(a, 'Milk', 2);

		// Five days go by, for everybody at once.
		server.setClockRight();
		for (const phone of [a, b]) await phone.clock.setSystemTime(Date.now());
		await b.reload();
		await allSent(b);
		await a.context().setOffline(false);
		await a.reload();
		await allSent(a);

		await go(b, '/shop/receipts');
		await expect(b.getByRole('link', { name: /A-000001/ })).toBeVisible();
		await go(b, '/shop/products');
		await expect(b.getByRole('link', { name: /^Milk/ })).toContainText('18');
		await go(b, '/shop/today');
		const { on, week } = dayIn('Africa/Nairobi', back);
		const day = b.getByRole('row').filter({ hasText: week });
		await b.getByText(say('today.week.table')).click();
		await expect(day).toContainText('140');
		const rows = await sql<{ on_day: string; sales_minor: string }[]>`
			select on_day::text, sales_minor from day_total where business = ${business}`;
		expect(rows).toEqual([{ on_day: on, sales_minor: '14000' }]);
	} finally {
		await Promise.all([a.context().close(), b.context().close()]);
		await server.stop();
	}
});

/** A phone whose clock says `now`, and goes on from there. */
async function phoneAt(browser: Browser, baseURL: string, now: number): Promise<Page> {
	const context = await browser.newContext({ baseURL });
	await context.clock.install({ time: now });
	return context.newPage();
}

function dayIn(timeZone: string, at: number): { readonly on: string; readonly week: string } {
	return {
		on: new Intl.DateTimeFormat('en-CA', { timeZone }).format(at),
		week: new Intl.DateTimeFormat('en-KE', { timeZone, weekday: 'short' }).format(at)
	};
}
