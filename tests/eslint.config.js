import path from 'node:path';
// Before the parser of components, which asks for it when it is loaded.
import './one-program.js';
import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import { defineConfig } from 'eslint/config';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from '../svelte.config.js';

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

export default defineConfig(
	{ ignores: ['tests/eslint.config.js', '.svelte-kit/', 'build/', 'drizzle/', '*.config.*'] },
	js.configs.recommended,
	ts.configs.strictTypeChecked,
	ts.configs.stylisticTypeChecked,
	svelte.configs.recommended,
	{
		languageOptions: {
			globals: { ...globals.browser, ...globals.node },
			parserOptions: {
				projectService: true,
				tsconfigRootDir: path.resolve(import.meta.dirname, '..'),
				extraFileExtensions: ['.svelte']
			}
		},
		linterOptions: { reportUnusedDisableDirectives: 'error' },
		rules: {
			complexity: ['error', 10],
			eqeqeq: 'error',
			'max-depth': ['error', 3],
			'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
			'max-params': ['error', 3],
			'no-console': 'error',
			'no-param-reassign': 'error',
			'no-undef': 'off',
			'@typescript-eslint/consistent-type-imports': 'error',
			'@typescript-eslint/explicit-module-boundary-types': 'error',
			// There are no enums here (`erasableSyntaxOnly`) and hardly a class; each asks for every type anew.
			'@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
			'@typescript-eslint/no-unsafe-enum-assignment': 'off',
			'@typescript-eslint/strict-boolean-expressions': 'error',
			'@typescript-eslint/switch-exhaustiveness-check': [
				'error',
				{ considerDefaultExhaustiveForUnions: true }
			]
		}
	},
	{
		files: ['**/*.svelte', '**/*.svelte.ts'],
		languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
		rules: {
			// An event's arrow says what happens, and returns nothing to anybody.
			'@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
			// State is replaced whole ($state.raw), so that a map or a date in it never changes.
			'svelte/prefer-svelte-reactivity': 'off'
		}
	},
	// Daftar is served at the root of its origin: every address is written as it is.
	{ files: ['src/**'], rules: { 'svelte/no-navigation-without-resolve': 'off' } },
	{
		files: ['src/domain/**/*.ts'],
		ignores: ['tests/eslint.config.js', '**/*.test.ts'],
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
		files: ['**/*.test.ts', 'tests/**'],
		rules: { 'max-lines-per-function': 'off', complexity: 'off' }
	},
	{
		// Run before there are packages, so not in TypeScript; checked through JSDoc by svelte-check.
		files: ['**/*.js'],
		rules: {
			'@typescript-eslint/explicit-module-boundary-types': 'off',
			'@typescript-eslint/strict-boolean-expressions': 'off'
		}
	},
	{ files: ['server/main.ts', 'server/commands/*.ts'], rules: { 'no-console': 'off' } }
);
