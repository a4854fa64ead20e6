import { assert } from './assert.ts';
import { AMOUNT_MINOR_MAX } from './money.ts';
import { QUANTITY_THOUSANDTHS_MAX } from './quantity.ts';
import { err, ok, type Result } from './result.ts';

/** Why a typed number is not taken, in the order in which it is asked. */
export type AmountRefusal =
	| 'empty'
	| 'exponent'
	| 'notANumber'
	| 'negative'
	| 'ambiguous'
	| 'tooManyDecimals'
	| 'tooLarge';

/** How a person's (or a file's) numbers are to be read. */
export interface NumberReading {
	/** BCP 47 tag whose group and decimal separators the person uses, such as `ar-IQ`. */
	readonly locale: string;
	/** Decimals that may be typed; without it all that the unit has. */
	readonly decimalsMax?: number;
	/** What happens to further decimals: refused, or rounded once, half away from zero. */
	readonly excess?: 'refuse' | 'round';
	/** Takes a minus sign, as a file of corrections may hold; a person's form never does. */
	readonly signed?: boolean;
}

export interface AmountReading extends NumberReading {
	/** Decimals of the currency's minor unit. */
	readonly exponent: number;
}

/** The longest text that is looked at; no amount or quantity needs more. */
export const NUMBER_CHARACTERS_MAX = 64;

/**
 * Reads an amount of money as a person typed it or a file holds it: minor units.
 *
 * Digits may be Latin, Arabic-Indic, Persian, Devanagari or Bangla. What could be read in two ways
 * (`1.234,50` in English) is refused, never guessed.
 */
export function parseAmount(text: string, reading: AmountReading): Result<number, AmountRefusal> {
	return parseScaled(text, reading, { scale: reading.exponent, max: AMOUNT_MINOR_MAX });
}

/** Reads a quantity in the same way: thousandths of the product's unit. */
export function parseQuantity(text: string, reading: NumberReading): Result<number, AmountRefusal> {
	return parseScaled(text, reading, { scale: 3, max: QUANTITY_THOUSANDTHS_MAX });
}

/**
 * Writes `units` of 10⁻`exponent` for an input field or a file: a point, no grouping, at least
 * `shownDecimals` decimals, and as many more as the amount needs. Never rounds.
 */
export function formatDecimal(units: number, exponent: number, shownDecimals: number): string {
	assert(Number.isSafeInteger(units), `not a whole number of units: ${String(units)}`);
	const digits = String(Math.abs(units)).padStart(exponent + 1, '0');
	const whole = digits.slice(0, digits.length - exponent);
	const decimals = digits.slice(digits.length - exponent);
	const needed = decimals.replace(/0+$/, '').padEnd(Math.min(shownDecimals, exponent), '0');
	return `${units < 0 ? '-' : ''}${whole}${needed === '' ? '' : `.${needed}`}`;
}

/** Writes the digits of other scripts as `0` to `9`, and leaves everything else as it is. */
export function asciiDigits(text: string): string {
	return text.replace(OTHER_DIGITS, (digit) => {
		const code = digit.charCodeAt(0);
		const zero = DIGIT_ZEROS.find((start) => code >= start && code < start + 10);
		return zero === undefined ? digit : String(code - zero);
	});
}

/** U+0660 Arabic-Indic, U+06F0 Persian and Urdu, U+0966 Devanagari, U+09E6 Bangla. */
const DIGIT_ZEROS: readonly number[] = [0x0660, 0x06f0, 0x0966, 0x09e6];
const OTHER_DIGITS = /[\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u09e6-\u09ef]/g;

const BIDI_MARKS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const ARABIC_DECIMAL = '٫';
const ARABIC_GROUP = '٬';

const SCIENTIFIC = /^-?[\d.,٫]+e[+-]?\d+$/i;
const NUMERIC = /^-?[.,'٫٬ ]*\d[\d.,'٫٬ ]*$/;
const PLAIN = /^\d*$/;
const GROUPED_BY_THREE = /^[1-9]\d{0,2}([.,'٬ ])\d{3}(?:\1\d{3})*$/;
const GROUPED_AS_IN_INDIA = /^[1-9]\d?([.,'٬ ])(?:\d{2}\1)+\d{3}$/;

interface Scale {
	readonly scale: number;
	readonly max: number;
}

function parseScaled(
	text: string,
	reading: NumberReading,
	{ scale, max }: Scale
): Result<number, AmountRefusal> {
	const shape = readShape(text, reading.signed === true);
	if (!shape.ok) return shape;
	const parts = splitAtDecimal(shape.value.number, separatorsOf(reading.locale));
	if (parts === undefined) return err('ambiguous');

	const decimals = Math.min(reading.decimalsMax ?? scale, scale);
	const refused = reading.excess === 'round' ? undefined : excessRefusal(parts.fraction, decimals);
	if (refused !== undefined) return err(refused);

	const size = scaled(parts, decimals) * 10n ** BigInt(scale - decimals);
	if (size > BigInt(max)) return err('tooLarge');
	// Zero has no sign: -0 would not survive being written as JSON.
	return ok(shape.value.isNegative && size > 0n ? -Number(size) : Number(size));
}

interface Shape {
	readonly number: string;
	readonly isNegative: boolean;
}

function readShape(text: string, isSigned: boolean): Result<Shape, AmountRefusal> {
	if (text.length > NUMBER_CHARACTERS_MAX)
		return err(/^[\s\p{Nd}]+$/u.test(text) ? 'tooLarge' : 'notANumber');
	const plain = asciiDigits(text.replace(BIDI_MARKS, ''))
		.trim()
		.replace(/\s/g, ' ')
		.replace(/\u2019/g, "'")
		.replace(/^\u2212/, '-');
	if (plain === '') return err('empty');
	if (SCIENTIFIC.test(plain)) return err('exponent');
	if (!NUMERIC.test(plain)) return err('notANumber');

	const isNegative = plain.startsWith('-');
	if (isNegative && !isSigned) return err('negative');
	return ok({ number: isNegative ? plain.slice(1).trimStart() : plain, isNegative });
}

interface Separators {
	readonly decimal: string;
	readonly group: string;
}

const separatorsByLocale = new Map<string, Separators>();

/** The locale's separators among Latin digits; the Arabic ones need no locale to be understood. */
function separatorsOf(locale: string): Separators {
	const known = separatorsByLocale.get(locale);
	if (known !== undefined) return known;

	const parts = new Intl.NumberFormat(locale, { numberingSystem: 'latn' }).formatToParts(1234567.8);
	const find = (type: 'decimal' | 'group') => parts.find((part) => part.type === type)?.value ?? '';
	const separators = { decimal: find('decimal'), group: find('group') };
	separatorsByLocale.set(locale, separators);
	return separators;
}

interface Parts {
	readonly whole: string;
	readonly fraction: string;
}

/** Whole and decimal digits, or nothing where the separators do not stand as the locale has them. */
function splitAtDecimal(number: string, { decimal, group }: Separators): Parts | undefined {
	const grouping = [group, ARABIC_GROUP, ' ', "'"];
	const at = Array.from(number).findIndex((c) => !/\d/.test(c) && !grouping.includes(c));
	const whole = at === -1 ? number : number.slice(0, at);
	const fraction = at === -1 ? '' : number.slice(at + 1);
	const isOwn = at === -1 || number[at] === decimal || number[at] === ARABIC_DECIMAL;

	if (!PLAIN.test(fraction)) return undefined;
	// A point in a French text is the decimal key of the keyboard, or a foreign group: `1.234`.
	if (!isOwn && fraction.length === 3) return undefined;
	const isWhole = [PLAIN, GROUPED_BY_THREE, GROUPED_AS_IN_INDIA].some((form) => form.test(whole));
	return isWhole ? { whole: whole.replace(/\D/g, ''), fraction } : undefined;
}

/** Zeros too many are harmless, but three of them may be the group of somebody else's thousands. */
function excessRefusal(fraction: string, decimals: number): AmountRefusal | undefined {
	if (fraction.length <= decimals) return undefined;
	if (/[1-9]/.test(fraction.slice(decimals))) return 'tooManyDecimals';
	return fraction.length === 3 ? 'ambiguous' : undefined;
}

function scaled({ whole, fraction }: Parts, decimals: number): bigint {
	const kept = fraction.slice(0, decimals).padEnd(decimals, '0');
	const isRoundedUp = /^[5-9]/.test(fraction.slice(decimals));
	return BigInt(`${whole}${kept}` || '0') + (isRoundedUp ? 1n : 0n);
}
