import js from '@eslint/js';
import ts from 'typescript-eslint';

/** @import { Linter } from 'eslint' */

/**
 * What is asked of all code here, by ESLint's names: of components by eslint, of everything else by
 * oxlint, which knows the same rules and takes a seventh of the time.
 *
 * @type {Linter.RulesRecord}
 */
export const RULES = {
	...js.configs.recommended.rules,
	...preset(ts.configs.strictTypeChecked),
	...preset(ts.configs.stylisticTypeChecked),
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
};

/**
 * @param {readonly { rules?: object | undefined }[]} configs
 * @returns {Linter.RulesRecord}
 */
function preset(configs) {
	/** @type {Linter.RulesRecord} */
	const all = {};
	for (const { rules } of configs) Object.assign(all, rules);
	return all;
}
