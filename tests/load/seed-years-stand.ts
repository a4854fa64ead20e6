import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Readable } from 'node:stream';
import { serve } from '@hono/node-server';
import { chromium, type BrowserContext } from '@playwright/test';
import { Hono } from 'hono';
import { build, type Rolldown } from 'vite';
import type { Signer } from '#domain/crypto.ts';
import type { BranchId, BusinessId, DeviceCode, PersonId } from '#domain/ids.ts';
import { dayFromNumber } from '#domain/calendar.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { createSite } from '#server/site.ts';
import { createSigner } from '#state/web-crypto.ts';
import { launchWhole } from '../e2e/browser.ts';
import { deviceRows, type SeededDevice } from './seed-years-rows.ts';
import type * as InPage from './seed-years-page.ts';
import type { SeedKeys } from './seed-years-page.ts';
import { tradeOfYears, type DayOfTrade, type SeedShop, type ShopSize } from './seed-years-trade.ts';

/** A profile's data is of its origin, so that the port of the seed is always the same. */
export const SEED_PORT = 43_117;
export const SEED_ORIGIN = `http://localhost:${String(SEED_PORT)}`;

export const BUSY_SHOP: Omit<ShopSize, 'days'> = {
	salesADay: 1_000,
	products: 10_000,
	customers: 5_000
};
/** The relay's database is at its first epoch. */
const SEED_EPOCH = 1;

/** Files of a seed, which is made once and used again. */
export interface SeedFolder {
	readonly folder: string;
	readonly shop: SeedShop;
	readonly keys: SeedKeys;
}

const FOUNDER = 'A' as DeviceCode;
const DAYS_A_YEAR = 365;

export function daysOfYears(years: number): number {
	return Math.max(1, Math.round(years * DAYS_A_YEAR));
}

/** Beside the relay's own data: nothing that runs tests clears it. */
const SEEDS = path.join('data', 'years');

/** The folder in which a shop of so many years is kept. It ended the day before it was made. */
export function openYears(years: number, out?: string): Promise<SeedFolder> {
	const folder = path.join(out ?? SEEDS, String(daysOfYears(years)));
	const yesterday = dayFromNumber(Math.floor(Date.now() / DAY_MS) - 1);
	return openSeedFolder(path.resolve(folder), yesterday);
}

const DAY_MS = 86_400_000;

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/** The shop of a folder: its ids, and the key that its records are signed with. */
export async function openSeedFolder(folder: string, lastDay: string): Promise<SeedFolder> {
	await mkdir(folder, { recursive: true });
	const file = path.join(folder, 'shop.json');
	const held = await readFile(file, 'utf8').catch(() => undefined);
	const kept = held === undefined ? await mintShop(lastDay) : (JSON.parse(held) as KeptShop);
	if (held === undefined) await writeFile(file, JSON.stringify(kept));
	const { business, branch, person, keys } = kept;
	const signer = await signerOf(keys);
	const shop = { business, branch, person, lastDay: kept.lastDay };
	return { folder, keys, shop: { ...shop, signer, crypto: createNodeCrypto() } };
}

export async function signerOf({ privateKey, publicKey }: SeedKeys): Promise<Signer> {
	const { subtle } = crypto;
	return createSigner({
		privateKey: await subtle.importKey('jwk', privateKey, CURVE, false, ['sign']),
		publicKey: await subtle.importKey('jwk', publicKey, CURVE, true, ['verify'])
	});
}

interface KeptShop {
	readonly business: BusinessId;
	readonly branch: BranchId;
	readonly person: PersonId;
	readonly lastDay: string;
	readonly keys: SeedKeys;
}

export async function mintKeys(): Promise<SeedKeys> {
	const { subtle } = crypto;
	const pair = await subtle.generateKey(CURVE, true, ['sign', 'verify']);
	return {
		privateKey: await subtle.exportKey('jwk', pair.privateKey),
		publicKey: await subtle.exportKey('jwk', pair.publicKey)
	};
}

async function mintShop(lastDay: string): Promise<KeptShop> {
	return {
		business: crypto.randomUUID() as BusinessId,
		branch: crypto.randomUUID() as BranchId,
		person: crypto.randomUUID() as PersonId,
		lastDay,
		keys: await mintKeys()
	};
}

/** A device of the shop, and its key. */
export interface SeedDevice {
	readonly code: DeviceCode;
	readonly keys: SeedKeys;
}

export interface ProfileSeed {
	readonly size: ShopSize;
	/** Of the last days of the trade the device knows nothing: it was away. */
	readonly missingDays: number;
	readonly feedBefore: number;
	/** Another than the founder's device: one that wrote nothing. */
	readonly device?: SeedDevice;
}

/** Makes a browser profile in `{folder}/{name}` that holds the device's years; where it is there already, nothing. */
export async function seedProfile(
	{ folder, shop, ...seed }: SeedFolder,
	name: string,
	{ size, missingDays, feedBefore, device }: ProfileSeed
): Promise<string> {
	const profile = path.join(folder, name);
	const mark = path.join(profile, 'seeded.json');
	const wanted = JSON.stringify({ size, missingDays, feedBefore, code: device?.code, form: 3 });
	if ((await readFile(mark, 'utf8').catch(() => '')) === wanted) return profile;
	const trade = daysOf(tradeOfYears(size, shop), size.days + 1 - missingDays);
	const { code, keys } = device ?? { code: FOUNDER, keys: seed.keys };
	const of: SeededDevice = { shop, code, epoch: SEED_EPOCH, feedBefore };
	await using stand = await serveSeed(() => deviceRows(trade, of));
	await rm(profile, { recursive: true, force: true });
	const context = await openProfile(profile);
	try {
		const page = await context.newPage();
		await page.goto(`${stand.origin}/seed`);
		await page.evaluate(
			async ({ business, keys }) => (await load()).fill(business as never, '/seed/rows', keys),
			{ business: shop.business, keys }
		);
	} finally {
		await context.close();
	}
	await writeFile(mark, wanted);
	return profile;
}

/** The profile of the founder's device of a shop of so many years. */
export function profileOfYears(seed: SeedFolder, years: number): Promise<string> {
	const size = { days: daysOfYears(years), ...BUSY_SHOP };
	return seedProfile(seed, 'profile', { size, missingDays: 0, feedBefore: 0 });
}

/** In the page: the functions of the bundle. */
declare function load(): Promise<typeof InPage>;

export function openProfile(profile: string): Promise<BrowserContext> {
	return chromium.launchPersistentContext(profile, {
		...launchWhole,
		viewport: { width: 360, height: 640 },
		locale: 'en-KE',
		timezoneId: 'Africa/Nairobi'
	});
}

async function* daysOf(trade: AsyncIterable<DayOfTrade>, days: number): AsyncGenerator<DayOfTrade> {
	let count = 0;
	for await (const day of trade) {
		if (count >= days) return;
		count += 1;
		yield day;
	}
}

export interface SeedServer extends AsyncDisposable {
	readonly origin: string;
}

type Rows = () => ReturnType<typeof deviceRows>;

/** Serves the built app without a relay, and the rows of a seed where there are any. */
export async function serveSeed(rows?: Rows, port = SEED_PORT): Promise<SeedServer> {
	const folder = path.resolve(SEEDS, 'site');
	// Another build must not change the files under a run.
	await rm(folder, { recursive: true, force: true });
	await cp('build', folder, { recursive: true });
	const { routes } = await createSite(folder);
	const app = new Hono();
	if (rows !== undefined) app.route('/seed', await seedRoutes(rows));
	app.route('/', routes);
	const server = serve({ fetch: app.fetch, port, hostname: 'localhost' });
	await new Promise<void>((resolve, reject) => {
		server.once('listening', resolve);
		server.once('error', reject);
	});
	const { port: open } = server.address() as AddressInfo;
	return {
		origin: `http://localhost:${String(open)}`,
		[Symbol.asyncDispose]: () =>
			new Promise((resolve) => {
				server.close(() => {
					resolve();
				});
				if ('closeAllConnections' in server) server.closeAllConnections();
			})
	};
}

async function seedRoutes(rows: Rows): Promise<Hono> {
	const script = await bundle(path.join(import.meta.dirname, 'seed-years-page.ts'));
	const page = '<script>globalThis.load = () => import("/seed/page.js")</script>';
	const routes = new Hono();
	routes.get('/', (c) => c.html(page));
	routes.get('/page.js', (c) => c.body(script, 200, { 'content-type': 'text/javascript' }));
	routes.get('/rows', (c) =>
		c.body(Readable.toWeb(Readable.from(linesOf(rows()))) as ReadableStream)
	);
	return routes;
}

async function* linesOf(pieces: ReturnType<typeof deviceRows>): AsyncGenerator<string> {
	for await (const piece of pieces) {
		const line = JSON.stringify(piece, (_key, value: unknown) =>
			typeof value === 'bigint' ? `\u0001${value.toString()}` : value
		);
		yield `${line}\n`;
	}
}

async function bundle(entry: string): Promise<string> {
	const built = await build({
		configFile: false,
		logLevel: 'error',
		build: {
			write: false,
			lib: { entry, formats: ['es'], fileName: 'page' },
			rolldownOptions: { output: { codeSplitting: false } }
		}
	});
	const [output] = (Array.isArray(built) ? built : [built]) as readonly Rolldown.RolldownOutput[];
	const chunk = output?.output[0];
	if (chunk?.type !== 'chunk') throw new Error('nothing was built');
	return chunk.code;
}
