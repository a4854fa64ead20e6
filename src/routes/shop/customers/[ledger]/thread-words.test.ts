import { expect, it } from 'vitest';
import { figureMinor, sideWord, signedMinor, toneOf } from './thread-words.ts';

it('a statement lists what it names, and is no payment', () => {
	const statement = { kind: 'statement', amount: 87_700 } as const;
	expect(figureMinor(statement)).toEqual({ minor: 87_700, sign: 'negative' });
	expect([signedMinor(statement), toneOf(0)]).toEqual([0, undefined]);
	expect(sideWord('statement')).toBe('record.listed');
});

it('a line says which way it went', () => {
	const due = { kind: 'due', amount: 500 } as const;
	const payment = { kind: 'payment', amount: 30 } as const;
	expect([due, payment].map(figureMinor)).toEqual([
		{ minor: 500, sign: 'always' },
		{ minor: -30, sign: 'always' }
	]);
	expect([due, payment].map((line) => toneOf(signedMinor(line)))).toEqual(['gave', 'got']);
});
