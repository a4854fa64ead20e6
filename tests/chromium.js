// Where the system's Chromium is. Plain JavaScript without packages: `npm test` asks before it installs.

import { existsSync } from 'node:fs';
import path from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The browser on this machine's path; undefined where Playwright's own is to be used. */
export function systemChromium() {
	const folders = (process.env['PATH'] ?? '').split(path.delimiter);
	return NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name))).find((file) =>
		existsSync(file)
	);
}
