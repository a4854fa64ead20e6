import type { Page } from '@playwright/test';
import { allSent, businessOf, joinBy, signUpStore } from './people.ts';
import {
	bringProducts,
	inviteLink,
	openCustomer,
	sellForCash,
	sellOnAccount,
	sellToNewCustomer,
	writeRecord
} from './shop.ts';
import { expect, go, newPhone, openTill, readyOffline, say, test, type Sql } from './stand.ts';

// Milk: 20 − 1 in the trial − 1 for Amina − 2 and 1 on A − 1 on B.
const MILK_LEFT = '14';
// Amina: 70 + 70 for milk, 300 given, 100 paid.
const AMINA_OWES = '340';
// 70 + 70 + 140 + 70 + 70.
const SOLD = '420';

test('two phones sell and lend with no network, lose nothing, and agree with the tables (N1, D1, E10)', async ({
	browser,
	sql
}) => {
	const a = await newPhone(browser);
	await openTill(a);
	await bringProducts(a);
	await sellForCash(a, 'Milk');
	const business = await businessOf(sql, await signUpStore(a));
	await sellToNewCustomer(a, 'Milk', 'Amina');
	const b = await newPhone(browser);
	await joinBy(b, await inviteLink(a));
	await openCustomer(b, 'Amina');
	const aminasPage = b.url();
	await Promise.all([readyOffline(a), readyOffline(b)]);

	await Promise.all([a.context().setOffline(true), b.context().setOffline(true)]);
	await sellForCash(a, 'Milk', 2);
	await sellOnAccount(a, 'Milk', 'Amina');
	await b.goto(aminasPage);
	await writeRecord(b, 'gave', '300');
	await writeRecord(b, 'got', '100');
	await sellForCash(b, 'Milk');
	expect(await factCounts(sql, business)).toMatchObject({ sale: 2 });

	await Promise.all([a.reload(), b.goto(aminasPage)]);
	await go(a, '/shop/receipts');
	for (const receipt of ['A-000001', 'A-000002', 'A-000003', 'A-000004'])
		await expect(a.getByRole('link', { name: new RegExp(receipt) })).toBeVisible();
	const thread = b.getByRole('region', { name: say('customer.thread') });
	await expect(thread.locator('.entry')).toHaveCount(3);
	await expect(b.locator('.balance')).toContainText('270');

	await Promise.all([a.context().setOffline(false), b.context().setOffline(false)]);
	await Promise.all([go(a, '/shop/sell'), go(b, '/shop/sell')]);
	await Promise.all([allSent(a), allSent(b)]);
	for (const phone of [a, b]) await expectEverything(phone);
	expect(await factCounts(sql, business)).toEqual({
		adjust: 1,
		customer: 1,
		device: 2,
		member: 1,
		product: 1,
		record: 2,
		sale: 5,
		setting: 2
	});
	expect(await sums(sql, business)).toEqual({
		milk: 14_000n,
		amina: 34_000n,
		day: {
			sales_count: 5n,
			sales_minor: 42_000n,
			returns_count: 0n,
			returns_minor: 0n,
			cash_in_minor: 38_000n,
			cash_out_minor: 0n,
			account_minor: 14_000n,
			account_back_minor: 0n,
			gave_minor: 30_000n,
			got_minor: 10_000n
		}
	});
	await Promise.all([a.context().close(), b.context().close()]);
});

/** Stock, balance and day total as one phone shows them. */
async function expectEverything(phone: Page): Promise<void> {
	await go(phone, '/shop/products');
	await expect(phone.getByRole('link', { name: /^Milk/ })).toContainText(MILK_LEFT);
	await openCustomer(phone, 'Amina');
	await expect(phone.locator('.balance')).toContainText(AMINA_OWES);
	await expect(
		phone.getByRole('region', { name: say('customer.thread') }).locator('.entry')
	).toHaveCount(4);
	await go(phone, '/shop/today');
	await expect(phone.locator('.so-far')).toContainText(SOLD);
	await expect(phone.locator('.so-far')).toContainText(say('today.sales', { sales: 5 }));
}

async function factCounts(sql: Sql, business: string): Promise<Record<string, number>> {
	const rows = await sql<{ kind: string; count: string }[]>`
		select kind, count(*) as count from fact where business = ${business} group by kind`;
	return Object.fromEntries(rows.map(({ kind, count }) => [kind, Number(count)]));
}

async function sums(sql: Sql, business: string): Promise<object> {
	const stock = await sql<{ thousandths: string }[]>`
		select thousandths from stock join product using (business, product)
		where business = ${business} and fields->>'name' = 'Milk'`;
	const balances = await sql<{ total: string }[]>`
		select total from balance where business = ${business}`;
	const days = await sql<Record<string, string>[]>`
		select sales_count, sales_minor, returns_count, returns_minor, cash_in_minor, cash_out_minor,
			account_minor, account_back_minor, gave_minor, got_minor
		from day_total where business = ${business}`;
	expect([stock.length, balances.length, days.length]).toEqual([1, 1, 1]);
	return {
		milk: BigInt(stock[0]?.thousandths ?? 0),
		amina: BigInt(balances[0]?.total ?? 0),
		day: Object.fromEntries(
			Object.entries(days[0] ?? {}).map(([name, value]) => [name, BigInt(value)])
		)
	};
}
