import { randomInt, randomUUID } from 'node:crypto';
import type { Page } from '@playwright/test';
import { button, expect, go, say, type Sql } from './stand.ts';

export const PASSWORD = 'twelve blue lorries';

/** A username that no other test has taken. */
export function freshUsername(): string {
	return `asha.${randomUUID().slice(0, 8)}`;
}

export interface StoreForm {
	readonly shop?: string;
	readonly name?: string;
	readonly contact?: string;
	readonly username: string;
	readonly password?: string;
}

/** Fills in the store's form; sending it is the test's. */
export async function fillStoreForm(page: Page, form: StoreForm): Promise<void> {
	await go(page, '/signup');
	await page.getByLabel(say('settings.name'), { exact: true }).fill(form.shop ?? 'Asha Stores');
	await fillPerson(page, form);
}

/** The part of the form that a store and a customer share. */
async function fillPerson(page: Page, form: StoreForm): Promise<void> {
	await page.getByLabel(say('signup.name'), { exact: true }).fill(form.name ?? 'Asha Mwangi');
	await page
		.getByLabel(say('signup.contact'), { exact: true })
		.fill(form.contact ?? emailOf(form.username));
	await page.getByLabel(say('signup.username'), { exact: true }).fill(form.username);
	await page.getByLabel(say('signup.password'), { exact: true }).fill(form.password ?? PASSWORD);
}

/** One's own, so that no test uses up the codes of another's address. */
export function emailOf(username: string): string {
	return `${username}@example.org`;
}

/** A number in Kenya that no other test has, as a person there writes it. */
export function freshPhone(): string {
	return `07${String(randomInt(10_000_000, 99_999_999))}`;
}

/** The same as messages are addressed. */
export function e164(phone: string): string {
	return `+254${phone.slice(1)}`;
}

/** The last code that the outbox says was sent to an address. */
export async function codeSentTo(page: Page, recipient: string): Promise<string> {
	const code = new RegExp(`>${RegExp.escape(recipient)}</b>[^]*?\\b(\\d{6})\\b`);
	let found: string | undefined;
	await expect
		.poll(async () => {
			const outbox = await page.request.get(new URL('/outbox', page.url()).href);
			found = code.exec(await outbox.text())?.[1];
			return found;
		})
		.toBeDefined();
	return found ?? '';
}

/** Types the code that proves the address, on the page that a sign-up leads to. */
async function proveAddress(page: Page, recipient: string): Promise<void> {
	await page.waitForURL('**/code');
	const code = await codeSentTo(page, recipient);
	await page.getByLabel(say('prove.code'), { exact: true }).fill(code);
	await button(page, say('prove.do')).click();
}

/** Signs up as a store, with all that was sold on this phone, and waits until all of it is sent. */
export async function signUpStore(page: Page): Promise<string> {
	const username = freshUsername();
	await fillStoreForm(page, { username });
	await button(page, say('signup.do.store')).click();
	await proveAddress(page, emailOf(username));
	await page.getByRole('link', { name: say('plan.go') }).click();
	await page.waitForURL('**/shop/sell');
	await allSent(page);
	return username;
}

/** Signs up as a customer; answers the username. */
export async function signUpCustomer(page: Page, phone = freshPhone()): Promise<string> {
	await page.goto('/signup');
	await button(page, say('signup.customer')).click();
	const username = await signUpHere(page, phone);
	await page.waitForURL('**/me');
	await expect(page.getByRole('heading', { name: say('me.noShop'), exact: true })).toBeVisible();
	return username;
}

/** Fills in the customer's form, which stands open, and proves the number; answers the username. */
export async function signUpHere(page: Page, phone: string): Promise<string> {
	const username = freshUsername();
	await fillPerson(page, { username, name: 'Amina', contact: phone });
	await button(page, say('signup.do.customer')).click();
	await proveAddress(page, e164(phone));
	return username;
}

/** Waits until the sync indicator says that the relay has everything of this phone. */
export async function allSent(page: Page): Promise<void> {
	await expect(page.getByRole('link', { name: say('sync.allSent') })).toBeVisible();
}

/** How many facts the indicator says are on this phone alone. */
export async function unsent(page: Page): Promise<number> {
	const said = page.locator('a.sync');
	await expect(said).toBeVisible();
	return Number(/\d+/.exec((await said.textContent()) ?? '')?.[0] ?? 0);
}

/** Joins the shop of `link` on a phone of its own. */
export async function joinBy(page: Page, link: string): Promise<void> {
	await page.goto(link);
	await button(page, say('join.do')).click();
	await button(page, say('join.toTill')).click();
	await page.waitForURL('**/shop/sell');
	await allSent(page);
}

/** The business that the store of this username claimed. */
export async function businessOf(sql: Sql, username: string): Promise<string> {
	const [row] = await sql<{ business: string }[]>`
		select business from member join account using (account) where username = ${username}`;
	if (row === undefined) throw new Error(`${username} has no business`);
	return row.business;
}
