import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono, type MiddlewareHandler } from 'hono';

const HASHED = '/_app/immutable/';
const FOREVER = 'public, max-age=31536000, immutable';
const PAGE = 'index.html';

/** The built app as it is served, and the policy its pages need. */
export interface Site {
	readonly routes: Hono;
	readonly contentSecurityPolicy: string;
}

/** Reads the built app in `folder`, once. Throws one sentence where it has not been built. */
export async function createSite(folder: string): Promise<Site> {
	const page = await readFile(path.join(folder, PAGE), 'utf8').catch((cause: unknown) => {
		throw new Error(`The app has not been built into ${folder}: run npm start.`, { cause });
	});
	return { routes: siteRoutes(folder, page), contentSecurityPolicy: contentSecurityPolicy(page) };
}

/**
 * The policy for a page: scripts and styles from here only, inline only the scripts that this
 * page was built with, nobody may frame it. `wasm-unsafe-eval` is for the scanner's wasm; the
 * Trusted Types policies are Svelte's, SvelteKit's, the one that registers the worker and the one by
 * which the page takes its two scripts.
 */
export function contentSecurityPolicy(page: string): string {
	const inline = [...page.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)];
	const hashes = inline.map(([, script = '']) => `'sha256-${sha256(script)}'`);
	return [
		"default-src 'self'",
		["script-src 'self'", ...hashes, "'wasm-unsafe-eval'"].join(' '),
		"style-src 'self'",
		"style-src-attr 'unsafe-inline'",
		"img-src 'self' data: blob:",
		"media-src 'self' blob:",
		"worker-src 'self' blob:",
		"object-src 'none'",
		"base-uri 'none'",
		"form-action 'self'",
		"frame-ancestors 'none'",
		"require-trusted-types-for 'script'",
		'trusted-types svelte-trusted-html sveltekit-trusted-url app daftar-scripts'
	].join('; ');
}

function siteRoutes(folder: string, page: string): Hono {
	const files = serveStatic({ root: folder, precompressed: true });
	const site = new Hono();
	site.get('*', dated, files, (c) => {
		// A file that is missing must say so: a page in its place would be kept as a script.
		if (c.req.path.startsWith('/_app/') || path.extname(c.req.path) !== '') return c.notFound();
		return c.html(page);
	});
	return site;
}

/** A name with a hash in it never means another file; every other name is asked about each time. */
const dated: MiddlewareHandler = async (c, next) => {
	await next();
	if (c.res.ok) c.header('Cache-Control', c.req.path.startsWith(HASHED) ? FOREVER : 'no-cache');
};

function sha256(text: string): string {
	return createHash('sha256').update(text).digest('base64');
}
