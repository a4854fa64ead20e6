import type { LaunchOptions } from '@playwright/test';

const executablePath = process.env['DAFTAR_CHROMIUM'];

/**
 * How every browser here is started: Chromium as root, on a machine without a display or a way out.
 * `DAFTAR_CHROMIUM` names the one to start; without it Playwright starts its own.
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
