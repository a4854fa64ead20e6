import { chromium, type Browser, type Page } from '@playwright/test';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { launch } from './browser.ts';
import { allSent, businessOf, signUpStore, unsent } from './people.ts';
import { amountTile, button, expect, readyOffline, say, tapPad, test, type Sql } from './stand.ts';

test('a browser killed between saved and sent loses nothing; what it saved arrives once, though its cookie is gone (N2)', async ({
	baseURL,
	sql
}) => {
	const profile = await mkdtemp(path.join(os.tmpdir(), 'daftar-e2e-profile-'));
	let phone = await startPhone(profile);
	try {
		await phone.page.goto(`${baseURL ?? ''}/shop/sell`);
		const business = await businessOf(sql, await signUpStore(phone.page));
		await readyOffline(phone.page);
		await phone.page.context().setOffline(true);
		await sellFor(phone.page, '1500');
		await expect(phone.page.getByText(say('mark.saved'))).toBeVisible();
		await kill(phone);
		expect(await salesAt(sql, business)).toBe(0);

		phone = await startPhone(profile);
		await phone.page.context().clearCookies();
		await phone.page.context().setOffline(true);
		await phone.page.goto(`${baseURL ?? ''}/shop/sell`);
		expect(await unsent(phone.page)).toBe(1);
		await phone.page.context().setOffline(false);
		await allSent(phone.page);
		expect(await salesAt(sql, business)).toBe(1);

		await phone.page.reload();
		await sellFor(phone.page, '30');
		await button(phone.page, say('done.newSale')).click();
		await allSent(phone.page);
		expect(await salesAt(sql, business)).toBe(2);
		const forks = await sql`select 1 from fork where business = ${business}`;
		expect(forks).toHaveLength(0);
	} finally {
		await kill(phone);
		await rm(profile, { recursive: true, force: true });
	}
});

async function sellFor(page: Page, digits: string): Promise<void> {
	await amountTile(page).click();
	await tapPad(page, digits);
	await button(page, /^Take .* cash$/).click();
	await expect(page.getByText(say('done.noChange'))).toBeVisible();
}

async function salesAt(sql: Sql, business: string): Promise<number> {
	const rows = await sql`select 1 from fact where business = ${business} and kind = 'sale'`;
	return rows.length;
}

interface Phone {
	readonly child: ChildProcess;
	readonly browser: Browser;
	readonly page: Page;
}

/** A browser of our own making, so that it can be killed as the system does it: whole, at once. */
async function startPhone(profile: string): Promise<Phone> {
	const child = spawn(
		launch.executablePath ?? chromium.executablePath(),
		[
			...(launch.args ?? []),
			'--headless=new',
			// As Playwright starts its own: it cannot follow pages that sleep in this cache.
			'--disable-back-forward-cache',
			'--lang=en-KE',
			'--remote-debugging-port=0',
			`--user-data-dir=${profile}`,
			'about:blank'
		],
		{
			detached: true,
			stdio: ['ignore', 'ignore', 'pipe'],
			env: { ...process.env, TZ: 'Africa/Nairobi' }
		}
	);
	const browser = await chromium.connectOverCDP(await debuggerOf(child));
	const [context] = browser.contexts();
	const page = await context?.newPage();
	if (page === undefined) throw new Error('the browser has no page');
	await page.setViewportSize({ width: 360, height: 640 });
	return { child, browser, page };
}

function debuggerOf(child: ChildProcess): Promise<string> {
	return new Promise((resolve, reject) => {
		let said = '';
		child.once('exit', () => {
			reject(new Error(`the browser ended: ${said}`));
		});
		child.stderr?.on('data', (chunk: Buffer) => {
			said += chunk.toString();
			const address = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
			if (address !== undefined) resolve(address);
		});
	});
}

async function kill({ child }: Phone): Promise<void> {
	const { pid, exitCode, signalCode } = child;
	if (pid === undefined || exitCode !== null || signalCode !== null) return;
	const ended = once(child, 'exit');
	// Its whole group: no helper of it writes anything afterwards.
	process.kill(-pid, 'SIGKILL');
	await ended;
}
