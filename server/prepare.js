// What a fresh clone lacks: packages and the built app. Plain JavaScript without packages, because
// it runs before there are any, under whatever Node the machine has.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { mendPackages } from './mend-packages.js';

// Node 20.0 to 20.10 have no `import.meta.dirname`.
export const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const NODE = path.join(ROOT, 'node_modules/.bin/node');

const NODE_MAJOR = 'v24.';
const MODULES = path.join(ROOT, 'node_modules');
const LOCK = path.join(ROOT, 'package-lock.json');
const INSTALLED = path.join(MODULES, '.daftar-installed');
const BUILT = path.join(MODULES, '.daftar-built');
const SOURCES = [
	'src',
	'static',
	'package.json',
	'package-lock.json',
	'svelte.config.js',
	'vite.config.ts',
	'vite.first-load.ts',
	'vite.words.ts',
	'tsconfig.json'
];

/**
 * A fault with a sentence for the person who started us.
 */
export class Refusal extends Error {}

/**
 * Installs the packages of the lock file where they are missing or others.
 * @returns {Promise<void>}
 */
export async function install() {
	if (!isInstalled()) {
		await run(
			'npm',
			['ci', '--include=dev', '--loglevel=error'],
			'The packages could not be installed'
		);
	}
	// npm may hold back the script that puts Node 24 in its place.
	if (!(await hasNode())) {
		await run('npm', ['rebuild', 'node', '--loglevel=error'], 'Node 24 could not be installed');
	}
	if (!(await hasNode()))
		throw new Refusal('Node 24 is not in node_modules: remove it and start again.');
	mendPackages();
	writeFileSync(INSTALLED, lockHash());
}

/**
 * Builds the app where it is missing or older than what it is made of.
 * @returns {Promise<void>}
 */
export async function build() {
	const builtFrom = newest();
	const isBuilt =
		existsSync(path.join(ROOT, 'build/index.html')) &&
		existsSync(BUILT) &&
		readFileSync(BUILT, 'utf8') === builtFrom;
	if (isBuilt) return;
	await run('vite', ['build', '--logLevel', 'error'], 'The app could not be built');
	writeFileSync(BUILT, builtFrom);
}

/**
 * The environment in which `node` is Node 24 and the packages' programs are found. That a test runs
 * is its runner's own: the app that it builds would come out an eighth larger, and be served later.
 * @returns {NodeJS.ProcessEnv}
 */
export function withPrograms() {
	const bin = path.join(MODULES, '.bin');
	const { NODE_ENV: mode, ...rest } = process.env;
	return {
		...rest,
		...(mode !== 'test' && { NODE_ENV: mode }),
		PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}`
	};
}

/**
 * Runs a program to its end, its words going to standard error.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {string} refusal what to say where it fails
 * @returns {Promise<void>}
 */
export async function run(program, args, refusal) {
	const code = await exitCode(program, args, 2);
	if (code !== 0)
		throw new Refusal(`${refusal}: ${program} ${args.join(' ')} failed (${String(code)}).`);
}

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @param {number | 'ignore'} output
 * @returns {Promise<number | string>}
 */
export function exitCode(program, args, output) {
	return new Promise((resolve) => {
		const child = spawn(program, [...args], {
			cwd: ROOT,
			env: withPrograms(),
			stdio: ['ignore', output, output]
		});
		child.once('error', (error) => {
			resolve(error.message);
		});
		child.once('exit', (code, signal) => {
			resolve(code ?? signal ?? 'unknown');
		});
	});
}

function isInstalled() {
	if (existsSync(INSTALLED)) return readFileSync(INSTALLED, 'utf8') === lockHash();
	// Installed by hand: npm keeps a lock file of its own, newer than the one it installed.
	const hidden = path.join(MODULES, '.package-lock.json');
	return existsSync(hidden) && statSync(hidden).mtimeMs >= statSync(LOCK).mtimeMs;
}

async function hasNode() {
	if (!existsSync(NODE)) return false;
	const { promise, resolve } = deferred();
	const child = spawn(NODE, ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] });
	let said = '';
	child.stdout.on('data', (chunk) => {
		said += String(chunk);
	});
	child.once('error', () => {
		resolve(false);
	});
	child.once('close', () => {
		resolve(said.startsWith(NODE_MAJOR));
	});
	return promise;
}

/** Node 20 has no `Promise.withResolvers`. */
function deferred() {
	/** @type {(value: boolean) => void} */
	let resolve = () => undefined;
	/** @type {Promise<boolean>} */
	const promise = new Promise((settle) => {
		resolve = settle;
	});
	return { promise, resolve };
}

function lockHash() {
	return createHash('sha256').update(readFileSync(LOCK)).digest('hex');
}

/** Names, sizes and times of all sources: what is changed, added, removed or restored differs. */
function newest() {
	const hash = createHash('sha256');
	for (const source of SOURCES) note(hash, path.join(ROOT, source));
	return hash.digest('hex');
}

/**
 * @param {import('node:crypto').Hash} hash
 * @param {string} file
 */
function note(hash, file) {
	const found = statSync(file, { throwIfNoEntry: false });
	if (found === undefined) return;
	if (found.isDirectory()) {
		for (const name of readdirSync(file).sort()) note(hash, path.join(file, name));
	} else {
		hash.update(`${path.relative(ROOT, file)} ${String(found.size)} ${String(found.mtimeMs)}\n`);
	}
}
