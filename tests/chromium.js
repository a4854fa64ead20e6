// Where the system's Chromium is. Plain JavaScript without packages: `npm test` asks before it installs.
// Debian has it in two forms of one build: whole, and without a window (`chromium-headless-shell`), which
// spends nothing on tabs and frames that nobody sees.

import { existsSync } from 'node:fs';
import path from 'node:path';

const WINDOWLESS = ['chromium-headless-shell'];
const WHOLE = ['chromium', 'chromium-browser', 'google-chrome'];

/** The browser for tests on this machine's path; undefined where Playwright's own is to be used. */
export function systemChromium() {
	return firstOf([...WINDOWLESS, ...WHOLE]);
}

/** The one that people use, for what is measured. */
export function wholeChromium() {
	return firstOf([...WHOLE, ...WINDOWLESS]);
}

/** @param {readonly string[]} names */
function firstOf(names) {
	const folders = (process.env['PATH'] ?? '').split(path.delimiter);
	return names
		.flatMap((name) => folders.map((folder) => path.join(folder, name)))
		.find((file) => existsSync(file));
}
