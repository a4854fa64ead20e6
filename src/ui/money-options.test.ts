import { expect, it } from 'vitest';
import { moneyOptions } from './money-options.ts';

it('[CHOICE-1] moneys of one code are told apart by their exponents', () => {
	const [shillings, others, pounds] = [
		{ currency: 'KES', exponent: 2 },
		{ currency: 'KES', exponent: 3 },
		{ currency: 'GBP', exponent: 2 }
	];
	expect(moneyOptions([shillings, others, pounds])).toEqual([
		{ value: 'KES/2', word: 'KES/2' },
		{ value: 'KES/3', word: 'KES/3' },
		{ value: 'GBP/2', word: 'GBP' }
	]);
});
