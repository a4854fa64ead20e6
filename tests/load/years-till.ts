import { createServer } from 'node:http';
import { once } from 'node:events';
import type { Page } from '@playwright/test';
import { VIEW_KEY } from '#ui/first-view.ts';
import { say } from '../e2e/words.ts';
import { openBareBrowser, type BareBrowser, type BarePage } from './bare-browser.ts';
import { SEED_ORIGIN, SEED_PORT, serveSeed } from './seed-years-stand.ts';

export const SLOWER = 6;
const AFTER_MS = 3_000;
const LOOK_MS = 25;
const WITHIN_MS = 60_000;
/** The worker hands on to the network what is the relay's: here there is one empty page. */
const BLANK = '/api/blank';
/** A page of the app that needs no book. */
const FRAME = '/signin';

export interface TillFigures {
	/**
	 * From the navigation of a new tab until tiles are painted, and a tap is taken and nothing is before
	 * it in the queue: by the view that was kept of the till (FIRST-6), or by the app.
	 */
	readonly runsMs: readonly number[];
	readonly medianMs: number;
	readonly bestMs: number;
	readonly p95Ms: number;
	/** Until the app's own till is painted, and does at once what is struck, or was struck before. */
	readonly appMedianMs: number;
	readonly appBestMs: number;
	/** The same of an empty page with one button, in turn with the till: what this machine takes for nothing. */
	readonly blankMedianMs: number;
	readonly blankBestMs: number;
	/** The same of a page of the app that opens no book, where one signs in: what framework and worker take. */
	readonly frameMedianMs: number;
	readonly frameBestMs: number;
	/** What the page's own thread worked until the app stood, its slowness in it: waiting for a core is not. */
	readonly workMedianMs: number;
	readonly blankWorkMedianMs: number;
	readonly frameWorkMedianMs: number;
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
	const [tills, blanks, frames]: [Start[], Start[], Start[]] = [[], [], []];
	// The first start after an update is not an ordinary one.
	for (let run = -1; run < runs; run += 1) {
		const blank = await timeToTill(browser, empty.path);
		const frame = await timeToTill(browser, FRAME);
		const till = await timeToTill(browser, '/shop/sell', AFTER_MS);
		if (run < 0) continue;
		blanks.push(blank);
		frames.push(frame);
		tills.push(till);
	}
	const [till, blank, frame] = [figuresOf(tills), figuresOf(blanks), figuresOf(frames)];
	return {
		runsMs: tills.map(({ tillAt }) => tillAt),
		...till,
		...appOf(tills),
		blankMedianMs: blank.medianMs,
		blankBestMs: blank.bestMs,
		blankWorkMedianMs: blank.workMedianMs,
		frameMedianMs: frame.medianMs,
		frameBestMs: frame.bestMs,
		frameWorkMedianMs: frame.workMedianMs,
		firstSaleMs: await timeToSale(browser),
		longestTaskMs: Math.max(...tills.map(({ longest }) => longest))
	};
}

interface Start {
	readonly tillAt: number;
	readonly appAt: number;
	readonly worked: number;
	readonly longest: number;
}

function figuresOf(
	starts: readonly Start[]
): Pick<TillFigures, 'medianMs' | 'p95Ms' | 'bestMs' | 'workMedianMs'> {
	const times = starts.map(({ tillAt }) => tillAt);
	const { medianMs: workMedianMs } = quantiles(starts.map(({ worked }) => worked));
	return { ...quantiles(times), bestMs: Math.min(...times), workMedianMs };
}

function appOf(starts: readonly Start[]): Pick<TillFigures, 'appMedianMs' | 'appBestMs'> {
	const times = starts.map(({ appAt }) => appAt);
	return { appMedianMs: quantiles(times).medianMs, appBestMs: Math.min(...times) };
}

const KEPT = 'caches.match("/index.html", { ignoreSearch: true }).then((one) => one?.ok)';

/** Opens the app with the network there, until its worker has all of it, and the till as it was left. */
async function keepApp(browser: BareBrowser): Promise<void> {
	await using site = await serveSeed();
	await using page = await browser.open();
	const url = `${site.origin}/shop/sell`;
	// What an earlier run kept may be another build.
	const storageTypes = 'service_workers,cache_storage,local_storage';
	await page.send('Storage.clearDataForOrigin', { origin: site.origin, storageTypes });
	await goTo(page, url);
	await until(page, KEPT);
	await page.evaluate('navigator.serviceWorker.ready.then(() => undefined)');
	// By the worker, as on any later day; what it read of the book and its tiles are known by then.
	await goTo(page, url);
	await until(page, 'navigator.serviceWorker.controller !== null');
	await until(page, `document.querySelector('.tiles .tile:not(.by-amount)') !== null`);
	// As people leave a till: they put it away, and it keeps how it stood.
	await page.evaluate(`(${putAway.toString()})()`);
	await until(page, `localStorage.getItem('${VIEW_KEY}') !== null`);
}

/** In the page: for all that it knows nobody looks at it any more. */
function putAway(): void {
	Object.defineProperty(document, 'visibilityState', { value: 'hidden' });
	document.dispatchEvent(new Event('visibilitychange'));
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

const EMPTY_PAGE = '<!doctype html><div class="tiles"><button class="tile">Bread</button></div>';

async function serveBlank(): Promise<AsyncDisposable & { readonly path: string }> {
	const server = createServer((request, response) => {
		response.statusCode = request.url === BLANK ? 200 : 503;
		response.setHeader('content-type', 'text/html');
		// A till that came from here were none.
		response.end(request.url === BLANK ? EMPTY_PAGE : 'no network');
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

async function timeToTill(browser: BareBrowser, path: string, afterMs = 0): Promise<Start> {
	await using page = await openSlow(browser, watchTill);
	await page.send('Performance.enable', { timeDomain: 'threadTicks' });
	await page.send('Page.navigate', { url: `${SEED_ORIGIN}${path}` });
	const tillAt = Math.round(Number(await until(page, 'window.tillAt')));
	const appAt = Math.round(Number(await until(page, 'window.appAt')));
	const worked = await workOf(page);
	await new Promise((resolve) => setTimeout(resolve, afterMs));
	const longest = Math.round(Number(await page.evaluate('window.longestTask')));
	return { tillAt, appAt, worked, longest };
}

/** What the page's own thread worked since the navigation, ms. */
async function workOf(page: BarePage): Promise<number> {
	const { metrics } = (await page.send('Performance.getMetrics')) as {
		metrics: readonly { readonly name: string; readonly value: number }[];
	};
	const { value = NaN } = metrics.find(({ name }) => name === 'TaskDuration') ?? {};
	return Math.round(value * 1_000);
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

/**
 * In the page: when its tiles stand and a tap would be taken, when they are the app's own, and the
 * longest task after the first.
 */
export function watchTill(): void {
	const ready = '.tiles .tile:not(.by-amount), form button';
	const when = (isThere: () => boolean, then: (at: number) => void): void => {
		const look = (): void => {
			if (!isThere()) requestAnimationFrame(look);
			// Painted, and with nothing before a tap in the queue.
			else
				requestAnimationFrame(() =>
					setTimeout(() => {
						then(performance.now());
					})
				);
		};
		requestAnimationFrame(look);
	};
	when(
		() => document.querySelector(`body > div:first-of-type :is(${ready})`) !== null,
		(appAt) => Object.assign(window, { appAt })
	);
	when(
		() => document.querySelector(ready) !== null,
		(tillAt) => {
			Object.assign(window, { tillAt, longestTask: 0 });
			new PerformanceObserver((list) => {
				const longest = Math.max(...list.getEntries().map(({ duration }) => duration));
				const before = Number(Reflect.get(window, 'longestTask'));
				Object.assign(window, { longestTask: Math.max(before, longest) });
			}).observe({ type: 'longtask' });
		}
	);
}

export function quantiles(times: readonly number[]): {
	readonly medianMs: number;
	readonly p95Ms: number;
} {
	const sorted = times.toSorted((a, b) => a - b);
	const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? NaN;
	return { medianMs: at(0.5), p95Ms: at(0.95) };
}
