import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vitest/config';

/** The oldest browsers we answer for; `light-dark()` and nesting are written out for them. */
const FLOOR = ['chrome111', 'safari16.4', 'firefox115'];

/**
 * Few files, by when they are needed: a precache fetches one at a time. What is only imported
 * dynamically (the link to the relay, reading a file) is in none of them, and comes when it is called.
 */
const GROUPS: { name: string; tags: ['$initial']; test: RegExp }[] = [
	{ name: 'base', tags: ['$initial'], test: /node_modules/ },
	{ name: 'book', tags: ['$initial'], test: /src\/(domain|storage|state|ui)\// },
	{
		name: 'till',
		tags: ['$initial'],
		test: /src\/routes\/(shop\/(sell|charge|done|\+|\w+\.)|\+|\w+\.)/
	},
	{ name: 'rooms', tags: ['$initial'], test: /src\/routes\/shop\// },
	{ name: 'outside', tags: ['$initial'], test: /src\/routes\// }
];

export default defineConfig({
	plugins: [sveltekit()],
	build: {
		target: FLOOR,
		cssTarget: FLOOR,
		// A few files more or less cost a phone nothing; each one costs the precache a round trip.
		assetsInlineLimit: 0,
		rolldownOptions: { output: { codeSplitting: { groups: GROUPS } } }
	},
	css: { transformer: 'lightningcss' },
	test: {
		// Under Node, in processes of their own: what a test kills or starts is not ours.
		environment: 'node',
		pool: 'forks',
		include: ['{src,server,tests}/**/*.test.ts'],
		exclude: ['tests/e2e/**', 'tests/load/**'],
		globalSetup: ['tests/support/postgres-broker.ts'],
		testTimeout: 20_000,
		hookTimeout: 60_000
	}
});
