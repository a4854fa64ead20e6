// `npm run bench:till`: how long a phone four times slower than this machine needs to the till, with
// no network, 4,000 products and 12,000 sales of history. Prints the median; builds nothing.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { chromium, type BrowserContext, type Page } from '@playwright/test';
import { startEmbeddedPostgres } from '#server/database/embedded.ts';
import { launchWhole } from '../e2e/browser.ts';
import { startServer } from '../e2e/server-process.ts';
import { say } from '../e2e/words.ts';
import { playTrade } from './year-of-trade.ts';

const SIZE = { products: 4_000, sales: 12_000, days: 300 };
const SLOWER = 4;
const RUNS = 5;
const HISTORY_MS_MAX = 300_000;
const LOOK_MS = 1_000;

await using undo = new AsyncDisposableStack();
const folder = await mkdtemp(path.join(os.tmpdir(), 'daftar-bench-'));
undo.defer(() => rm(folder, { recursive: true, force: true }));
const postgres = await startEmbeddedPostgres({ dataDir: folder, settings: { fsync: 'off' } });
undo.defer(postgres.stop);
const server = await startServer({ databaseUrl: postgres.url });
undo.defer(() => server.stop());

const link = await playTrade(server.url, SIZE);
const context = await chromium.launchPersistentContext(path.join(folder, 'profile'), {
	...launchWhole,
	viewport: { width: 360, height: 640 },
	locale: 'en-KE',
	timezoneId: 'Africa/Nairobi'
});
undo.defer(() => context.close());
const page = await context.newPage();
await join(page, link);
await page.close();
await context.setOffline(true);

const runs: number[] = [];
for (let run = 0; run < RUNS; run += 1) runs.push(await timeToTill(context));
const median = runs.toSorted((a, b) => a - b)[Math.floor(RUNS / 2)] ?? NaN;
print({ ...SIZE, slower: SLOWER, runsMs: runs, medianMs: median });

/** Joins the shop and waits until all its history is on this phone too. */
async function join(page: Page, link: string): Promise<void> {
	await page.goto(link);
	await page.getByRole('button', { name: say('join.do') }).click();
	await page.getByRole('button', { name: say('join.toTill') }).click();
	await page.waitForURL('**/shop/sell');
	await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
	const end = Date.now() + HISTORY_MS_MAX;
	while (!(await page.evaluate(holdsAll, SIZE.sales))) {
		if (Date.now() > end) throw new Error('the history did not come in time');
		await page.waitForTimeout(LOOK_MS);
	}
}

/** In the page: whether its book holds that many sales. */
async function holdsAll(sales: number): Promise<boolean> {
	const names = (await indexedDB.databases()).flatMap(({ name = '' }) =>
		/^daftar-[0-9a-f-]{36}$/.test(name) ? [name] : []
	);
	const counts = await Promise.all(
		names.map(
			(name) =>
				new Promise<number>((resolve) => {
					const request = indexedDB.open(name);
					request.onsuccess = () => {
						const database = request.result;
						const kinds = database.transaction('facts').objectStore('facts').index('kind');
						const count = kinds.count('sale');
						count.onsuccess = () => {
							database.close();
							resolve(count.result);
						};
					};
				})
		)
	);
	return counts.some((count) => count >= sales);
}

/** From the start of the navigation until the tiles stand and the page would answer a tap, ms. */
async function timeToTill(context: BrowserContext): Promise<number> {
	const page = await context.newPage();
	const session = await context.newCDPSession(page);
	await session.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
	await page.addInitScript(() => {
		const look = (): void => {
			if (document.querySelector('.tiles .tile:not(.by-amount)') === null) {
				requestAnimationFrame(look);
				return;
			}
			// Painted, and with nothing before a tap in the queue.
			requestAnimationFrame(() => {
				setTimeout(() => {
					Object.assign(window, { tillAt: performance.now() });
				});
			});
		};
		requestAnimationFrame(look);
	});
	await page.goto(`${server.url}/shop/sell`);
	const handle = await page.waitForFunction(() => Reflect.get(window, 'tillAt') as unknown);
	const tillAt = Number(await handle.jsonValue());
	await page.close();
	return Math.round(tillAt);
}

function print(figures: object): void {
	process.stdout.write(`${JSON.stringify(figures)}\n`);
}
