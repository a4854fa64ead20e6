import { assert, present } from '../assert.ts';

/** The quasigroup of H. Michael Damm's thesis (2004): row = the digit so far, column = the next one. */
const ROWS = [
	'0317598642',
	'7092154863',
	'4206871359',
	'1750983426',
	'6123045978',
	'3674209581',
	'5869720134',
	'8945362017',
	'9438617205',
	'2581436790'
] as const;

/** The check digit that finds every wrong digit and every swap of two neighbours. */
export function dammDigit(digits: string): string {
	assert(/^\d+$/.test(digits), 'a check digit is of digits');
	return Array.from(digits).reduce(
		(row, digit) => present(ROWS[Number(row)], 'a row for each digit').charAt(Number(digit)),
		'0'
	);
}

/** Whether `digits`, its check digit last, was typed right. */
export function isDamm(digits: string): boolean {
	return /^\d{2,}$/.test(digits) && dammDigit(digits) === '0';
}
