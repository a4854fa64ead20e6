import type { LaunchOptions } from '@playwright/test';
import { systemChromium } from '../chromium.js';

const executablePath = systemChromium();

/**
 * How every browser here is started: Chromium as root, on a machine without a display or a way out.
 * It is the system's; where there is none, Playwright starts its own.
 */
export const launch: LaunchOptions = {
	...(executablePath === undefined ? {} : { executablePath }),
	args: [
		'--no-sandbox',
		'--disable-gpu',
		'--disable-quic',
		'--no-first-run',
		'--disable-background-networking',
		'--disable-component-update',
		'--disable-sync'
	]
};
