// `npm run bench:customers`: how fast a phone four times slower than this machine answers the
// customer list: 5,000 customers, 150,000 records, in the browser's own database. Prints p95.

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { chromium } from '@playwright/test';
import { build, type Rolldown } from 'vite';
import { launchWhole } from '../e2e/browser.ts';
import type * as InPage from './customer-list-page.ts';

const SIZE = { customers: 5_000, recordsEach: 30 };
const SLOWER = 4;
const ROUNDS = 12;
const ANSWER_MS_MAX = 100;

await using undo = new AsyncDisposableStack();
const folder = await mkdtemp(path.join(os.tmpdir(), 'daftar-bench-'));
undo.defer(() => rm(folder, { recursive: true, force: true }));
const script = await bundle(path.join(import.meta.dirname, 'customer-list-page.ts'));
const origin = await serve(script);

const context = await chromium.launchPersistentContext(path.join(folder, 'profile'), launchWhole);
undo.defer(() => context.close());
const page = await context.newPage();
await page.goto(origin);
const foldMs = await page.evaluate(
	async ({ customers, recordsEach }) => (await load()).fill(customers, recordsEach),
	SIZE
);
const session = await context.newCDPSession(page);
await session.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
const firstMs = await page.evaluate(async () => (await load()).first());
const times = await page.evaluate(async (rounds) => (await load()).next(rounds), ROUNDS);

const p95Ms = Object.fromEntries(
	Object.entries(times).map(([name, list]) => [name, Math.round(percentile(list, 0.95))])
);
const figures = {
	...SIZE,
	slower: SLOWER,
	foldMs: Math.round(foldMs),
	firstMs: Math.round(firstMs)
};
process.stdout.write(`${JSON.stringify({ ...figures, p95Ms, answerMsMax: ANSWER_MS_MAX })}\n`);

/** In the page: the functions of the bundle. */
declare function load(): Promise<typeof InPage>;

async function bundle(entry: string): Promise<string> {
	const built = await build({
		configFile: false,
		logLevel: 'error',
		build: { write: false, lib: { entry, formats: ['es'], fileName: 'page' } }
	});
	const [output] = (Array.isArray(built) ? built : [built]) as readonly Rolldown.RolldownOutput[];
	const chunk = output?.output[0];
	if (chunk?.type !== 'chunk') throw new Error('nothing was built');
	return chunk.code;
}

async function serve(code: string): Promise<string> {
	const html = '<script>globalThis.load = () => import("/page.js")</script>';
	const server = createServer((request, response) => {
		const isScript = request.url === '/page.js';
		response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
		response.end(isScript ? code : html);
	});
	await new Promise<void>((resolve) => {
		server.listen(0, '127.0.0.1', resolve);
	});
	undo.defer(
		() =>
			new Promise<void>((resolve) => {
				server.close(() => {
					resolve();
				});
			})
	);
	const address = server.address();
	if (address === null || typeof address === 'string') throw new Error('no port');
	return `http://127.0.0.1:${String(address.port)}/`;
}

function percentile(list: readonly number[], share: number): number {
	const sorted = list.toSorted((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
