import { createHash } from 'node:crypto';
import { globSync, readFileSync, statSync } from 'node:fs';
import adapter from '@sveltejs/adapter-static';

/** Two builds of the same sources are the same files, under the same names and of the same size. */
function sourcesVersion() {
	const hash = createHash('sha256');
	const files = ['src/**/*', 'static/**/*', '*.{js,ts,json}'].flatMap((glob) =>
		globSync(glob, { cwd: import.meta.dirname })
	);
	for (const file of files.toSorted()) {
		const place = `${import.meta.dirname}/${file}`;
		if (statSync(place).isFile()) hash.update(file).update('\0').update(readFileSync(place));
	}
	return hash.digest('hex').slice(0, 16);
}

/** @type {import('@sveltejs/kit').Config} */
export default {
	kit: {
		adapter: adapter({ fallback: 'index.html', precompress: true }),
		version: { name: sourcesVersion() },
		// The app registers it itself, with workbox-window, so that an update waits to be asked.
		serviceWorker: { register: false }
	},
	compilerOptions: { runes: true }
};
