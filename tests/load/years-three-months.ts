import type { Page } from '@playwright/test';
import { say } from '../e2e/words.ts';
import type { SeededRelay } from './seed-years-shop.ts';
import { openProfile } from './seed-years-stand.ts';
import { countOf } from './years-new-device.ts';
import { isControlled, quantiles, sellInPage, slowDown } from './years-till.ts';

/** What did not come by then is told as what came. */
const WITHIN_MS = 900_000;
/** A thousand sales a day are one in 47 s; each is two pages that are made and painted. */
const SALE_EACH_MS = 5_000;

export interface ThreeMonthsFigures {
	/** From the page's start until the feed's last number is here; null where it was not in a quarter of an hour. */
	readonly caughtUpMs: number | null;
	/** How far behind it was, and how many came. */
	readonly behind: number;
	readonly facts: number;
	readonly factsASecond: number;
	readonly sales: number;
	/** From the tap on a tile, through the one that ends the sale, until it is said to be saved, while facts come in. */
	readonly saleMedianMs: number;
	readonly saleP95Ms: number;
	readonly saleMostMs: number;
	/** The same when nothing comes in any more. */
	readonly quietMedianMs: number;
	readonly quietP95Ms: number;
	/** The longest time in which the page answered nobody, and how many were over 200 ms. */
	readonly longestTaskMs: number;
	readonly tasksOver200Ms: number;
}

/** A phone that was away for months comes back: its till goes on selling while the shop's facts come in. */
export async function timeThreeMonths(
	relay: SeededRelay,
	profile: string
): Promise<ThreeMonthsFigures> {
	const context = await openProfile(profile);
	try {
		const page = await context.newPage();
		// The app is on it, and no relay was met yet.
		await page.route('**/api/**', (route) => route.abort());
		await page.goto(`${relay.url}/shop/sell`);
		await isControlled(page);
		await page.close();
		return await comeBack(await context.newPage(), relay);
	} finally {
		await context.close();
	}
}

async function comeBack(page: Page, relay: SeededRelay): Promise<ThreeMonthsFigures> {
	await slowDown(page);
	await page.addInitScript(watchTasks);
	await page.goto(`${relay.url}/shop/sell`);
	const tile = page.locator('.tiles .tile:not(.by-amount)').first();
	await tile.waitFor();
	const before = await feedPlace(page);
	const from = performance.now();
	const busy: number[] = [];
	let place = before;
	while (place < relay.last && performance.now() - from < WITHIN_MS) {
		busy.push(await sell(page));
		place = await feedPlace(page);
	}
	const tookMs = performance.now() - from;
	const tasks = await page.evaluate(() => Reflect.get(window, 'longTasks') as number[]);
	const quiet: number[] = [];
	for (let sale = 0; place >= relay.last && sale < 10; sale += 1) quiet.push(await sell(page));
	const facts = place - before;
	const [loud, still] = [quantiles(busy), quantiles(quiet)];
	if ((await page.evaluate(countOf, 'facts')) === 0) throw new Error('the book is another');
	return {
		caughtUpMs: place >= relay.last ? Math.round(tookMs) : null,
		behind: relay.last - before,
		facts,
		factsASecond: Math.round((facts * 1_000) / tookMs),
		sales: busy.length,
		saleMedianMs: loud.medianMs,
		saleP95Ms: loud.p95Ms,
		saleMostMs: Math.max(...busy),
		quietMedianMs: still.medianMs,
		quietP95Ms: still.p95Ms,
		longestTaskMs: Math.round(Math.max(0, ...tasks)),
		tasksOver200Ms: tasks.filter((ms) => ms > 200).length
	};
}

/** In the page: keeps how long each task took that held the page up. */
function watchTasks(): void {
	const tasks: number[] = [];
	Object.assign(window, { longTasks: tasks });
	new PerformanceObserver((list) => {
		tasks.push(...list.getEntries().map(({ duration }) => duration));
	}).observe({ type: 'longtask', buffered: true });
}

/** In the page: a sale, from tap to "saved", and back to the tiles. */
const TIME_SALE = `(async () => {
	const from = performance.now();
	const to = await (${sellInPage.toString()})(${JSON.stringify(say('sell.exact'))});
	history.back();
	return to - from;
})()`;

/** Rings up one tile and takes the cash; ms from the first tap until it is said to be saved. */
async function sell(page: Page): Promise<number> {
	const begun = performance.now();
	const ms = Number(await page.evaluate(TIME_SALE));
	await page.waitForFunction(() => document.querySelector('.tiles .tile:not(.by-amount)') !== null);
	const left = SALE_EACH_MS - (performance.now() - begun);
	if (left > 0) await page.waitForTimeout(left);
	return Math.round(ms);
}

/** In the page: how far its feed has come. */
async function feedPlace(page: Page): Promise<number> {
	return page.evaluate(async () => {
		const names = (await indexedDB.databases()).flatMap(({ name = '' }) =>
			/^daftar-[0-9a-f-]{36}/.test(name) ? [name] : []
		);
		const places = await Promise.all(
			names.map(
				(name) =>
					new Promise<number>((resolve) => {
						const request = indexedDB.open(name);
						request.onsuccess = () => {
							const database = request.result;
							const get = database.transaction('meta').objectStore('meta').get('feed');
							get.onsuccess = () => {
								database.close();
								const row = get.result as { value: { s: number } } | undefined;
								resolve(row?.value.s ?? 0);
							};
						};
					})
			)
		);
		return Math.max(0, ...places);
	});
}
