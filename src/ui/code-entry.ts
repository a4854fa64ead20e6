import { asciiDigits } from '#domain/digits.ts';

/** Digits of a code by where it comes from: an SMS, a sheet of paper. The length tells the way. */
export const SMS_CODE_DIGITS = 6;
export const PAPER_CODE_DIGITS = 8;

/** Signs that people write between the groups of a code, and marks that a message carries along. */
const BETWEEN = /[\s\-–.\u200e\u200f\u2066-\u2069]/g;

/** The digits of a code as somebody wrote or pasted it, in any script; undefined where it is none. */
export function codeDigits(text: string): string | undefined {
	const bare = asciiDigits(text).replace(BETWEEN, '');
	return /^\d+$/.test(bare) ? bare : undefined;
}

/** The entry after what was typed or pasted; what makes no digits, or too many, changes nothing. */
export function withCode(entry: string, typed: string, digitsMax: number): string {
	const digits = codeDigits(typed);
	if (digits === undefined) return entry;
	// A whole code that was pasted takes the place of what stood there.
	const next = digits.length > 1 ? digits : entry + digits;
	return next.length > digitsMax ? entry : next;
}

/** The places of a code in groups as it is read aloud: `4821 7730`, `482 177`. */
export function codeGroups(entry: string, length: number): readonly (readonly string[])[] {
	const size = length === PAPER_CODE_DIGITS ? 4 : 3;
	const places = Array.from({ length }, (_, place) => entry[place] ?? '');
	return Array.from({ length: Math.ceil(length / size) }, (_, group) =>
		places.slice(group * size, group * size + size)
	);
}
