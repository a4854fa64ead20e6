import type { BrowserContext, Page } from '@playwright/test';
import { openProfile, SEED_ORIGIN, serveSeed } from './seed-years-stand.ts';

export const SLOWER = 6;
const AFTER_MS = 8_000;

export interface TillFigures {
	readonly runsMs: readonly number[];
	readonly medianMs: number;
	readonly p95Ms: number;
	/** The longest time in which the page answered nobody, in the seconds after the till stood. */
	readonly longestTaskMs: number;
}

/** How long a profile's till takes to stand, with no network, its app kept by the service worker. */
export async function timeTills(profile: string, runs: number): Promise<TillFigures> {
	const context = await openProfile(profile);
	try {
		await keepApp(context);
		await context.setOffline(true);
		const times: number[] = [];
		let longestTaskMs = 0;
		// The first start after an update is not an ordinary one.
		for (let run = -1; run < runs; run += 1) {
			const { tillAt, longest } = await timeToTill(context);
			if (run < 0) continue;
			times.push(tillAt);
			longestTaskMs = Math.max(longestTaskMs, longest);
		}
		return { runsMs: times, ...quantiles(times), longestTaskMs };
	} finally {
		await context.close();
	}
}

/** Opens the app with the network there, until its worker has all of it. */
async function keepApp(context: BrowserContext): Promise<void> {
	await using site = await serveSeed();
	const page = await context.newPage();
	await page.goto(`${site.origin}/shop/sell`);
	await isControlled(page);
	await page.close();
}

/** Waits until the worker has the app as it is built now, though an earlier run had kept another. */
export async function isControlled(page: Page): Promise<void> {
	await page.evaluate(async () => {
		for (const one of await navigator.serviceWorker.getRegistrations()) await one.unregister();
		for (const name of await caches.keys()) await caches.delete(name);
	});
	await page.reload();
	await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
	await page.reload();
	await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
}

async function timeToTill(
	context: BrowserContext
): Promise<{ readonly tillAt: number; readonly longest: number }> {
	const page = await context.newPage();
	await slowDown(page);
	await page.addInitScript(watchTill);
	await page.goto(`${SEED_ORIGIN}/shop/sell`);
	const handle = await page.waitForFunction(() => Reflect.get(window, 'tillAt') as unknown);
	const tillAt = Math.round(Number(await handle.jsonValue()));
	await page.waitForTimeout(AFTER_MS);
	const longest = await page.evaluate(() => Number(Reflect.get(window, 'longestTask')));
	await page.close();
	return { tillAt, longest: Math.round(longest) };
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
