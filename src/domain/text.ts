import { asciiDigits } from './digits.ts';
import { err, ok, type Result } from './result.ts';

export type NameRefusal = 'empty' | 'tooLong';

/**
 * Cleans what a person typed or a file holds as a name, a note or an address; at most
 * `codePointsMax` code points of one line in NFC.
 *
 * Control characters, NUL, halves of emoji and the controls that turn the text after them around
 * are taken out, white space is collapsed. Refuses what has nothing to see, and what is too long.
 */
export function cleanName(text: string, codePointsMax: number): Result<string, NameRefusal> {
	// One code point is at most two units; what is far longer is not worth the work of cleaning.
	if (text.length > TEXT_UNITS_MAX) return err('tooLong');
	const clean = collapse(text.replace(UNWANTED, '')).normalize('NFC');
	if (!VISIBLE.test(clean)) return err('empty');
	return Array.from(clean).length > codePointsMax ? err('tooLong') : ok(clean);
}

/**
 * The key by which people find things: without case, accents, vowel signs of Arabic, and the
 * differences between Arabic, Persian and Kurdish letters of one sound; digits are `0` to `9`.
 */
export function searchKey(text: string): string {
	const bare = text.normalize('NFKD').replace(ACCENTS, '').toUpperCase().toLowerCase();
	return collapse(asciiDigits(bare).replace(TWINS, (letter) => TWIN_OF.get(letter) ?? letter));
}

/** The key by which codes are one and the same: trimmed, without case, digits `0` to `9`. */
export function codeKey(text: string): string {
	return collapse(asciiDigits(text.normalize('NFC')).toLowerCase());
}

/** The longest text that is cleaned at all, in UTF-16 units. */
export const TEXT_UNITS_MAX = 20_000;

/** Lone surrogates, controls that are not white space, and overrides and isolates of direction. */
const UNWANTED = /\p{Cs}|(?!\s)\p{Cc}|[\u200b\u202a-\u202e\u2060\u2066-\u2069]/gu;
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}\p{Co}]/u;

/**
 * Combining marks of Latin, Greek and Cyrillic; of Arabic, with the hamza that `أ` decomposes to,
 * and its lengthening stroke. Not those of Indian scripts, where the mark is the vowel.
 */
const ACCENTS = /[\u0300-\u036f\u064b-\u065f\u0670\u0640\u200b-\u200f\u2060]/g;

const TWIN_OF: ReadonlyMap<string, string> = new Map([
	['ي', 'ی'],
	['ى', 'ی'],
	['ك', 'ک'],
	['ة', 'ه'],
	['ς', 'σ']
]);
const TWINS = /[يىكةς]/g;

function collapse(text: string): string {
	return text.replace(/\s+/g, ' ').trim();
}
