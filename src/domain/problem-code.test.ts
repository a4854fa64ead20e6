import { expect, it } from 'vitest';
import { isProblemCode, PROBLEM_CODES } from './problem-code.ts';

it('[ACCOUNT-6] knows every code once, and no other', () => {
	expect(new Set(PROBLEM_CODES).size).toBe(PROBLEM_CODES.length);
	expect(PROBLEM_CODES.every(isProblemCode)).toBe(true);
	expect(['', 'constructor', 'usernametaken', 7, null].some(isProblemCode)).toBe(false);
});
