import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from '@playwright/test';
import { signUpCustomer } from './people.ts';
import { amountTile, button, expect, openTill, readyOffline, say, tapPad, test } from './stand.ts';

interface Manifest {
	readonly id: string;
	readonly start_url: string;
	readonly scope: string;
	readonly icons: readonly {
		readonly src: string;
		readonly sizes: string;
		readonly purpose?: string;
	}[];
}

for (const { room, enter } of [
	{ room: 'the shop', enter: openTill },
	{ room: "the customer's part", enter: signUpCustomer }
]) {
	test(`${room} can be installed (N1, G1)`, async ({ page }) => {
		await enter(page);
		const address = await page.locator('link[rel=manifest]').getAttribute('href');
		expect(address).not.toBeNull();
		const response = await page.request.get(address ?? '');
		expect(response.headers()['content-type']).toContain('application/manifest+json');
		const manifest = (await response.json()) as Manifest;

		for (const { src, sizes } of manifest.icons) expect(await sizeOf(page, src)).toContain(sizes);
		expect(manifest.icons.map(({ purpose }) => purpose)).toContain('maskable');
		const session = await page.context().newCDPSession(page);
		const { errors } = await session.send('Page.getAppManifest');
		expect(errors).toEqual([]);
		const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
		expect(
			installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito')
		).toEqual([]);

		await page.goto(manifest.start_url);
		await expect(page.locator('h1').first()).toBeAttached();
		expect(new URL(page.url()).pathname.startsWith(manifest.scope)).toBe(true);
	});
}

test('a newer Daftar waits until its person takes it, and never breaks into an open sale (N4)', async ({
	page,
	baseURL
}) => {
	const release = await serveReleases(baseURL ?? '');
	try {
		await page.goto(`${release.url}/shop/sell`);
		await expect(amountTile(page)).toBeVisible();
		await readyOffline(page);
		await amountTile(page).click();
		await tapPad(page, '70');
		await button(page, say('sell.addToSale')).click();

		release.next();
		await page.reload();
		const news = page.getByText(say('strip.newer'));
		await expect(button(page, say('sell.exact'))).toBeVisible();
		await page.waitForFunction(async () => {
			const registration = await navigator.serviceWorker.getRegistration();
			return registration?.waiting?.state === 'installed';
		});
		await expect(news).toBeHidden();
		await button(page, say('sell.exact')).click();
		await button(page, say('done.newSale')).click();
		await expect(news).toBeVisible();

		const reloaded = page.waitForEvent('load');
		await button(page, say('strip.newer.take')).click();
		await reloaded;
		await expect(amountTile(page)).toBeVisible();
		const hasWaiting = await page.evaluate(async () => {
			const registration = await navigator.serviceWorker.getRegistration();
			return registration?.waiting !== null;
		});
		expect(hasWaiting).toBe(false);
		await expect(news).toBeHidden();
	} finally {
		await release.close();
	}
});

/** As a manifest says it: `192x192`; a drawing fits every size. */
async function sizeOf(page: Page, src: string): Promise<string> {
	return page.evaluate(async (address) => {
		const image = new Image();
		image.src = address;
		await image.decode();
		const { naturalWidth, naturalHeight } = image;
		return address.endsWith('.svg') ? 'any' : `${String(naturalWidth)}x${String(naturalHeight)}`;
	}, src);
}

interface Releases {
	readonly url: string;
	/** From now on a newer build is served. */
	next(): void;
	close(): Promise<void>;
}

/** The server's files at an address of their own, with a service worker that changes. */
async function serveReleases(origin: string): Promise<Releases> {
	let version = 1;
	const server = createServer((request, response) => {
		const path = request.url ?? '/';
		void fetch(origin + path).then(async (answer) => {
			const body = Buffer.from(await answer.arrayBuffer());
			for (const name of ['content-type', 'content-security-policy', 'cache-control']) {
				const value = answer.headers.get(name);
				if (value !== null) response.setHeader(name, value);
			}
			response.writeHead(answer.status);
			response.end(
				path === '/service-worker.js' ? `${body.toString()}\n// ${String(version)}` : body
			);
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return {
		url: `http://localhost:${String(portOf(server))}`,
		next: () => {
			version += 1;
		},
		close: async () => {
			const closed = new Promise((resolve) => server.close(resolve));
			server.closeAllConnections();
			await closed;
		}
	};
}

function portOf(server: Server): number {
	return (server.address() as AddressInfo).port;
}
