import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Hono } from 'hono';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApp } from './app.ts';
import { createLog } from './log.ts';
import { contentSecurityPolicy, createSite } from './site.ts';

const PAGE = '<!doctype html><script src="/a.js"></script><script>start()</script>';

let folder: string;
let app: Hono;
beforeAll(async () => {
	folder = await mkdtemp(path.join(os.tmpdir(), 'daftar-site-'));
	await mkdir(path.join(folder, '_app/immutable'), { recursive: true });
	await writeFile(path.join(folder, 'index.html'), PAGE);
	await writeFile(path.join(folder, 'service-worker.js'), 'self');
	await writeFile(path.join(folder, '_app/immutable/a.js'), 'a');
	await writeFile(path.join(folder, '_app/immutable/a.js.gz'), 'zipped');

	const api = new Hono();
	api.get('/well', (c) => c.json('well'));
	api.get('/gone', () => {
		throw new Error('query', { cause: Object.assign(new Error('closed'), { code: '57P01' }) });
	});
	api.get('/wrong', () => {
		throw new Error('private words');
	});
	app = createApp({ api, site: await createSite(folder), log: createLog('silent') });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each([
	['/', { status: 200, cacheControl: 'no-cache', body: PAGE }],
	['/shop/sell', { status: 200, cacheControl: 'no-cache', body: PAGE }],
	['/me/', { status: 200, cacheControl: 'no-cache', body: PAGE }],
	['/service-worker.js', { status: 200, cacheControl: 'no-cache', body: 'self' }],
	[
		'/_app/immutable/a.js',
		{ status: 200, cacheControl: 'public, max-age=31536000, immutable', body: 'a' }
	],
	['/api/well', { status: 200, cacheControl: 'no-store', body: '"well"' }],
	[
		'/api/none',
		{ status: 404, cacheControl: 'no-store', body: '{"status":404,"code":"notFound"}' }
	],
	['/api', { status: 404, cacheControl: 'no-store', body: '{"status":404,"code":"notFound"}' }],
	['/sync/none', { status: 404, cacheControl: null, body: '{"status":404,"code":"notFound"}' }],
	[
		'/_app/immutable/old.js',
		{ status: 404, cacheControl: null, body: '{"status":404,"code":"notFound"}' }
	],
	[
		'/_app/immutable/old',
		{ status: 404, cacheControl: null, body: '{"status":404,"code":"notFound"}' }
	],
	['/icon.png', { status: 404, cacheControl: null, body: '{"status":404,"code":"notFound"}' }],
	[
		'/%2e%2e/secret.txt',
		{ status: 404, cacheControl: null, body: '{"status":404,"code":"notFound"}' }
	],
	[
		'/api/gone',
		{ status: 503, cacheControl: 'no-store', body: '{"status":503,"code":"databaseGone"}' }
	],
	['/api/wrong', { status: 500, cacheControl: 'no-store', body: '{"status":500,"code":"fault"}' }]
])('answers %s with %o', async (address, expected) => {
	const response = await app.request(address);
	expect({
		status: response.status,
		cacheControl: response.headers.get('cache-control'),
		body: await response.text(),
		nosniff: response.headers.get('x-content-type-options'),
		referrer: response.headers.get('referrer-policy'),
		policy: response.headers.get('content-security-policy')?.includes("frame-ancestors 'none'")
	}).toEqual({
		...expected,
		nosniff: 'nosniff',
		referrer: 'same-origin',
		policy: true
	});
});

it('sends what was compressed at the build to those who take it', async () => {
	const headers = { 'Accept-Encoding': 'gzip' };
	const response = await app.request('/_app/immutable/a.js', { headers });
	expect(response.headers.get('content-encoding')).toBe('gzip');
	expect(response.headers.get('cache-control')).toContain('immutable');
});

it('writes nothing with a page, whatever the method', async () => {
	expect((await app.request('/shop/sell', { method: 'POST' })).status).toBe(404);
});

it('allows the inline scripts of the page by their hash, and no other', () => {
	// printf 'start()' | openssl dgst -sha256 -binary | base64
	const hash = "'sha256-DIm7WJS6ZKDYe5qFLPy+h4JFI9Bol5QmYC57mt3Fb00='";
	const scripts = contentSecurityPolicy(PAGE).split('; ')[1];
	expect(scripts).toMatch(/^script-src 'self' 'sha256-[A-Za-z0-9+/]{43}=' 'wasm-unsafe-eval'$/);
	expect(scripts).toBe(`script-src 'self' ${hash} 'wasm-unsafe-eval'`);
});

it('refuses to start without a built app', async () => {
	await expect(createSite(path.join(folder, 'none'))).rejects.toThrow(/has not been built/);
});
