import { createServer } from 'node:http';
import { once } from 'node:events';
import type { Page } from '@playwright/test';
import { say } from '../e2e/words.ts';
import { openBareBrowser, type BareBrowser, type BarePage } from './bare-browser.ts';
import { SEED_ORIGIN, SEED_PORT, serveSeed } from './seed-years-stand.ts';

export const SLOWER = 6;
const AFTER_MS = 3_000;
const LOOK_MS = 25;
const WITHIN_MS = 60_000;
/** The worker hands on to the network what is the relay's: here there is one empty page. */
const BLANK = '/api/blank';

export interface TillFigures {
	/** From the navigation of a new tab until tiles are painted and nothing is before a tap in the queue. */
	readonly runsMs: readonly number[];
	readonly medianMs: number;
	readonly bestMs: number;
	readonly p95Ms: number;
	/** The same of an empty page with one button, in turn with the till: what this machine takes for nothing. */
	readonly blankMedianMs: number;
	readonly blankBestMs: number;
	/** From the navigation until a tile was struck and the cash taken, and that is saved and said. */
	readonly firstSaleMs: number;
	/** The longest time in which the page answered nobody, in the seconds after the till stood. */
	readonly longestTaskMs: number;
}

/** How long a profile's till takes to stand, with no network, its app kept by the service worker. */
export async function timeTills(profile: string, runs: number): Promise<TillFigures> {
	await using browser = await openBareBrowser(profile);
	await keepApp(browser);
	await using empty = await serveBlank();
	const tills: number[] = [];
	const blanks: number[] = [];
	let longestTaskMs = 0;
	// The first start after an update is not an ordinary one.
	for (let run = -1; run < runs; run += 1) {
		const blank = await timeToTill(browser, empty.path);
		const till = await timeToTill(browser, '/shop/sell');
		if (run < 0) continue;
		blanks.push(blank.tillAt);
		tills.push(till.tillAt);
		longestTaskMs = Math.max(longestTaskMs, till.longest);
	}
	const floor = quantiles(blanks);
	return {
		runsMs: tills,
		...quantiles(tills),
		bestMs: Math.min(...tills),
		blankMedianMs: floor.medianMs,
		blankBestMs: Math.min(...blanks),
		firstSaleMs: await timeToSale(browser),
		longestTaskMs
	};
}

/** Opens the app with the network there, until its worker has all of it. */
async function keepApp(browser: BareBrowser): Promise<void> {
	await using site = await serveSeed();
	await using page = await browser.open();
	const url = `${site.origin}/shop/sell`;
	await goTo(page, url);
	await page.evaluate(`(${forgetApp.toString()})()`);
	await goTo(page, 'about:blank');
	await goTo(page, url);
	await page.evaluate('navigator.serviceWorker.ready.then(() => undefined)');
	// Once by the worker, too.
	await goTo(page, url);
	await until(page, 'navigator.serviceWorker.controller !== null');
}

/** In the page: what an earlier run kept may be another build. */
async function forgetApp(): Promise<void> {
	for (const one of await navigator.serviceWorker.getRegistrations()) await one.unregister();
	for (const name of await caches.keys()) await caches.delete(name);
}

async function goTo(page: BarePage, url: string): Promise<void> {
	await page.send('Page.navigate', { url });
	await until(
		page,
		`location.href === ${JSON.stringify(url)} && document.readyState === 'complete'`
	);
}

async function until(page: BarePage, expression: string): Promise<unknown> {
	const end = performance.now() + WITHIN_MS;
	for (;;) {
		const value = await page.evaluate(expression).catch(() => undefined);
		if (value !== undefined && value !== false && value !== null) return value;
		if (performance.now() > end) throw new Error(`it never came to ${expression}`);
		await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
	}
}

async function serveBlank(): Promise<AsyncDisposable & { readonly path: string }> {
	const server = createServer((request, response) => {
		response.statusCode = request.url === BLANK ? 200 : 503;
		response.setHeader('content-type', 'text/html');
		response.end('<!doctype html><div class="tiles"><button class="tile">Bread</button></div>');
	});
	server.listen(SEED_PORT, 'localhost');
	await once(server, 'listening');
	return {
		path: BLANK,
		[Symbol.asyncDispose]: async () => {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		}
	};
}

async function openSlow(browser: BareBrowser, script: () => void): Promise<BarePage> {
	const page = await browser.open();
	await page.send('Page.enable');
	await page.send('Page.addScriptToEvaluateOnNewDocument', { source: `(${script.toString()})()` });
	await page.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
	return page;
}

async function timeToTill(
	browser: BareBrowser,
	path: string
): Promise<{ readonly tillAt: number; readonly longest: number }> {
	await using page = await openSlow(browser, watchTill);
	await page.send('Page.navigate', { url: `${SEED_ORIGIN}${path}` });
	const tillAt = Math.round(Number(await until(page, 'window.tillAt')));
	await new Promise((resolve) => setTimeout(resolve, AFTER_MS));
	return { tillAt, longest: Math.round(Number(await page.evaluate('window.longestTask'))) };
}

/** A person who taps as soon as there is something to tap. */
async function timeToSale(browser: BareBrowser): Promise<number> {
	await using page = await openSlow(browser, watchTill);
	await page.send('Page.navigate', { url: `${SEED_ORIGIN}/shop/sell` });
	await until(page, 'window.tillAt');
	const sale = `(${sellInPage.toString()})(${JSON.stringify(say('sell.exact'))})`;
	return Math.round(Number(await page.evaluate(sale)));
}

/**
 * In the page: strikes a tile, then the button for the exact cash; ms from the start until it is said
 * and painted. By hand: a driver that looks for names takes more of a slow phone than the sale does.
 */
export async function sellInPage(exact: string): Promise<number> {
	const frame = (): Promise<unknown> => new Promise((resolve) => requestAnimationFrame(resolve));
	document.querySelector<HTMLElement>('.tiles .tile:not(.by-amount)')?.click();
	const button = (): HTMLButtonElement | undefined =>
		[...document.querySelectorAll('button')].find(
			(one) =>
				one.textContent.trim().startsWith(exact) && one.offsetParent !== null && !one.disabled
		);
	while (button() === undefined) await frame();
	button()?.click();
	while (!location.pathname.endsWith('/done')) await frame();
	await frame();
	await new Promise((resolve) => setTimeout(resolve));
	return performance.now();
}

/** Waits until the worker has the app as it is built now, though an earlier run had kept another. */
export async function isControlled(page: Page): Promise<void> {
	await page.evaluate(forgetApp);
	// A worker whose page is still there is taken up again as it is, with no files behind it.
	const url = page.url();
	await page.goto('about:blank');
	await page.goto(url);
	await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
	await page.reload();
	await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
}

export async function slowDown(page: Page): Promise<void> {
	const session = await page.context().newCDPSession(page);
	await session.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
}

/** In the page: when its tiles stand and a tap would be answered, and the longest task after it. */
export function watchTill(): void {
	const look = (): void => {
		if (document.querySelector('.tiles .tile:not(.by-amount)') === null) {
			requestAnimationFrame(look);
			return;
		}
		// Painted, and with nothing before a tap in the queue.
		requestAnimationFrame(() => {
			setTimeout(() => {
				Object.assign(window, { tillAt: performance.now(), longestTask: 0 });
				new PerformanceObserver((list) => {
					const longest = Math.max(...list.getEntries().map(({ duration }) => duration));
					const before = Number(Reflect.get(window, 'longestTask'));
					Object.assign(window, { longestTask: Math.max(before, longest) });
				}).observe({ type: 'longtask' });
			});
		});
	};
	requestAnimationFrame(look);
}

export function quantiles(times: readonly number[]): {
	readonly medianMs: number;
	readonly p95Ms: number;
} {
	const sorted = times.toSorted((a, b) => a - b);
	const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? NaN;
	return { medianMs: at(0.5), p95Ms: at(0.95) };
}
