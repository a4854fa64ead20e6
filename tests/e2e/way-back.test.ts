import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from '@playwright/test';
import { launch } from './browser.ts';
import {
	allSent,
	fillStoreForm,
	freshUsername,
	joinBy,
	PASSWORD,
	signUpCustomer,
	signUpStore
} from './people.ts';
import { inviteLink } from './shop.ts';
import {
	amountTile,
	button,
	expect,
	go,
	newPhone,
	openTill,
	readyOffline,
	say,
	tapPad,
	test
} from './stand.ts';

interface Profiles {
	/** Opens a phone whose whole profile lies in a folder of its own. */
	open(name: string): Promise<Page>;
	/** The same profile once more, as a backup of the phone or a copied folder has it. */
	copy(from: string, to: string): Promise<void>;
}

/** Phones of which another may be made: a context of Playwright's own cannot be copied with its keys. */
async function withProfiles(
	baseURL: string | undefined,
	work: (profiles: Profiles) => Promise<void>
): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), 'daftar-profile-'));
	const contexts: BrowserContext[] = [];
	try {
		await work({
			open: async (name) => {
				const context = await chromium.launchPersistentContext(join(folder, name), {
					...launch,
					...(baseURL !== undefined && { baseURL }),
					viewport: { width: 360, height: 640 },
					locale: 'en-KE',
					timezoneId: 'Africa/Nairobi'
				});
				contexts.push(context);
				return context.pages()[0] ?? context.newPage();
			},
			copy: (from, to) => cp(join(folder, from), join(folder, to), { recursive: true })
		});
	} finally {
		for (const context of contexts) await context.close();
		await rm(folder, { recursive: true, force: true });
	}
}

test('a copied profile goes on under letters of its own by itself, and everything both sold counts once (N2)', async ({
	baseURL,
	sql
}) => {
	await withProfiles(baseURL, async (profiles) => {
		const first = await profiles.open('a');
		await openTill(first);
		await signUpStore(first);
		await sellAmount(first, '40');
		await sent(first);
		await first.context().close();
		await profiles.copy('a', 'b');

		const original = await profiles.open('a');
		await openTill(original);
		await sellAmount(original, '50');
		await sent(original);
		const copy = await profiles.open('b');
		await openTill(copy);
		await sellAmount(copy, '70');
		await go(copy, '/shop/more');
		await expect(copy.getByText(say('devices.this', { code: 'B' }))).toBeVisible();
		await go(copy, '/shop/notices');
		await expect(copy.getByText(say('notice.tookOver', { device: 'B', from: 'A' }))).toBeVisible();
		await sellAmount(copy, '30');
		await sent(copy);

		await sellAmount(original, '10');
		await sent(original);
		for (const page of [original, copy]) {
			await go(page, '/shop/receipts');
			for (const number of ['A-000001', 'B-000001'])
				await expect(page.getByText(number, { exact: true }).first()).toBeVisible();
		}
		const [total] = await sql<{ sum: string }[]>`
			select sum(sales_minor) as sum from day_total where business in (
				select business from device where heir_of = 'A'
			)`;
		expect(total?.sum).toBe('20000');
	});
});

test('a copy of a book that was never signed up becomes a shop of its own, with all that stands in it (A1)', async ({
	baseURL,
	sql
}) => {
	await withProfiles(baseURL, async (profiles) => {
		const first = await profiles.open('a');
		await openTill(first);
		await sellAmount(first, '40');
		await first.context().close();
		await profiles.copy('a', 'b');
		const original = await profiles.open('a');
		await openTill(original);
		await signUpStore(original);
		const copy = await profiles.open('b');
		await openTill(copy);
		const username = freshUsername();
		await fillStoreForm(copy, { username, shop: `Shop of ${username}` });
		await button(copy, say('signup.do.store')).click();
		await copy.waitForURL('**/shop/sell');
		await allSent(copy);
		const [total] = await sql<{ sum: string }[]>`
			select sum(sales_minor) as sum from day_total
			join business using (business) where name = ${`Shop of ${username}`}`;
		expect(total?.sum).toBe('4000');
	});
});

test('what a removed phone had not sent waits for the owner, and counts once he takes it in (A6)', async ({
	browser,
	page
}) => {
	await openTill(page);
	await signUpStore(page);
	const link = await inviteLink(page);
	const second = await newPhone(browser);
	await second.goto(link);
	await joinBy(second, link);
	// The shop's own book has come once it says the shop's name.
	await go(second, '/shop/more');
	await expect(second.getByText('Asha Stores').first()).toBeVisible();
	await readyOffline(second);
	await second.context().setOffline(true);
	await sellAmount(second, '75');

	await go(page, '/shop/more');
	await go(page, '/shop/more/devices');
	await button(page, say('devices.remove.of', { code: 'B' })).click();
	await page.getByLabel(say('address.password')).fill(PASSWORD);
	await button(page, say('devices.remove.do')).click();
	await expect(page.getByText(say('devices.removed'), { exact: true })).toBeVisible();

	await second.context().setOffline(false);
	await second.reload();
	await go(second, '/shop/more/safety/refused');
	await expect(second.getByText(say('lost.removed'), { exact: true })).toBeVisible();
	await expect(second.getByText(say('lost.withOwner', { count: 1 }))).toBeVisible();

	await go(page, '/shop/more');
	await expect(page.getByText(say('inbox.title'), { exact: true })).toBeVisible();
	await go(page, '/shop/notices');
	await expect(page.getByText(say('inbox.room', { count: 1 }))).toBeVisible();
	await page.locator('a[href="/shop/more/inbox"]').click();
	await expect(page.getByText(say('lost.sale', { number: 'B-000001' }))).toBeVisible();
	await button(page, say('inbox.takeAll', { count: 1 })).click();
	await expect(page.getByText(say('inbox.none'), { exact: true })).toBeVisible();
	await go(page, '/shop/receipts');
	await expect(page.getByText('B-000001', { exact: true }).first()).toBeVisible();
	await second.context().close();
});

test('a customer’s phone that is let in no more says so, and is added again when its person says so (A6)', async ({
	page,
	sql
}) => {
	await signUpCustomer(page);
	const people = await page.request.get('/api/people');
	const [person] = ((await people.json()) as readonly { readonly person: string }[]).map(
		(one) => one.person
	);
	if (person === undefined) throw new Error('nobody signed up');
	const codes = async (): Promise<readonly string[]> => {
		const rows = await sql<{ code: string }[]>`
			select code from phone where person = ${person} order by number`;
		return rows.map(({ code }) => code);
	};
	await expect.poll(codes).toEqual(['p1']);
	await go(page, '/me/safety');
	await expect(page.getByText(say('me.safety.online'), { exact: true })).toBeVisible();

	const { origin } = new URL(page.url());
	const ended = await page.request.delete(`/api/phones/${person}/p1`, { headers: { origin } });
	expect(ended.status()).toBe(204);
	await expect(page.getByRole('heading', { name: say('me.out.title') })).toBeVisible();
	await expect(page.getByText(say('me.out'), { exact: true })).toBeVisible();
	await button(page, say('me.out.do')).click();
	await expect.poll(codes).toEqual(['p1', 'p2']);
	await expect(page.getByText(say('me.safety.online'), { exact: true })).toBeVisible();
	await expect(page.getByText(say('me.out.title'), { exact: true })).toBeHidden();
});

async function sent(page: Page): Promise<void> {
	await go(page, '/shop/sell');
	await allSent(page);
}

async function sellAmount(page: Page, digits: string): Promise<void> {
	await go(page, '/shop/sell');
	await amountTile(page).click();
	await tapPad(page, digits);
	await button(page, say('sell.takeCash', { amount: digits })).click();
	await expect(page.getByText(say('done.noChange'), { exact: true })).toBeVisible();
}
