import { asciiDigits } from '#domain/digits.ts';
import { AMOUNT_MINOR_MAX } from '#domain/money.ts';
import type { MoneyForm } from './figures.ts';

/** What was typed on a number pad: parts joined by +, each as its digits stand. */
export interface AmountEntry {
	/** At least one part; the last is being written. Latin digits and at most one `.`. */
	readonly parts: readonly string[];
}

export type PadKey =
	| '0'
	| '1'
	| '2'
	| '3'
	| '4'
	| '5'
	| '6'
	| '7'
	| '8'
	| '9'
	| '00'
	| '000'
	| '.'
	| '+'
	| 'delete';

export const EMPTY_ENTRY: AmountEntry = { parts: [''] };

/** Ten figures before the mark are more than any till takes, and stay exact as numbers. */
const WHOLE_DIGITS_MAX = 10;
const PARTS_MAX = 20;

/** The entry after `key`. A key that would make no amount of this currency changes nothing. */
export function press(entry: AmountEntry, key: PadKey, form: MoneyForm): AmountEntry {
	if (key === 'delete') return withoutLast(entry);
	if (key === '+') return withPlus(entry);
	const last = entry.parts.at(-1) ?? '';
	const next = key === '.' ? withMark(last, form) : withDigits(last, key, form);
	return next === last ? entry : { parts: [...entry.parts.slice(0, -1), next] };
}

/** The sum of the parts in minor units; 0 while nothing is written. */
export function minorOf(entry: AmountEntry, { exponent }: MoneyForm): number {
	const sum = entry.parts.reduce((total, part) => {
		const [whole = '', fraction = ''] = part.split('.');
		return total + Number(`${whole === '' ? '0' : whole}${fraction.padEnd(exponent, '0')}`);
	}, 0);
	return Math.min(sum, AMOUNT_MINOR_MAX);
}

/** The entry that shows `minor`, for an amount to be changed. */
export function entryOf(minor: number, { exponent }: MoneyForm): AmountEntry {
	if (minor === 0) return EMPTY_ENTRY;
	const digits = String(minor).padStart(exponent + 1, '0');
	const whole = digits.slice(0, digits.length - exponent);
	const fraction = digits.slice(digits.length - exponent);
	return { parts: [/^0*$/.test(fraction) ? whole : `${whole}.${fraction}`] };
}

/** The key that a keyboard's key means on the pad; digits of every script a phone may type. */
export function keyOf(typed: string): PadKey | undefined {
	if (typed === 'Backspace') return 'delete';
	if (typed === '+') return '+';
	if (typed === '.' || typed === ',' || typed === '\u066b') return '.';
	const digit = asciiDigits(typed);
	return DIGITS.find((key) => key === digit);
}

const DIGITS: readonly PadKey[] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

function withoutLast({ parts }: AmountEntry): AmountEntry {
	const last = parts.at(-1) ?? '';
	if (last !== '') return { parts: [...parts.slice(0, -1), last.slice(0, -1)] };
	return parts.length > 1 ? { parts: parts.slice(0, -1) } : EMPTY_ENTRY;
}

function withPlus({ parts }: AmountEntry): AmountEntry {
	const hasAmount = /[1-9]/.test(parts.at(-1) ?? '');
	return hasAmount && parts.length < PARTS_MAX ? { parts: [...parts, ''] } : { parts };
}

function withMark(last: string, { exponent }: MoneyForm): string {
	if (exponent === 0 || last.includes('.')) return last;
	return `${last === '' ? '0' : last}.`;
}

function withDigits(last: string, digits: string, { exponent }: MoneyForm): string {
	const next = (last === '0' ? '' : last) + digits;
	const [whole = '', fraction = ''] = next.split('.');
	if (whole.length > WHOLE_DIGITS_MAX || fraction.length > exponent) return last;
	return /^0+$/.test(next) ? '0' : next;
}
