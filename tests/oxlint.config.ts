import { defineConfig, type OxlintConfig } from 'oxlint';
import { RULES } from './lint-rules.js';

type Rules = NonNullable<OxlintConfig['rules']>;

/** Rules that TypeScript's plugin of ESLint extends; here they know types by themselves. */
const EXTENDED = new Set([
	'no-array-constructor',
	'no-empty-function',
	'no-unused-expressions',
	'no-unused-vars',
	'no-useless-constructor'
]);
/** What no module can be written with. */
const IMPOSSIBLE = new Set(['no-dupe-args', 'no-octal']);

/** What would make the domain depend on when, where or by whom it is run. */
const IMPURE = [
	'Date',
	'crypto',
	'performance',
	'fetch',
	'console',
	'process',
	'setTimeout',
	'setInterval',
	'window',
	'document',
	'localStorage',
	'indexedDB'
];

const { complexity = 'off', 'max-lines-per-function': lines = 'off', ...everywhere } = named(RULES);

export default defineConfig({
	plugins: ['eslint', 'typescript'],
	categories: { correctness: 'off' },
	options: { typeAware: true, reportUnusedDisableDirectives: 'error' },
	ignorePatterns: ['**/*.config.*', '**/*.svelte'],
	// Its optional chains are offered where they mean something else: `a === undefined || a.b === null`.
	rules: { ...everywhere, 'typescript/prefer-optional-chain': 'off' },
	// Patterns are read from this folder on: nothing in it is called `tests/…`.
	overrides: [
		{
			files: ['**/src/**', '**/server/**'],
			rules: { complexity, 'max-lines-per-function': lines }
		},
		{
			// An event's arrow says what happens, and returns nothing to anybody.
			files: ['**/*.svelte.ts'],
			rules: {
				'typescript/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }]
			}
		},
		{
			files: ['**/src/domain/**/*.ts'],
			rules: {
				'no-restricted-globals': [
					'error',
					...IMPURE.map((name) => ({
						name,
						message: 'the domain takes time, ids and chance as arguments'
					}))
				],
				'no-restricted-properties': [
					'error',
					{ object: 'Math', property: 'random', message: 'take it as an argument' }
				]
			}
		},
		{
			files: ['**/*.test.ts'],
			rules: {
				'max-lines-per-function': 'off',
				complexity: 'off',
				'no-restricted-globals': 'off',
				'no-restricted-properties': 'off'
			}
		},
		{
			// Run before there are packages, so not in TypeScript; checked through JSDoc by svelte-check.
			files: ['**/*.js'],
			rules: {
				'typescript/explicit-module-boundary-types': 'off',
				'typescript/strict-boolean-expressions': 'off'
			}
		},
		{ files: ['**/server/main.ts', '**/server/commands/*.ts'], rules: { 'no-console': 'off' } }
	]
});

/** The same rules by oxlint's names. */
function named(rules: typeof RULES): Rules {
	const out: Record<string, unknown> = {};
	for (const [name, setting] of Object.entries(rules)) {
		if (setting === 'off' || IMPOSSIBLE.has(name)) continue;
		const [, plain] = /^@typescript-eslint\/(.*)$/.exec(name) ?? [];
		const isCore = plain === undefined || EXTENDED.has(plain);
		out[isCore ? (plain ?? name) : `typescript/${plain}`] = setting;
	}
	return out as Rules;
}
