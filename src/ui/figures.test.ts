import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
	formatMinor,
	formatThousandths,
	learnFigureForm,
	parseFigureForm,
	type MoneyForm
} from './figures.ts';

const KES: MoneyForm = { currency: 'KES', exponent: 2, shownDecimals: 0 };
const USD: MoneyForm = { currency: 'USD', exponent: 2, shownDecimals: 2 };
const JPY: MoneyForm = { currency: 'JPY', exponent: 0, shownDecimals: 0 };
const KWD: MoneyForm = { currency: 'KWD', exponent: 3, shownDecimals: 3 };
const CLF: MoneyForm = { currency: 'CLF', exponent: 4, shownDecimals: 2 };

it.each([
	[64_000, KES, '640'],
	[64_000, USD, '640.00'],
	[1_234_567, USD, '12,345.67'],
	[5, USD, '0.05'],
	[640, JPY, '640'],
	[1_500, KWD, '1.500'],
	[0, USD, '0.00'],
	[12_345_678_901_234_567_890_123n, USD, '123,456,789,012,345,678,901.23']
])('[FIGURE-1] writes %s of %o as %s', (minor, form, written) => {
	expect(formatMinor(minor, form, { locale: 'en-GB' })).toBe(written);
});

it.each([
	[64_050, KES, '640.50'],
	[64_001, KES, '640.01'],
	[12_300, CLF, '1.23'],
	[12_345, CLF, '1.2345']
])('[FIGURE-2] shows the hidden decimals of %s of %o: %s', (minor, form, written) => {
	expect(formatMinor(minor, form, { locale: 'en-GB' })).toBe(written);
});

it('[FIGURE-2] never shows less than there is', () => {
	fc.assert(
		fc.property(
			fc.bigInt({ min: 0n, max: 10n ** 15n }),
			fc.constantFrom(KES, USD, KWD, CLF),
			(minor, form) => {
				const [whole = '', fraction = ''] = formatMinor(minor, form, { locale: 'en-GB' })
					.replaceAll(',', '')
					.split('.');
				expect(BigInt(whole + fraction.padEnd(form.exponent, '0'))).toBe(minor);
			}
		)
	);
});

it('[FIGURE-3] puts the sign before the figure, and none before nothing', () => {
	expect(formatMinor(-150_000, USD, { locale: 'en-GB' })).toBe('−1,500.00');
	expect(formatMinor(150_000, USD, { locale: 'en-GB', sign: 'always' })).toBe('+1,500.00');
	expect(formatMinor(0, USD, { locale: 'en-GB', sign: 'always' })).toBe('0.00');
	expect(formatMinor(-150_000, USD, { locale: 'en-GB', sign: 'never' })).toBe('1,500.00');
});

it('[FIGURE-4] writes the digits and the mark of the person', () => {
	expect(formatMinor(123_450, USD, { locale: 'ar-u-nu-arab' })).toBe('١٬٢٣٤٫٥٠');
	expect(formatMinor(123_450, USD, { locale: 'ar-u-nu-latn' })).toBe('1,234.50');
	expect(formatMinor(123_450, USD, { locale: 'de-u-nu-latn' })).toBe('1.234,50');
	expect(formatMinor(12_345_600, USD, { locale: 'en-IN-u-nu-latn' })).toBe('1,23,456.00');
});

it.each([
	[1_000, '1'],
	[250, '0.25'],
	[6_400, '6.4'],
	[-2_000, '−2'],
	[1_234_567, '1,234.567']
])('[FIGURE-5] writes %i thousandths as %s', (thousandths, written) => {
	expect(formatThousandths(thousandths, 'en-GB')).toBe(written);
});

const WHOLE: MoneyForm = { currency: '', exponent: 0, shownDecimals: 0 };
const LOCALES = [
	'en-KE',
	'en-IN',
	'en-GB',
	'ar',
	'ar-EG',
	'ar-MA',
	'de',
	'es',
	'pl',
	'fr',
	'hi',
	'pt-PT'
];

it('[FIGURE-6] writes whole numbers as Intl does, in every digits and groups', () => {
	fc.assert(
		fc.property(
			fc.bigInt({ min: 0n, max: 10n ** 20n }),
			fc.constantFrom(...LOCALES),
			fc.constantFrom('latn', 'arab'),
			(value, name, digits) => {
				const locale = `${name}-u-nu-${digits}`;
				expect(formatMinor(value, WHOLE, { locale })).toBe(
					new Intl.NumberFormat(locale).format(value)
				);
			}
		)
	);
	for (const value of [0n, 999n, 1_000n, 9_999n, 10_000n, 123_456n, 1_234_567n])
		for (const locale of LOCALES)
			expect(formatMinor(value, WHOLE, { locale })).toBe(
				new Intl.NumberFormat(locale).format(value)
			);
});

it('[FIGURE-6] keeps a form, and reads what is none as none', () => {
	const form = learnFigureForm('en-IN-u-nu-latn');
	expect(parseFigureForm(JSON.parse(JSON.stringify(form)))).toEqual(form);
	expect(form.groups).toEqual([3, 2]);
	const broken = [
		null,
		7,
		{ ...form, digits: ['0'] },
		{ ...form, digits: undefined },
		{ ...form, decimal: 1 },
		{ ...form, groups: [3] },
		{ ...form, groups: ['3', '2'] },
		{ ...form, groupsFrom: -1 }
	];
	expect(broken.map(parseFigureForm)).toEqual(broken.map(() => undefined));
});
