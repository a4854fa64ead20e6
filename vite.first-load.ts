import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build, type Plugin, type Rolldown } from 'vite';

/**
 * What a phone runs first, as two plain scripts. Chromium keeps the compiled form of a plain script
 * from the moment a service worker stores it; of a module it compiles everything anew at each start
 * (measured: a third of the time until the till stands on a slow phone). So `first.js` is what every
 * page begins with, `till.js` what a shop's pages add to it; the modules that they are made of stay
 * where they were and only pass on what the scripts hold, for the pages that are loaded later.
 */
export function firstLoad(): Plugin {
	let isServer = false;
	const known: Known = new Map();
	return {
		name: 'daftar-first-load',
		apply: 'build',
		enforce: 'post',
		configResolved: ({ build }) => {
			isServer = build.ssr !== false;
		},
		// A module of the same name, from before, is another module.
		augmentChunkHash: () => 'first-load 1',
		renderChunk(code, chunk) {
			if (isServer || !SCRIPTS_OF.test(chunk.name)) return null;
			for (const [name, as] of reassigned(this.parse(code) as unknown as Syntax)) {
				// A script hands out its values once.
				const value = ASSIGNED_ONCE.get(name);
				if (value === undefined)
					this.error(`${chunk.name} passes on ${name}, which is assigned anew`);
				known.set(`${chunk.name} ${as}`, value);
			}
			return null;
		},
		writeBundle: {
			order: 'post',
			sequential: true,
			async handler({ dir = '' }, bundle) {
				const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
				if (isServer || !chunks.some(({ name }) => name === 'entry/start')) return;
				const parse = (code: string): Syntax => this.parse(code) as unknown as Syntax;
				await writeScripts(dir, chunks, { parse, known });
			}
		},
		closeBundle: {
			order: 'post',
			sequential: true,
			async handler() {
				// Without it the client was not built, and somebody says so already.
				if (isServer && existsSync(path.join(CLIENT, MANIFEST)))
					await beginWithScripts('build/index.html');
			}
		}
	};
}

type Chunk = Rolldown.OutputChunk;

/** The chunks of which the scripts are made. */
const SCRIPTS_OF = /^(base|shared|till|rolldown-runtime|entry\/(start|app))$/;
const ASSETS = '_app/immutable/assets';
const MANIFEST = '.vite/manifest.json';
const CLIENT = '.svelte-kit/output/client';

/** What Svelte assigns to when the first component is mounted, each once, and what it will be. */
const ASSIGNED_ONCE: ReadonlyMap<string, string> = new Map([
	['$window', 'window'],
	['$document', 'document']
]);

/** Values of exports, by chunk and name. */
type Known = Map<string, string>;

interface Script {
	readonly name: 'first' | 'till';
	/** In the order in which they need each other. */
	readonly chunks: readonly Chunk[];
}

async function writeScripts(
	dir: string,
	chunks: readonly Chunk[],
	of: Pick<Build, 'parse' | 'known'>
): Promise<void> {
	const byFile = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
	const named = (name: string): Chunk => {
		const found = chunks.find((chunk) => chunk.name === name);
		if (found === undefined) throw new Error(`the build has no ${name}`);
		return found;
	};
	const first = reach([named('entry/start'), named('entry/app'), named('shared')], byFile);
	const till = reach([named('till')], byFile).filter((chunk) => !first.includes(chunk));
	const scripts: readonly Script[] = [
		{ name: 'first', chunks: first },
		{ name: 'till', chunks: till }
	];
	const held = new Map(
		scripts.flatMap(({ name, chunks }) =>
			chunks.map((chunk) => [chunk.fileName, { script: name, key: keyOf(chunk) }] as const)
		)
	);
	const build: Build = { ...of, byFile, held, needsTill: (file) => needs(file, till, byFile) };

	const manifest = JSON.parse(await readFile(path.join(dir, MANIFEST), 'utf8')) as Record<
		string,
		object
	>;
	for (const script of scripts) {
		const source = scriptOf(script, build);
		const hash = createHash('sha256').update(source).digest('base64url').slice(0, 8);
		const file = `${ASSETS}/${script.name}.${hash}.js`;
		await writeFile(path.join(dir, file), source);
		manifest[`${script.name}.js`] = { file, src: `${script.name}.js`, name: script.name };
	}
	for (const chunk of chunks) {
		const at = path.join(dir, chunk.fileName);
		const entry = held.get(chunk.fileName);
		if (entry !== undefined) await writeFile(at, passedOn(chunk, entry));
		else if (!build.needsTill(chunk.fileName)) {
			const waiting = awaitTill(chunk.code, chunk, build);
			if (waiting !== chunk.code) await writeFile(at, waiting);
		}
	}
	await writeFile(path.join(dir, MANIFEST), JSON.stringify(manifest, undefined, 2));
}

interface Held {
	readonly script: Script['name'];
	readonly key: string;
}

interface Build {
	readonly byFile: ReadonlyMap<string, Chunk>;
	/** The chunks that are in a script, by file. */
	readonly held: ReadonlyMap<string, Held>;
	readonly parse: (code: string) => Syntax;
	readonly known: Known;
	/** Whether a chunk imports the till's script, itself or by another. */
	readonly needsTill: (file: string) => boolean;
}

function keyOf({ name }: Chunk): string {
	return name.replace(/\W/g, '_');
}

/** These chunks and all that they import, each behind what it needs. */
function reach(from: readonly Chunk[], byFile: ReadonlyMap<string, Chunk>): readonly Chunk[] {
	const found: Chunk[] = [];
	const visit = (chunk: Chunk | undefined): void => {
		if (chunk === undefined || found.includes(chunk)) return;
		for (const file of chunk.imports) visit(byFile.get(file));
		if (!found.includes(chunk)) found.push(chunk);
	};
	for (const chunk of from) visit(chunk);
	return found;
}

function needs(file: string, till: readonly Chunk[], byFile: ReadonlyMap<string, Chunk>): boolean {
	const chunk = byFile.get(file);
	return chunk !== undefined && reach([chunk], byFile).some((one) => till.includes(one));
}

function scriptOf({ chunks }: Script, build: Build): string {
	const parts = chunks.map((chunk) => `daftar.${keyOf(chunk)}=(()=>{${bodyOf(chunk, build)}})();`);
	return `(()=>{const url=document.currentScript.src;\n${parts.join('\n')}\n})();\n`;
}

/** The statements of a module, taking what they import from the scripts and answering its exports. */
function bodyOf(chunk: Chunk, build: Build): string {
	let { code } = chunk;
	for (const node of build.parse(code).body.toReversed()) {
		const text = statementOf(node, chunk, build);
		if (text !== undefined) code = code.slice(0, node.start) + text + code.slice(node.end);
	}
	// The script lies beside the style sheets, whatever folder the module is in.
	const near = (to: string): string =>
		path.posix.relative(ASSETS, path.posix.join(path.posix.dirname(chunk.fileName), to));
	return awaitTill(code, chunk, build)
		.replaceAll('import.meta.resolve', 'false')
		.replaceAll('import.meta.url', 'url')
		.replace(/m\.f=\[[^\]]*\]/, (list) =>
			list.replace(/"([^"]+)"/g, (_all, to: string) => `"${near(to)}"`)
		)
		.replace(DYNAMIC, (_all, _quote: string, to: string) => `import("${near(to)}")`);
}

const DYNAMIC = /\bimport\((["'`])(\.{1,2}\/[^"'`]+)\1\)/g;

function statementOf(node: Syntax, chunk: Chunk, { held, known }: Build): string | undefined {
	if (node.type === 'ImportDeclaration') {
		const from = held.get(resolved(String(node.source?.value), chunk));
		if (from === undefined) throw new Error(`${chunk.name} imports what is in no script`);
		const names = (node.specifiers ?? []).map(
			({ imported, local }) => `${nameOf(imported)}:${nameOf(local)}`
		);
		return names.length === 0 ? '' : `const{${names.join(',')}}=daftar.${from.key};`;
	}
	if (!node.type.startsWith('Export')) return undefined;
	const from =
		node.source == null ? undefined : held.get(resolved(String(node.source.value), chunk));
	const names = (node.specifiers ?? []).map(({ exported, local }) => {
		const value = from === undefined ? nameOf(local) : `daftar.${from.key}.${nameOf(local)}`;
		const name = nameOf(exported);
		return `${name}:${known.get(`${chunk.name} ${name}`) ?? value}`;
	});
	return `return{${names.join(',')}};`;
}

function resolved(to: string, { fileName }: Chunk): string {
	return path.posix.join(path.posix.dirname(fileName), to);
}

/** What is loaded later waits for the till's script where it stands on it. */
function awaitTill(code: string, chunk: Chunk, { held, needsTill, byFile }: Build): string {
	const files = [...(/m\.f=(\[[^\]]*\])/.exec(code)?.[1]?.matchAll(/"([^"]+)"/g) ?? [])];
	const isHeld = files.map(([, file = '']) => held.has(resolved(file, chunk)));
	return code.replace(LOADED, (all, _quote: string, to: string, then = '', deps?: string) => {
		const file = resolved(to, chunk);
		if (!byFile.has(file)) return all;
		const of = held.get(file);
		const rest = deps === undefined ? '' : `,__vite__mapDeps([${deps}])`;
		if (of === undefined) {
			return needsTill(file) ? `daftar.load("till").then(()=>import("${to}"))${then}${rest}` : all;
		}
		const styles = deps?.split(',').filter((place) => !isHeld[Number(place)]);
		const kept = styles === undefined ? '' : `,__vite__mapDeps([${styles.join(',')}])`;
		return `daftar.load("${of.script}").then(()=>daftar.${of.key})${then}${kept}`;
	});
}

const LOADED =
	/\bimport\((["'`])(\.{1,2}\/[^"'`]+)\1\)(\.then\(page=>\(\{[^}]*\}\)\))?(?:,__vite__mapDeps\(\[([\d,]*)\]\))?/g;

const WORDS = new Set(
	'as,do,if,in,is,of,for,let,new,try,var,case,else,enum,eval,null,this,true,void,with,async,await,break,catch,class,const,false,super,throw,while,yield,delete,export,import,public,return,static,switch,typeof,default,extends,finally,package,private,continue,debugger,function,arguments,interface,protected,implements,instanceof'.split(
		','
	)
);

/** A module that hands out what the script holds of it. */
function passedOn({ exports }: Chunk, { key }: Held): string {
	const plain = exports.filter((name) => !WORDS.has(name));
	const others = exports.filter((name) => WORDS.has(name));
	const renamed = others.map((name, place) => `${name}:_${String(place)}_`);
	const passed = `export const{${plain.join(',')}}=daftar.${key};`;
	if (others.length === 0) return passed;
	const names = others.map((name, place) => `_${String(place)}_ as ${name}`);
	return `${passed}const{${renamed.join(',')}}=daftar.${key};export{${names.join(',')}};`;
}

/** As much of a syntax tree as is looked at here. */
interface Syntax {
	readonly type: string;
	readonly start: number;
	readonly end: number;
	readonly body: readonly Syntax[];
	readonly source?: { readonly value: unknown } | null;
	readonly declarations?: readonly { readonly id: Name }[];
	readonly specifiers?: readonly {
		readonly imported?: Name;
		readonly exported?: Name;
		readonly local: Name;
	}[];
}

interface Name {
	readonly name?: string;
	readonly value?: string;
}

function nameOf(name: Name | undefined): string {
	return name?.name ?? name?.value ?? '';
}

/** Exported variables that something assigns to after they were declared, and what they go by outside. */
function reassigned(program: Syntax): readonly (readonly [name: string, as: string])[] {
	const variables = new Set(
		program.body
			.filter(({ type }) => type === 'VariableDeclaration')
			.flatMap(({ declarations = [] }) => declarations.map(({ id }) => nameOf(id)))
	);
	const exported = program.body
		.filter(({ type, source }) => type === 'ExportNamedDeclaration' && source == null)
		.flatMap(({ specifiers = [] }) => specifiers)
		.filter(({ local }) => variables.has(nameOf(local)));
	const found = new Set<string>();
	const look = (node: unknown): void => {
		if (typeof node !== 'object' || node === null) return;
		const { type, left, argument } = node as Record<string, Name | undefined> & { type?: string };
		if (type === 'AssignmentExpression') found.add(nameOf(left));
		if (type === 'UpdateExpression') found.add(nameOf(argument));
		for (const child of Object.values(node)) look(child);
	};
	look(program);
	return exported
		.filter(({ local }) => found.has(nameOf(local)))
		.map(({ local, exported }) => [nameOf(local), nameOf(exported)]);
}

/** In the built page: the scripts in the place of the modules that SvelteKit names. */
async function beginWithScripts(file: string): Promise<void> {
	const page = await readFile(file, 'utf8');
	const manifest = JSON.parse(await readFile(path.join(CLIENT, MANIFEST), 'utf8')) as Manifest;
	const [, global = ''] = GLOBAL.exec(page) ?? [];
	const files = filesOf(manifest);
	const head = `{${global} const files = ${JSON.stringify(files)};\n${IS_SHOP} try {\n${await firstScript()}first.begin(JSON.stringify(files));} catch {}\n${BEGINNING}}`;
	const begun = page
		.replace(/\t*<link href="[^"]+" rel="modulepreload">\n/g, '')
		.replace(GLOBAL, '')
		.replace(BEGIN, 'daftar.begun.then(() => daftar.entry_start.start(daftar.entry_app, element));')
		// Before the style sheet, for which every script behind it waits.
		.replace(CHARSET, (tag) => `${tag}\n\t\t<script>${head}</script>`);
	const isBegun = begun.includes('daftar.begun.then') && begun.includes('const files');
	if (!isBegun || global === '' || begun.includes('modulepreload'))
		throw new Error(`${file} does not begin as SvelteKit's pages do`);
	await writeFile(file, begun);
	for (const [end, packed] of [
		['gz', gzipSync(begun, { level: 9 })],
		['br', brotliCompressSync(begun, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })]
	] as const) {
		if (existsSync(`${file}.${end}`)) await rm(`${file}.${end}`);
		await writeFile(`${file}.${end}`, packed);
	}
}

type Manifest = Record<
	string,
	{ readonly file: string; readonly name?: string; readonly css?: readonly string[] }
>;

const BEGIN = /Promise\.all\(\[\s*import\([^)]*\),\s*import\([^)]*\)\s*\]\)\.then\([\s\S]*?\}\);/;
const GLOBAL = /(__sveltekit_\w+ = \{[^}]*\};)/;
const CHARSET = /<meta charset="utf-8" \/>/;
const MESSAGES = /^src\/ui\/messages\/(\w+)\.json$/;

/** What is fetched before anything else of the page is read, each by its address. */
function filesOf(manifest: Manifest): object {
	const urlOf = (name: string): string => `/${manifest[`${name}.js`]?.file ?? ''}`;
	const till = Object.values(manifest).find(
		({ name, css }) => name === 'till' && css !== undefined
	);
	const words = Object.entries(manifest).flatMap(([key, { file }]) => {
		const [, language] = MESSAGES.exec(key) ?? [];
		return language === undefined ? [] : [[language, `/${file}`]];
	});
	return {
		first: urlOf('first'),
		till: urlOf('till'),
		styles: (till?.css ?? []).map((file) => `/${file}`),
		words: Object.fromEntries(words) as Record<string, string>
	};
}

/** What reads and draws the till's first screen while the scripts are fetched, as text of a script. */
async function firstScript(): Promise<string> {
	const entry = path.join(import.meta.dirname, 'src/routes/first-script.ts');
	const built = await build({
		configFile: false,
		logLevel: 'error',
		build: {
			target: 'chrome111',
			write: false,
			lib: { entry, formats: ['iife'], name: 'first' },
			rolldownOptions: { output: { codeSplitting: false, generatedCode: { symbols: false } } }
		}
	});
	const [output] = (Array.isArray(built) ? built : [built]) as readonly Rolldown.RolldownOutput[];
	const chunk = output?.output[0];
	if (chunk?.type !== 'chunk') throw new Error('the first script was not built');
	return chunk.code;
}

/** In the page, before all else: what is read of the device takes longest to come. */
const IS_SHOP = 'const isShop = /^\\/shop(\\/|$)/.test(location.pathname);\nif (isShop)';

/** In the page. A script that did not come may come later. */
const BEGINNING = `const own = { createScriptURL: (url) => url };
			const policy = window.trustedTypes?.createPolicy("daftar-scripts", own) ?? own;
			// What comes from this device is there before an empty page were painted.
			const isHere = navigator.serviceWorker?.controller != null;
			const add = (tag, set) => new Promise((resolve, reject) => {
				const element = document.createElement(tag);
				element.onload = () => resolve();
				element.onerror = () => {
					element.remove();
					reject(new TypeError("Failed to fetch"));
				};
				if (isHere && !document.body) element.setAttribute("blocking", "render");
				set(element);
				document.head.append(element);
			});
			const came = {};
			const load = (name) => came[name] ??= add("script", (script) => {
				script.async = false;
				script.src = policy.createScriptURL(files[name]);
			}).catch((fault) => {
				delete came[name];
				throw fault;
			});
			const style = (url) => add("link", (link) => {
				link.rel = "stylesheet";
				link.href = url;
			});
			const fetchEarly = (as, href) => {
				const link = document.createElement("link");
				Object.assign(link, { rel: "preload", as, href });
				if (as === "fetch") link.crossOrigin = "anonymous";
				document.head.append(link);
			};
			const scripts = isShop ? ["first", "till"] : ["first"];
			const begin = () => Promise.all(scripts.map(load));
			const view = isShop ? window.daftarFirstView : undefined;
			// What is drawn without them is painted before they run.
			if (view?.drawn) for (const name of scripts) fetchEarly("script", files[name]);
			const begun = view?.drawn ? view.drawn.then(begin) : begin();
			begun.catch(() => view?.stands());
			const styles = isShop ? files.styles.map((url) => style(url).catch(() => 0)) : [];
			window.daftar = { load, begun: Promise.all([begun, ...styles]) };
			try {
				const spoken = [localStorage["daftar.language"], ...navigator.languages.map((tag) => tag.split("-")[0]), "en"];
				fetchEarly("fetch", files.words[spoken.find((language) => language in files.words)]);
			} catch {
				// The page asks for them itself.
			}`;
