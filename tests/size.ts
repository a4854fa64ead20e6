import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

/** What a phone fetches of the app as it was last built, in bytes after gzip. */
export interface AppSize {
	/** JavaScript of a fresh phone that opens the welcome page and then the till, until it is idle. */
	readonly firstLoad: number;
	/** The style sheets of that first load; a further page's come with its script. */
	readonly css: number;
	/** The largest script that another page adds to what the till has. */
	readonly largestRoute: number;
	readonly precacheBytes: number;
	readonly precacheFiles: number;
}

interface Chunk {
	readonly file: string;
	readonly css?: readonly string[];
	readonly imports?: readonly string[];
	readonly name?: string;
}

const ROOT = path.resolve(import.meta.dirname, '..');
const CLIENT = path.join(ROOT, '.svelte-kit/output/client');
const GENERATED = '.svelte-kit/generated/client-optimized';
/** Files that only say where to begin, or where a page is: the scripts know, and nobody fetches them. */
const SIGNPOST = /\/(nodes|entry)\//;
/** What every page begins with. */
const FRAME: ReadonlySet<string | undefined> = new Set(['entry/start', 'entry/app']);
/** Fetched when Daftar is installed, and not by the service worker. */
const INSTALLER_ONLY = /\.(webmanifest|png)$/;

/** Measures the last build. Throws where there is none. */
export function measureApp(): AppSize {
	const manifest = readManifest();
	const nodesByPage = readPages();
	const frame = [...manifest].flatMap(([key, { name }]) => (FRAME.has(name) ? [key] : []));
	const scriptsOf = (page: string): ReadonlySet<string> =>
		reach(manifest, [...frame, ...(nodesByPage.get(page) ?? []).map(nodeKey)]);
	// Of what they hold the modules only pass on the names.
	const begun = ['first.js', 'till.js'].map((name) => manifest.get(name)?.file ?? '');

	const till = scriptsOf('/shop/sell');
	const first = scriptsOf('/').union(till);
	const others = [...nodesByPage.keys()].flatMap((page) =>
		[...scriptsOf(page)].filter((file) => !till.has(file))
	);
	const files = precachedFiles();
	return {
		firstLoad: sum([...begun, ...first].filter((file) => !SIGNPOST.test(file))),
		css: sum(sheetsOf(manifest, first)),
		largestRoute: Math.max(0, ...others.map(gzipped)),
		precacheBytes: sum(files),
		precacheFiles: files.length
	};
}

function nodeKey(node: number): string {
	return `${GENERATED}/nodes/${String(node)}.js`;
}

function readManifest(): ReadonlyMap<string, Chunk> {
	const text = readFileSync(path.join(CLIENT, '.vite/manifest.json'), 'utf8');
	return new Map(Object.entries(JSON.parse(text) as Record<string, Chunk>));
}

/** The nodes of each page: the root's layout, its own layouts, its own. */
function readPages(): ReadonlyMap<string, readonly number[]> {
	const app = readFileSync(path.join(ROOT, GENERATED, 'app.js'), 'utf8');
	const rows = app.matchAll(
		/^\t+"(?<page>\/[^"]*)": \[~?(?<own>\d+)(?:,\[(?<layouts>[\d,]*)\])?/gm
	);
	return new Map(
		[...rows].map(({ groups }): [string, number[]] => {
			const layouts = (groups?.['layouts'] ?? '').split(',').filter((node) => node !== '');
			return [groups?.['page'] ?? '', [0, ...layouts.map(Number), Number(groups?.['own'])]];
		})
	);
}

/** The files of these chunks and of all that they import, but for what is imported dynamically. */
function reach(manifest: ReadonlyMap<string, Chunk>, keys: readonly string[]): ReadonlySet<string> {
	const files = new Set<string>();
	const waiting = [...keys];
	for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
		const chunk = manifest.get(key);
		if (chunk === undefined) throw new Error(`the build has no ${key}`);
		if (files.has(chunk.file)) continue;
		files.add(chunk.file);
		waiting.push(...(chunk.imports ?? []));
	}
	return files;
}

/** The style sheets that come with these scripts. */
function sheetsOf(
	manifest: ReadonlyMap<string, Chunk>,
	scripts: ReadonlySet<string>
): readonly string[] {
	const chunks = [...manifest.values()].filter(({ file }) => scripts.has(file));
	return [...new Set(chunks.flatMap(({ css }) => css ?? []))];
}

/** What the service worker fetches in advance: all that was built, the page, and the small static files. */
function precachedFiles(): readonly string[] {
	const files = readdirSync(CLIENT, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => path.relative(CLIENT, path.join(entry.parentPath, entry.name)));
	const kept = files.filter(
		(file) =>
			!/^\.vite\/|version\.json$|service-worker\.js$/.test(file) &&
			!SIGNPOST.test(file) &&
			!INSTALLER_ONLY.test(file)
	);
	return [...kept, '../../../build/index.html'];
}

function sum(files: readonly string[]): number {
	return files.map(gzipped).reduce((total, bytes) => total + bytes, 0);
}

function gzipped(file: string): number {
	return gzipSync(readFileSync(path.join(CLIENT, file)), { level: 9 }).length;
}

if (process.argv[1] === import.meta.filename) {
	process.stdout.write(`${JSON.stringify(measureApp(), undefined, '\t')}\n`);
}
