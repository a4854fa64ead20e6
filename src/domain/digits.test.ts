import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
	asciiDigits,
	formatDecimal,
	NUMBER_CHARACTERS_MAX,
	parseAmount,
	parseQuantity,
	type AmountRefusal
} from './digits.ts';
import { AMOUNT_MINOR_MAX } from './money.ts';

const DIGITS_AND_SIGNS = ['0', '1', '5', '9', '.', ',', '-', ' ', "'", '٫', '٬', 'e'];

const read = (text: string, locale = 'en', exponent = 2) => parseAmount(text, { locale, exponent });

describe('parseAmount', () => {
	it.each<[text: string, locale: string, minor: number]>([
		['1,234.50', 'en', 123_450],
		['1234.5', 'en', 123_450],
		['  12 ', 'en', 1_200],
		['.5', 'en', 50],
		['5.', 'en', 500],
		['0', 'en', 0],
		['0.00', 'en', 0],
		['000012', 'en', 1_200],
		['1,00,000.25', 'en-IN', 10_000_025],
		['12,34,567', 'hi', 123_456_700],
		['1.234,50', 'de', 123_450],
		['1.234,50', 'es', 123_450],
		['1 234,50', 'fr', 123_450],
		['1\u00a0234,50', 'fr', 123_450],
		['1\u202f234,50', 'fr', 123_450],
		['12.5', 'fr', 1_250],
		['1 234.50', 'en', 123_450],
		["1'234.50", 'de-CH', 123_450],
		['1’234.50', 'de-CH', 123_450],
		['1,234.50', 'sw', 123_450],
		['12.500000', 'en', 1_250]
	])('[TEXT-6] reads %j in %s', (text, locale, minor) => {
		expect(read(text, locale)).toEqual({ ok: true, value: minor });
	});

	it.each<[text: string, locale: string, minor: number]>([
		['١٢٣٫٥', 'ar', 12_350],
		['١٢٣٫٥', 'en', 12_350],
		['١٬٢٣٤٫٥٠', 'ar-IQ', 123_450],
		['۱۲۳٫۵', 'fa', 12_350],
		['१२३.५', 'hi', 12_350],
		['১২৩.৫', 'bn', 12_350],
		['\u200f١٢٣\u200e', 'ar', 12_300],
		['\u202a12.5\u202c', 'ar', 1_250],
		['1٢3', 'ar', 12_300]
	])('[TEXT-5] reads the digits of %j', (text, locale, minor) => {
		expect(read(text, locale)).toEqual({ ok: true, value: minor });
	});

	it.each<[text: string, refusal: AmountRefusal, locale?: string]>([
		['', 'empty'],
		[' \u200f\n', 'empty'],
		['1e3', 'exponent'],
		['-1.5E+10', 'exponent'],
		['١e٣', 'exponent'],
		['abc', 'notANumber'],
		['12 kg', 'notANumber'],
		['0x10', 'notANumber'],
		['1\u00002', 'notANumber'],
		['12😀', 'notANumber'],
		['\ud83d', 'notANumber'],
		['NaN', 'notANumber'],
		['Infinity', 'notANumber'],
		['²', 'notANumber'],
		['.', 'notANumber'],
		['-', 'notANumber'],
		['--5', 'notANumber'],
		['5-', 'notANumber'],
		['x'.repeat(NUMBER_CHARACTERS_MAX + 1), 'notANumber'],
		['-5', 'negative'],
		['-0', 'negative'],
		['−5', 'negative'],
		['1.234,50', 'ambiguous'],
		['1,234.50', 'ambiguous', 'de'],
		['12,5', 'ambiguous'],
		['12.5', 'ambiguous', 'de'],
		['1.2.3', 'ambiguous'],
		['0,123', 'ambiguous'],
		['1,23', 'ambiguous'],
		['1,234 567', 'ambiguous'],
		['1.234', 'ambiguous', 'fr'],
		['1.500', 'ambiguous'],
		['1,234', 'tooManyDecimals', 'de'],
		['0.001', 'tooManyDecimals'],
		['99999999999999999999', 'tooLarge'],
		['9'.repeat(10_000), 'tooLarge'],
		['100000000000.01', 'tooLarge']
	])('[TEXT-7] refuses %j as %s', (text, refusal, locale) => {
		expect(read(text, locale)).toEqual({ ok: false, error: refusal });
	});

	it('[TEXT-7] takes the largest amount itself', () => {
		expect(read('100,000,000,000.00')).toEqual({ ok: true, value: AMOUNT_MINOR_MAX });
	});

	it('[TEXT-8] reads in the decimals of the currency, and takes no more than are typed there', () => {
		expect(read('1,234', 'en', 0)).toEqual({ ok: true, value: 1_234 });
		expect(read('1.234', 'en', 3)).toEqual({ ok: true, value: 1_234 });
		const iqd = { locale: 'en', exponent: 3, decimalsMax: 0 };
		expect(parseAmount('250', iqd)).toEqual({ ok: true, value: 250_000 });
		expect(parseAmount('250.0', iqd)).toEqual({ ok: true, value: 250_000 });
		expect(parseAmount('250.5', iqd)).toEqual({ ok: false, error: 'tooManyDecimals' });
		expect(parseAmount('1.000', iqd)).toEqual({ ok: false, error: 'ambiguous' });
	});

	it('[TEXT-9] rounds once, half away from zero, where a file asks for it', () => {
		const file = { locale: 'en', exponent: 2, excess: 'round', signed: true } as const;
		const minors = ['0.005', '0.00499', '4.2459', '-0.005', '-0.004', '1.500'].map((text) =>
			parseAmount(text, file)
		);
		expect(minors).toEqual([1, 0, 425, -1, 0, 150].map((value) => ({ ok: true, value })));
	});

	it('[TEXT-9] takes a sign where a file asks for it, and never gives -0', () => {
		const file = { locale: 'en', exponent: 2, signed: true };
		expect(parseAmount('-11062.06', file)).toEqual({ ok: true, value: -1_106_206 });
		expect(parseAmount('- 5', file)).toEqual({ ok: true, value: -500 });
		expect(parseAmount('-0', file)).toEqual({ ok: true, value: 0 });
	});

	it('[TEXT-7] answers any text whatever', () => {
		const locales = fc.constantFrom('en', 'ar', 'ckb', 'hi', 'sw', 'es', 'fr', 'de-CH');
		const texts = fc.oneof(
			fc.string({ unit: 'binary' }),
			fc.string({ unit: fc.constantFrom(...DIGITS_AND_SIGNS) })
		);
		let read = 0;
		fc.assert(
			fc.property(texts, locales, fc.constantFrom(0, 2, 3), (text, locale, exponent) => {
				const parsed = parseAmount(text, { locale, exponent });
				if (!parsed.ok) return;
				read += 1;
				expect(Number.isSafeInteger(parsed.value) && parsed.value >= 0).toBe(true);
			}),
			{ numRuns: 2_000 }
		);
		expect(read).toBeGreaterThan(50);
	});
});

describe('parseQuantity', () => {
	it('[QTY-2] reads thousandths', () => {
		const quantity = (text: string, decimalsMax = 3) =>
			parseQuantity(text, { locale: 'en', decimalsMax });
		expect(quantity('6')).toEqual({ ok: true, value: 6_000 });
		expect(quantity('0.25')).toEqual({ ok: true, value: 250 });
		expect(quantity('1.2345')).toEqual({ ok: false, error: 'tooManyDecimals' });
		expect(quantity('1.5', 0)).toEqual({ ok: false, error: 'tooManyDecimals' });
		expect(quantity('10000000')).toEqual({ ok: true, value: 10_000_000_000 });
		expect(quantity('10000000.001')).toEqual({ ok: false, error: 'tooLarge' });
	});
});

describe('formatDecimal', () => {
	it.each([
		[123_450, 2, 2, '1234.50'],
		[5, 2, 2, '0.05'],
		[-5, 3, 3, '-0.005'],
		[250_000, 3, 0, '250'],
		[250_500, 3, 0, '250.5'],
		[7, 0, 0, '7'],
		[7, 0, 2, '7'],
		[0, 2, 2, '0.00']
	])('[TEXT-10] writes %i of exponent %i with %i decimals as %s', (...row) => {
		const [units, exponent, shown, text] = row;
		expect(formatDecimal(units, exponent, shown)).toBe(text);
	});

	it('[TEXT-10] is read back as the same amount', () => {
		const amounts = fc.integer({ min: -AMOUNT_MINOR_MAX, max: AMOUNT_MINOR_MAX });
		const decimals = fc.constantFrom(0, 2, 3, 4);
		fc.assert(
			fc.property(amounts, decimals, fc.nat(4), (minor, exponent, shown) => {
				const text = formatDecimal(minor, exponent, shown);
				const parsed = parseAmount(text, { locale: 'en', exponent, signed: true });
				expect(parsed).toEqual({ ok: true, value: minor });
			})
		);
	});
});

it('[TEXT-5] leaves what is no digit as it is', () => {
	expect(asciiDigits('a٠٩۰۹०९০৯z-5')).toBe('a09090909z-5');
});
