import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EMPTY_ENTRY, entryOf, keyOf, minorOf, press, type PadKey } from './amount-entry.ts';
import type { MoneyForm } from './figures.ts';

const USD: MoneyForm = { currency: 'USD', exponent: 2, shownDecimals: 2 };
const JPY: MoneyForm = { currency: 'JPY', exponent: 0, shownDecimals: 0 };
const KEYS: readonly PadKey[] = ['0', '1', '2', '5', '9', '00', '000', '.', '+', 'delete'];

function typed(keys: readonly PadKey[], form: MoneyForm): ReturnType<typeof press> {
	return keys.reduce((entry, key) => press(entry, key, form), EMPTY_ENTRY);
}

it.each([
	[['1', '2', '0'], USD, ['120'], 12_000],
	[['1', '000'], USD, ['1000'], 100_000],
	[['0', '0', '5'], USD, ['5'], 500],
	[['000'], USD, ['0'], 0],
	[['.', '5'], USD, ['0.5'], 50],
	[['1', '.', '2', '5', '9'], USD, ['1.25'], 125],
	[['1', '.', '.', '2'], USD, ['1.2'], 120],
	[['1', '.', '000'], USD, ['1.'], 100],
	[['1', '.', '5'], JPY, ['15'], 15],
	[['9', '000', '000', '000', '9'], USD, ['9000000000'], 900_000_000_000]
] as const)('[PAD-1] types %o of %o as %o', (...[keys, form, parts, minor]) => {
	const entry = typed(keys, form);
	expect(entry.parts).toEqual(parts);
	expect(minorOf(entry, form)).toBe(minor);
});

it('[PAD-2] adds up, and takes back figure by figure', () => {
	const entry = typed(['1', '2', '0', '+', '8', '0', '+', '5', '0'], USD);
	expect(entry.parts).toEqual(['120', '80', '50']);
	expect(minorOf(entry, USD)).toBe(25_000);
	const back = press(press(press(entry, 'delete', USD), 'delete', USD), 'delete', USD);
	expect(back.parts).toEqual(['120', '80']);
	expect(typed(['+', '+'], USD)).toEqual(EMPTY_ENTRY);
	expect(press(EMPTY_ENTRY, 'delete', USD)).toEqual(EMPTY_ENTRY);
});

it('[PAD-2] holds a whole amount, not below nothing, whatever is struck', () => {
	fc.assert(
		fc.property(fc.array(fc.constantFrom(...KEYS), { maxLength: 60 }), (keys) => {
			const minor = minorOf(typed(keys, USD), USD);
			expect(Number.isSafeInteger(minor) && minor >= 0).toBe(true);
		})
	);
});

it.each([
	['7', '7'],
	['٧', '7'],
	['۷', '7'],
	['७', '7'],
	[',', '.'],
	['٫', '.'],
	['Backspace', 'delete'],
	['a', undefined],
	['F2', undefined],
	['12', undefined]
])('[PAD-3] takes the key %s as %s', (key, pad) => {
	expect(keyOf(key)).toBe(pad);
});

it('[PAD-4] shows an amount for change as it was', () => {
	fc.assert(
		fc.property(fc.integer({ min: 0, max: 10 ** 12 }), fc.constantFrom(USD, JPY), (minor, form) => {
			expect(minorOf(entryOf(minor, form), form)).toBe(minor);
		})
	);
});
