import type { LaunchOptions } from '@playwright/test';
import { systemChromium, wholeChromium } from '../chromium.js';

const ARGS = [
	'--no-sandbox',
	'--disable-gpu',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync'
];

/**
 * How a test starts its browser: Chromium as root, on a machine without a display or a way out. It is
 * the system's; where there is none, Playwright starts its own.
 */
export const launch = launchOf(systemChromium());

/** How what is measured starts its browser: the one that people use. */
export const launchWhole = launchOf(wholeChromium());

function launchOf(executablePath: string | undefined): LaunchOptions {
	return { ...(executablePath !== undefined && { executablePath }), args: ARGS };
}
