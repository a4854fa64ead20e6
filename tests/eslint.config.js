import path from 'node:path';
// Before the parser of components, which asks for it when it is loaded.
import './one-program.js';
import svelte from 'eslint-plugin-svelte';
import { defineConfig } from 'eslint/config';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from '../svelte.config.js';
import { RULES } from './lint-rules.js';

/** @type {import('eslint').Linter.RulesRecord} */
const SVELTE = {
	// State is replaced whole ($state.raw), so that a map or a date in it never changes.
	'svelte/prefer-svelte-reactivity': 'off',
	// Daftar is served at the root of its origin: every address is written as it is.
	'svelte/no-navigation-without-resolve': 'off'
};

/** Components, which oxlint cannot read whole; and of modules with runes what is Svelte's own. */
export default defineConfig(
	svelte.configs.recommended,
	{
		files: ['**/*.svelte.ts'],
		languageOptions: { parserOptions: { parser: ts.parser } },
		rules: SVELTE
	},
	{
		files: ['**/*.svelte'],
		plugins: { '@typescript-eslint': ts.plugin },
		languageOptions: {
			globals: { ...globals.browser, ...globals.node },
			parserOptions: {
				parser: ts.parser,
				projectService: true,
				tsconfigRootDir: path.resolve(import.meta.dirname, '..'),
				extraFileExtensions: ['.svelte'],
				svelteConfig
			}
		},
		linterOptions: { reportUnusedDisableDirectives: 'error' },
		rules: {
			...RULES,
			// What a page passes is taken apart at once, and some of it is bound.
			'prefer-const': 'off',
			// An event's arrow says what happens, and returns nothing to anybody.
			'@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
			...SVELTE
		}
	}
);
