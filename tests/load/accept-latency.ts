// `node tests/load/accept-latency.ts`: how long from a tap on "I agree" on the customer's phone to the
// mark on the shop's, both online on this machine; and from the last digit of a paper code to "fits"
// on a phone four times slower, with no network. Prints both; builds nothing.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { chromium } from '@playwright/test';
import { startEmbeddedPostgres } from '#server/database/embedded.ts';
import { launchWhole } from '../e2e/browser.ts';
import { askLater, choice, connect, makeCodes } from '../e2e/connected.ts';
import { startServer } from '../e2e/server-process.ts';
import { writeRecord } from '../e2e/shop.ts';
import { button, expect, go, readyOffline, say } from '../e2e/stand.ts';

const ACCEPTS = 30;
const SETS = 4;
const SLOWER = 4;
const DIGITS = 8;

await using undo = new AsyncDisposableStack();
const folder = await mkdtemp(path.join(os.tmpdir(), 'daftar-bench-'));
undo.defer(() => rm(folder, { recursive: true, force: true }));
const postgres = await startEmbeddedPostgres({ dataDir: folder });
undo.defer(postgres.stop);
const server = await startServer({ databaseUrl: postgres.url });
undo.defer(() => server.stop());
const browser = await chromium.launch(launchWhole);
undo.defer(() => browser.close());

const { shop, amina, aminasPage } = await connect(async () => {
	const context = await browser.newContext({
		baseURL: server.url,
		viewport: { width: 360, height: 640 },
		locale: 'en-KE',
		timezoneId: 'Africa/Nairobi'
	});
	return context.newPage();
});
await readyOffline(shop);

const accepts: number[] = [];
for (let run = 0; run < ACCEPTS; run += 1) accepts.push(await timeAccept());
print({ acceptToMark: accepts.length, ...figures(accepts) });

const fits: number[] = [];
for (let set = 0; set < SETS; set += 1) fits.push(...(await timeCodes()));
print({ codeToFits: fits.length, slower: SLOWER, ...figures(fits) });

/** From the tap to the mark as it is painted on the other phone, ms. */
async function timeAccept(): Promise<number> {
	await writeRecord(shop, 'gave', '5');
	await askLater(shop);
	await go(amina, '/me/answer');
	await expect(amina.locator('article.slip')).toHaveCount(1);
	const agreed = shop.evaluate(painted, '.thread li:last-child .mark[data-state="agreed"]');
	const tapped = amina.evaluate(tappedAt);
	await button(amina, say('me.agree')).click();
	return Math.round((await agreed) - (await tapped));
}

/** Of one set of codes, each from its last digit to the stamp as it is painted, ms. */
async function timeCodes(): Promise<readonly number[]> {
	const codes = await makeCodes(amina, '100');
	await go(shop, `${aminasPage}/link`);
	await expect(shop.getByText(/^5 left, each for up to/)).toBeVisible();
	await go(shop, aminasPage);
	await shop.context().setOffline(true);
	const session = await shop.context().newCDPSession(shop);
	await session.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
	const times: number[] = [];
	for (const code of codes) times.push(await timeCode(code));
	await session.send('Emulation.setCPUThrottlingRate', { rate: 1 });
	await session.detach();
	await shop.context().setOffline(false);
	// Filed, so that the next set finds the shop as it was.
	await expect(shop.locator('.mark[data-state="evidence"]')).toHaveCount(0);
	return times;
}

async function timeCode(code: string): Promise<number> {
	await writeRecord(shop, 'gave', '5');
	await choice(shop, say('counter.paper')).click();
	const pad = shop.getByRole('dialog').getByRole('group', { name: say('pad') });
	for (const digit of code.slice(0, DIGITS - 1))
		await pad.getByRole('button', { name: digit, exact: true }).click();
	const fit = shop.evaluate(painted, 'dialog .fits');
	const tapped = shop.evaluate(tappedAt);
	await pad.getByRole('button', { name: code.slice(DIGITS - 1), exact: true }).click();
	const took = Math.round((await fit) - (await tapped));
	await button(shop, say('counter.fits.done')).click();
	return took;
}

/** In the page: when the next tap falls, ms since 1970 by this machine's one clock. */
function tappedAt(): Promise<number> {
	return new Promise((resolve) => {
		addEventListener(
			'pointerdown',
			() => {
				resolve(performance.timeOrigin + performance.now());
			},
			{ capture: true, once: true }
		);
	});
}

/** In the page: when what is looked for is there and painted, in the same time. */
function painted(selector: string): Promise<number> {
	return new Promise((resolve) => {
		const look = (): void => {
			if (document.querySelector(selector) === null) return;
			observer.disconnect();
			requestAnimationFrame(() => {
				setTimeout(() => {
					resolve(performance.timeOrigin + performance.now());
				});
			});
		};
		const observer = new MutationObserver(look);
		observer.observe(document.body, {
			subtree: true,
			childList: true,
			attributes: true,
			attributeFilter: ['data-state', 'class']
		});
	});
}

function figures(times: readonly number[]): object {
	const sorted = times.toSorted((a, b) => a - b);
	const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? NaN;
	return { medianMs: at(0.5), p95Ms: at(0.95), mostMs: at(1), runsMs: times };
}

function print(said: object): void {
	process.stdout.write(`${JSON.stringify(said)}\n`);
}
