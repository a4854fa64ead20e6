import adapter from '@sveltejs/adapter-static';

/** @type {import('@sveltejs/kit').Config} */
export default {
	kit: {
		adapter: adapter({ fallback: 'index.html', precompress: true }),
		// The app registers it itself, with workbox-window, so that an update waits to be asked.
		serviceWorker: { register: false }
	},
	compilerOptions: { runes: true }
};
