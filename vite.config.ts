import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { sveltekit } from '@sveltejs/kit/vite';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { LongFirst } from './tests/support/long-first.ts';
import { firstLoad } from './vite.first-load.ts';
import { packWords } from './vite.words.ts';

/** The oldest browsers we answer for; `light-dark()` and nesting are written out for them. */
const FLOOR = ['chrome111', 'safari16.4', 'firefox115'];

interface ModuleGraph {
	getModuleInfo(id: string): { readonly importers: readonly string[] } | null;
}

interface Group {
	readonly name: string | ((id: string, graph: ModuleGraph) => string | null);
	readonly debugName?: string;
	readonly tags?: ['$initial'];
	readonly test: RegExp;
}

/** What a shop's phone fetches first; what the customer's side, coming in and each room of a shop do. */
const TILL = /src\/routes\/(shop\/(sell\/|\+|News)|\+|newer)/;
const CUSTOMER = /src\/routes\/(me\/|\+|newer)/;
const CUSTOMER_FIRST = /src\/routes\/me\/(\+|answer\/)/;
const OUTSIDE = /src\/routes\/(link|signup|signin|join|code|reset|account)\//;
const SALE = /src\/routes\/shop\/(charge|done|receipts)\//;
const LEDGER = /src\/routes\/shop\/(today|customers|notices|statement|slips|more\/ledger)\//;
const PRODUCTS = /src\/routes\/shop\/products\//;
/** What a device does beside selling for cash, and how it folds ledgers: loaded when it is first done. */
const ACTS =
	/src\/state\/(receive|entity-acts|keep-products|write-records|take-back|take-checkpoint|claim-act|dispute-act|entry-act|ledger-folds|without-goods)\.ts/;
/** Loaded beside a page, and by none of them. */
const BESIDE = /src\/state\/browser-link\.ts/;
const AREAS = [TILL, CUSTOMER, OUTSIDE, SALE, LEDGER, PRODUCTS, ACTS, BESIDE];
const PAGE = /src\/routes\/(.*\/)?\+/;
const OURS = /\.(ts|js|svelte|css)\b/;

/**
 * Few files, by when they are needed: a precache fetches one at a time. What is only imported
 * dynamically (the link to the relay, reading a file) is in none of them, and comes when it is called.
 */
const GROUPS: Group[] = [
	{
		name: 'base',
		tags: ['$initial'],
		test: /node_modules\/(svelte|@sveltejs|esm-env|clsx|devalue|dexie|intl-messageformat|@formatjs)\//
	},
	// A customer's phone fetches nothing of the till, nor the till anything of the customer's side:
	// what both need is in a file of its own.
	{ name: named('shared'), debugName: 'shared', tags: ['$initial'], test: OURS },
	{ name: named('both'), debugName: 'both', tags: ['$initial'], test: OURS },
	// Each takes what its pages import and nobody before it took.
	{ name: 'till', tags: ['$initial'], test: TILL },
	{ name: 'acts', test: ACTS },
	{ name: named('more'), debugName: 'more', tags: ['$initial'], test: OURS },
	{ name: named('shop'), debugName: 'shop', tags: ['$initial'], test: OURS },
	{ name: 'sale', tags: ['$initial'], test: SALE },
	{
		name: 'book',
		tags: ['$initial'],
		test: /src\/(state\/(ledger-|customer-index|customers-list|dashboard|notices|open-sheets|counter-sheet)|routes\/shop\/customers\/\[ledger\]\/(Counter|Slip|thread-words))/
	},
	{
		name: 'customers',
		tags: ['$initial'],
		test: /src\/routes\/shop\/(today|customers\/(?!\[ledger\]\/(link|merge|line)\/))/
	},
	{
		name: 'ledger',
		tags: ['$initial'],
		test: /src\/routes\/shop\/(notices|statement|slips|customers|more\/ledger)\//
	},
	{ name: 'products', tags: ['$initial'], test: PRODUCTS },
	{ name: 'customer', tags: ['$initial'], test: CUSTOMER_FIRST },
	{ name: 'customer-more', tags: ['$initial'], test: CUSTOMER },
	{ name: 'outside', tags: ['$initial'], test: OUTSIDE },
	{ name: 'rooms', tags: ['$initial'], test: /src\/routes\// }
];

/** How a module is called that several areas need. */
type Sharing = 'shared' | 'both' | 'more' | 'shop';

/**
 * `shared` by the till and those who come without it; needed by `both` the customer's first pages
 * and others, by `more` of those without the till and others, or by several rooms of a `shop`: no
 * page fetches another area for a part of both.
 */
function named(name: Sharing): (id: string, graph: ModuleGraph) => string | null {
	return (id, graph) => (sharingOf(pagesOver(id, graph)) === name ? name : null);
}

function sharingOf(pages: readonly string[]): Sharing | undefined {
	const areas = AREAS.filter((area) => pages.some((page) => area.test(page)));
	const others = pages.filter((page) => !AREAS.some((area) => area.test(page)));
	if (areas.length + Math.min(1, others.length) < 2) return undefined;
	const isWithout = areas.includes(CUSTOMER) || areas.includes(OUTSIDE);
	if (areas.includes(TILL)) return isWithout ? 'shared' : undefined;
	if (pages.some((page) => CUSTOMER_FIRST.test(page))) return 'both';
	return isWithout ? 'more' : 'shop';
}

/** Every page and every part loaded beside them that leads to this module. */
function pagesOver(id: string, graph: ModuleGraph): readonly string[] {
	const seen = new Set([id]);
	for (const one of seen)
		for (const importer of graph.getModuleInfo(one)?.importers ?? []) seen.add(importer);
	return [...seen].filter((one) => PAGE.test(one) || ACTS.test(one) || BESIDE.test(one));
}

/**
 * `import url from './en.json?words'`: the address of a language's sentences, each parsed here, so
 * that no phone carries the parser of ICU messages.
 */
function words(): Plugin {
	let isBuilt = false;
	return {
		name: 'daftar-words',
		enforce: 'pre',
		config: (_config, { command }) => {
			isBuilt = command === 'build';
			const alias = [
				{ find: PARSER, replacement: '@formatjs/icu-messageformat-parser/no-parser.js' }
			];
			return isBuilt ? { resolve: { alias } } : {};
		},
		load(id) {
			const [, file] = /^(.*\.json)\?words$/.exec(id) ?? [];
			if (file === undefined) return undefined;
			this.addWatchFile(file);
			const source = packWords(readFileSync(file, 'utf8'));
			if (!isBuilt) {
				return `export default ${JSON.stringify(`data:application/json,${encodeURIComponent(source)}`)}`;
			}
			const name = file.slice(file.lastIndexOf('/') + 1);
			const originalFileName = `src/ui/messages/${name}`;
			const asset = this.emitFile({ type: 'asset', name, originalFileName, source });
			return `export default import.meta.ROLLUP_FILE_URL_${asset}`;
		}
	};
}

/**
 * SvelteKit makes a file of one line for each page, which only says where the page is. Here the app
 * is told so itself: dozens of files less to fetch in advance, and one turn less for each page.
 */
function pages(): Plugin {
	return {
		name: 'daftar-pages',
		apply: 'build',
		enforce: 'post',
		generateBundle(_options, bundle) {
			const app = Object.values(bundle).find(
				(file) => file.type === 'chunk' && file.name === 'entry/app'
			);
			if (app?.type !== 'chunk') return;
			for (const [fileName, node] of Object.entries(bundle)) {
				if (node.type !== 'chunk' || !fileName.includes('/nodes/')) continue;
				const [, names, , chunk] = SIGNPOST.exec(node.code) ?? [];
				if (names === undefined || chunk === undefined)
					this.error(`${fileName} is a page of its own: name its folder in one of the groups`);
				const path = fileName.slice(fileName.indexOf('/nodes/')).replace('/nodes', '../nodes');
				const members = names.split(',').map((name) => {
					const [inner = '', outer = inner] = name.trim().split(' as ');
					return `${outer}:page.${inner}`;
				});
				app.code = app.code
					.replace(
						new RegExp(`import\\(["'\`]${escaped(path)}["'\`]\\)`),
						() => `import("${chunk}").then(page=>({${members.join(',')}}))`
					)
					.replaceAll(path, chunk);
			}
		}
	};
}

/** `export{a as component,b as universal}from"../chunks/till.js";` */
const SIGNPOST = /^export\{([^}]+)\}from(["'`])(\.\.\/chunks\/[^"'`]+)\2;?\s*$/;

function escaped(text: string): string {
	return text.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&');
}

/**
 * An icon as one piece of markup. The library's own builds each from a list of its parts at run time,
 * attribute by attribute (measured: 25 ms of a slow phone for an icon, and a page begins with ten).
 * Of what it takes we use the class, by which `.i` gives it size and stroke; each is a picture beside words.
 */
function icons(): Plugin {
	return {
		name: 'daftar-icons',
		enforce: 'pre',
		load(id) {
			const [, name] = /@lucide\/svelte\/dist\/icons\/([\w-]+)\.svelte$/.exec(id) ?? [];
			if (name === undefined) return undefined;
			const [, json] = /const iconData = (\{.*\});/.exec(readFileSync(id, 'utf8')) ?? [];
			if (json === undefined) this.error(`${id} is no icon as they were`);
			const { node } = JSON.parse(json) as { readonly node: readonly IconPart[] };
			const drawn = node.map(([tag, attributes]) => `<${tag} ${written(attributes)}/>`).join('');
			return `<script>const { class: name } = $props();</script><svg viewBox="0 0 24 24" class={name} aria-hidden="true">${drawn}</svg>`;
		}
	};
}

type IconPart = readonly [tag: string, attributes: Readonly<Record<string, string>>];

function written(attributes: Readonly<Record<string, string>>): string {
	return Object.entries(attributes)
		.map(([name, value]) => `${name}="${value}"`)
		.join(' ');
}

const PARSER = /^@formatjs\/icu-messageformat-parser$/;

export default defineConfig({
	plugins: [words(), icons(), sveltekit(), pages(), firstLoad()],
	build: {
		target: FLOOR,
		cssTarget: FLOOR,
		// A few files more or less cost a phone nothing; each one costs the precache a round trip.
		assetsInlineLimit: 0,
		rolldownOptions: { output: { codeSplitting: { groups: GROUPS } } }
	},
	// As it is written for browsers of today, which all that Daftar runs in are: 1 kB less to fetch.
	resolve: {
		alias: [
			{ find: /^workbox-window$/, replacement: 'workbox-window/build/workbox-window.prod.mjs' }
		]
	},
	css: { transformer: 'lightningcss' },
	test: {
		// Under Node, in processes of their own: what a test kills or starts is not ours.
		environment: 'node',
		pool: 'forks',
		// One process for many files: it loads what they share once. So a test leaves no global behind.
		isolate: false,
		// Much of a test is waiting for a database or a process: half as many again as there are cores.
		maxWorkers: Math.ceil(availableParallelism() * 1.5),
		include: ['{src,server,tests}/**/*.test.ts'],
		exclude: ['tests/e2e/**', 'tests/load/**'],
		globalSetup: ['tests/support/postgres-broker.ts'],
		sequence: { sequencer: LongFirst },
		// For one that hangs: how long it takes is the machine's own, and a shared one takes three times as long.
		testTimeout: 120_000,
		hookTimeout: 120_000
	}
});
