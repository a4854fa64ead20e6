import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { cruise } from 'dependency-cruiser';
import { expect, it } from 'vitest';
import { layers } from './layers.ts';

const ROOTS = ['src', 'server', 'tests'];
const TOP = [
	'.ci/run',
	'.npmrc',
	'README.md',
	'package.json',
	'package-lock.json',
	'svelte.config.js',
	'vite.config.ts',
	'tsconfig.json'
];
const files = ROOTS.flatMap((root) =>
	readdirSync(root, { recursive: true, withFileTypes: true })
		// What a measurement compares us with is installed beside it, and is not ours.
		.filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
		.map((entry) => `${entry.parentPath}/${entry.name}`)
);
const code = files.filter(
	(file) => /\.(ts|js|svelte)$/.test(file) && file !== 'tests/tidy.test.ts'
);
const texts = [
	...code,
	...TOP.filter((file) => existsSync(file)),
	...files.filter((file) => /\.(md|json|html|css)$/.test(file))
];

type Banned = readonly (readonly [what: RegExp, instead: string])[];

/** What must not be written in code, and what to do instead. */
const BANNED: Banned = [
	[/\b(it|test|describe)(\.\w+)*\.(only|skip|todo|fixme)\b/, 'let every test run'],
	[/\b(TODO|FIXME|XXX)\b(?! #\d)/, 'finish it, or give it an issue number'],
	[/\bparseFloat\(|\.toFixed\(/, 'read and write money with parseMoney and formatMoney'],
	[/\{@html\b/, 'render text, never markup'],
	[
		/\{#each [^}\n]*\(\w+\.currency\)\}|\bvalue: \w+\.currency\b/,
		'name moneys by currencyKey: two rows of one name end a page'
	],
	[/\$lib\//, 'import by layer: #domain/, #state/, #ui/']
];

/** What the oldest browsers that we answer for (Chrome 111, iOS 16.4, Firefox 115) do not have. */
const TOO_NEW: Banned = [
	[/\b(Map|Object)\.groupBy\b/, 'group with #domain/group-by.ts'],
	[/\.(difference|union|intersection|isSubsetOf|isDisjointFrom)\(/, 'write the loop'],
	[/\bPromise\.(withResolvers|try)\b|\bArray\.fromAsync\b/, 'write `new Promise` or the loop'],
	[
		/(?<!Object)\.(values|keys|entries)\(\)\s*\.(map|filter|toArray|some|every|reduce)\(/,
		'spread it first'
	]
];

/** What must not be written anywhere: it is true on one machine only. */
const LOCAL: Banned = [
	[/(?<![\w.])\/(work|root|home|Users)\/\w/, 'take folders from the environment'],
	[/\bregistry\.[a-z]+\.[a-z]+/, 'leave the package registry to the machine'],
	[/"resolved":/, 'install with --omit-lockfile-registry-resolved']
];

it('keeps every layer to the imports it is allowed', async () => {
	const { output } = await cruise(ROOTS, layers);
	if (typeof output === 'string') throw new Error('expected an object, not a report');
	expect(output.summary.totalCruised).toBeGreaterThan(code.length / 2);
	const found = output.summary.violations.map((v) => `${v.from} → ${v.to}: ${v.rule.name}`);
	expect(found).toEqual([]);
});

it('has a test for every numbered rule, and a rule for every number in a test', () => {
	const stated = numbers(
		files.filter((file) => file.endsWith('SPEC.md')),
		/\*\*([A-Z]+-\d+)\*\*/g
	);
	const tested = numbers(
		files.filter((file) => /(\.test|contract\/.*)\.ts$/.test(file)),
		/\[([A-Z]+-\d+)\]/g
	);
	expect(stated.difference(tested)).toEqual(new Set());
	expect(tested.difference(stated)).toEqual(new Set());
});

it('states every rule once', () => {
	const stated = files
		.filter((file) => file.endsWith('SPEC.md'))
		.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/^- \*\*([A-Z]+-\d+)\*\*/gm)])
		.map((match) => match[1]);
	expect(stated.filter((rule, at) => stated.indexOf(rule) !== at)).toEqual([]);
});

it('keeps out what has a better way', () => {
	expect(findIn(code, BANNED)).toEqual([]);
});

it('keeps to what the oldest phones understand', () => {
	const onDevices = code.filter((file) => file.startsWith('src/') && !file.endsWith('.test.ts'));
	expect(findIn(onDevices, TOO_NEW)).toEqual([]);
});

it('says nothing that is true on one machine only', () => {
	expect(findIn(texts, LOCAL)).toEqual([]);
});

it('names files after what is in them', () => {
	const vague = /^(utils?|helpers?|common|misc|shared|types|constants|index)\.(svelte\.)?[tj]s$/;
	const odd = code.filter(
		(file) => !/^(\+?[a-z][a-z0-9.+@-]*|\+?[A-Z]\w*\.svelte)$/.test(basename(file))
	);
	expect(files.filter((file) => vague.test(basename(file)))).toEqual([]);
	expect(odd).toEqual([]);
});

function numbers(paths: readonly string[], pattern: RegExp): Set<string> {
	const text = paths.map((path) => readFileSync(path, 'utf8')).join('\n');
	return new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ''));
}

function findIn(paths: readonly string[], banned: Banned): readonly string[] {
	return paths.flatMap((path) => {
		const text = readFileSync(path, 'utf8');
		return banned.filter(([what]) => what.test(text)).map(([, instead]) => `${path}: ${instead}`);
	});
}
