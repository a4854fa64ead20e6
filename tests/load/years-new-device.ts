import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Page } from '@playwright/test';
import { say } from '../e2e/words.ts';
import type { SeededRelay } from './seed-years-shop.ts';
import { BUSY_SHOP, openProfile } from './seed-years-stand.ts';
import { openLine, type Line } from './years-line.ts';
import { isControlled, slowDown } from './years-till.ts';

const SLOW = { bytesASecond: 20_000, roundTripMs: 400 };
const LOOK_MS = 250;
const WITHIN_MS = 180_000;
/** On the quick line. */
const ALL_WITHIN_MS = 1_800_000;

export interface NewDeviceFigures {
	/** From "joined" to a sale that is saved. */
	readonly firstSaleMs: number;
	readonly kBAtFirstSale: number;
	/** From "joined" until every product in use is here, and every customer with the balance. */
	readonly productsMs: number;
	readonly customersMs: number;
	readonly kBAtCustomers: number;
	/** Then on a line as quick as this machine, until every ledger is whole. */
	readonly ledgersMs: number;
}

/** A phone that never was in the shop joins it over a slow line, the app being on it already. */
export async function timeNewDevice(relay: SeededRelay): Promise<NewDeviceFigures> {
	await using undo = new AsyncDisposableStack();
	const profile = await mkdtemp(path.join(os.tmpdir(), 'daftar-new-device-'));
	undo.defer(() => rm(profile, { recursive: true, force: true }));
	const line = undo.use(await openLine(Number(new URL(relay.url).port)));
	const context = await openProfile(profile);
	undo.defer(() => context.close());
	const origin = `http://localhost:${String(line.port)}`;
	const page = await context.newPage();
	await page.goto(`${origin}/join`);
	await isControlled(page);
	await slowDown(page);
	line.setSpeed(SLOW);

	const link = new URL(await relay.invite());
	// Another address than the one it is on, so that the page opens anew.
	await page.goto(`${origin}/signin`);
	await page.goto(`${origin}${link.pathname}${link.hash}`);
	await page.getByRole('button', { name: say('join.do') }).click();
	await page.getByRole('button', { name: say('join.toTill') }).waitFor({ timeout: WITHIN_MS });
	const joinedAt = performance.now();
	const bytesBefore = line.bytesDown;
	const kB = (): number => Math.round((line.bytesDown - bytesBefore) / 1_000);
	const since = (): number => Math.round(performance.now() - joinedAt);
	await page.getByRole('button', { name: say('join.toTill') }).click();
	await sellFirst(page);
	const sold = { firstSaleMs: since(), kBAtFirstSale: kB() };
	await until(page, ['products', BUSY_SHOP.products], WITHIN_MS);
	const productsMs = since();
	await until(page, ['customers', BUSY_SHOP.customers], WITHIN_MS);
	const come = { productsMs, customersMs: since(), kBAtCustomers: kB() };
	return { ...sold, ...come, ledgersMs: await timeLedgers(page, line) };
}

/** The first tile that stands is sold for exact cash. */
async function sellFirst(page: Page): Promise<void> {
	const tile = page.locator('.tiles .tile:not(.by-amount)').first();
	await tile.waitFor({ timeout: WITHIN_MS });
	await tile.click();
	await page.getByRole('button', { name: say('sell.exact'), exact: true }).click();
	await page.getByText(say('done.noChange'), { exact: true }).waitFor({ timeout: WITHIN_MS });
}

async function timeLedgers(page: Page, line: Line): Promise<number> {
	line.setSpeed(undefined);
	const from = performance.now();
	await until(page, ['bases', 0], ALL_WITHIN_MS);
	return Math.round(performance.now() - from);
}

async function until(
	page: Page,
	[table, count]: readonly [table: string, count: number],
	withinMs: number
): Promise<void> {
	const end = performance.now() + withinMs;
	while ((await page.evaluate(countOf, table)) !== count) {
		if (performance.now() > end) throw new Error(`${table} did not come to ${String(count)}`);
		await page.waitForTimeout(LOOK_MS);
	}
}

/** In the page: how many rows its book has in a table. */
export async function countOf(table: string): Promise<number> {
	const names = (await indexedDB.databases()).flatMap(({ name = '' }) =>
		/^daftar-[0-9a-f-]{36}/.test(name) && !name.includes(':') ? [name] : []
	);
	const counts = await Promise.all(
		names.map(
			(name) =>
				new Promise<number>((resolve) => {
					const request = indexedDB.open(name);
					request.onsuccess = () => {
						const database = request.result;
						const count = database.transaction(table).objectStore(table).count();
						count.onsuccess = () => {
							database.close();
							resolve(count.result);
						};
					};
				})
		)
	);
	return Math.max(0, ...counts);
}
