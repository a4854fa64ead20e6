// `npm test`: everything, and at the end one line alone, `N passed, N failed`. Plain JavaScript
// without packages, because it first has to install them. Each static check counts as one test.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemChromium } from './chromium.js';
import { build, exitCode, install, Refusal, ROOT, run } from '../server/prepare.js';

const E2E_CONFIG = 'tests/e2e/playwright.config.ts';
/** Where Node keeps what it has compiled: each test file is a process, and loads the same packages. */
process.env['NODE_COMPILE_CACHE'] ??= path.join(ROOT, 'node_modules/.cache/compiled');

/** @typedef {{ passed: number, failed: number }} Count */
/** @typedef {{ status: string, assertionResults: { status: string }[] }} FileResult */
/** @typedef {{ numPassedTests?: number, numFailedTests?: number, testResults?: FileResult[] }} VitestReport */
/** @typedef {{ stats?: { expected: number, flaky: number, unexpected: number } }} PlaywrightReport */

const reports = mkdtempSync(path.join(os.tmpdir(), 'daftar-reports-'));
const total = { passed: 0, failed: 0 };
try {
	await everything();
} catch (fault) {
	say(
		fault instanceof Refusal ? fault.message : String(fault instanceof Error ? fault.stack : fault)
	);
	total.failed += 1;
} finally {
	rmSync(reports, { recursive: true, force: true });
}
process.stdout.write(`${String(total.passed)} passed, ${String(total.failed)} failed\n`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;

async function everything() {
	await install();
	if (existsSync(path.join(ROOT, E2E_CONFIG))) await installChromium();
	await run('svelte-kit', ['sync'], 'The types of the routes could not be written');
	const built = build();

	// Two lanes for two cores, each in turn. The tests do not wait for lint, which takes longest of the
	// checks; the first of them are the simulation, which knows no time but its own. Form asks nothing
	// of what the build writes, the rest does.
	await together([
		inTurn([
			() => built,
			async () => {
				add(await unitTests());
			}
		]),
		inTurn([
			() => check('format:check', 'oxfmt', ['--check', 'src', 'server', 'tests']),
			() => built,
			() =>
				check('lint', 'oxlint', ['--config', 'tests/oxlint.config.ts', 'src', 'server', 'tests']),
			() =>
				check('lint of components', 'eslint', [
					'--config',
					'tests/eslint.config.js',
					'src/**/*.svelte',
					'src/**/*.svelte.ts'
				]),
			() => check('unused', 'knip', [])
		])
	]);
	// A page waits now and then, for a frame or an answer; the types take that time and no other.
	await together([
		check('types', 'nice', [
			'svelte-check',
			'--tsgo-experimental-api',
			'--fail-on-warnings',
			'--output',
			'human'
		]),
		existsSync(path.join(ROOT, E2E_CONFIG)) ? e2eTests().then(add) : Promise.resolve()
	]);
}

/**
 * Waits for all of them, also where one of them fails: nothing is said after the last line.
 * @param {readonly Promise<void>[]} lanes
 */
async function together(lanes) {
	const ended = await Promise.allSettled(lanes);
	for (const lane of ended) if (lane.status === 'rejected') throw lane.reason;
}

/** @param {readonly (() => Promise<void>)[]} steps */
async function inTurn(steps) {
	for (const step of steps) await step();
}

/**
 * @param {string} name
 * @param {string} program
 * @param {readonly string[]} args
 */
async function check(name, program, args) {
	const startedAt = Date.now();
	const code = await exitCode(program, args, 1);
	say(`${code === 0 ? 'passed' : 'FAILED'}: ${name} (${seconds(startedAt)} s)`);
	add(code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });
}

/** @returns {Promise<Count>} */
async function unitTests() {
	const file = path.join(reports, 'vitest.json');
	const startedAt = Date.now();
	const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
	const code = await exitCode('vitest', args, 1);
	say(`unit tests: ${seconds(startedAt)} s`);
	/** @type {VitestReport} */
	const { numPassedTests = 0, numFailedTests = 0, testResults = [] } = read(file);
	// A file that cannot be loaded fails without a test of its own that failed.
	const unloaded = testResults.filter(
		({ status, assertionResults }) =>
			status === 'failed' && !assertionResults.some((result) => result.status === 'failed')
	);
	return { passed: numPassedTests, failed: atLeastOne(numFailedTests + unloaded.length, code) };
}

/** @returns {Promise<Count>} */
async function e2eTests() {
	const file = path.join(reports, 'playwright.json');
	const startedAt = Date.now();
	process.env['PLAYWRIGHT_JSON_OUTPUT_FILE'] = file;
	const args = ['test', '--config', E2E_CONFIG, '--reporter=list,json'];
	const code = await exitCode('playwright', args, 1);
	say(`end-to-end tests: ${seconds(startedAt)} s`);
	/** @type {PlaywrightReport} */
	const { stats = { expected: 0, flaky: 0, unexpected: 0 } } = read(file);
	return {
		passed: stats.expected + stats.flaky,
		failed: atLeastOne(stats.unexpected, code)
	};
}

/**
 * A runner that fails without naming a test has failed all the same.
 * @param {number} failed
 * @param {number | string} code
 */
function atLeastOne(failed, code) {
	return code === 0 ? failed : Math.max(1, failed);
}

/** Installs Chromium where there is none: the system's as root, else Playwright's own. */
async function installChromium() {
	if (systemChromium() === undefined && process.getuid?.() === 0) {
		await exitCode('apt-get', ['update'], 2);
		for (const form of ['chromium-headless-shell', 'chromium']) {
			if (systemChromium() === undefined)
				await exitCode('apt-get', ['install', '-y', '--no-install-recommends', form], 2);
		}
	}
	if (systemChromium() === undefined)
		await run('playwright', ['install', 'chromium'], 'Chromium could not be installed');
}

/**
 * @param {string} file
 * @returns {object} a report, without anything in it where the runner did not come to write one
 */
function read(file) {
	if (!existsSync(file)) return {};
	/** @type {(text: string) => object} */
	const parse = JSON.parse;
	return parse(readFileSync(file, 'utf8'));
}

/** @param {Count} count */
function add({ passed, failed }) {
	total.passed += passed;
	total.failed += failed;
}

/** @param {number} startedAt */
function seconds(startedAt) {
	return String(Math.round((Date.now() - startedAt) / 100) / 10);
}

/** @param {string} line */
function say(line) {
	process.stdout.write(`${line}\n`);
}
