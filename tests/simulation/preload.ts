import { readFile, readdir } from 'node:fs/promises';

const ROOMS = ['../../src/state/', '../../src/state/customer/'];
const LATER = /import\('(\.{1,2}\/[\w/-]+\.ts)'\)/g;
/** Ties the app to a browser, which is not here. */
const BROWSER = 'browser-link';

/**
 * Loads what the app loads when it first needs it. It would take its own time then, and only the
 * first seed of a process would wait for it.
 */
export async function preload(): Promise<void> {
	for (const room of ROOMS) {
		const folder = new URL(room, import.meta.url);
		for (const name of await readdir(folder)) {
			if (name.endsWith('.ts') && !name.endsWith('.test.ts'))
				await loadLater(new URL(name, folder));
		}
	}
}

async function loadLater(file: URL): Promise<void> {
	const wanted = Array.from(
		(await readFile(file, 'utf8')).matchAll(LATER),
		([, name = '']) => name
	);
	for (const name of wanted.filter((one) => !one.includes(BROWSER)))
		await import(new URL(name, file).href);
}
