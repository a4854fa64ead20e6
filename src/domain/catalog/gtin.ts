import { asciiDigits } from '#domain/digits.ts';
import { err, ok, type Result } from '#domain/result.ts';

/** A GTIN-14 whose check digit is right; shorter barcodes are padded with zeros on the left. */
export type Gtin = string & { readonly __brand: 'Gtin' };

export type GtinRefusal = 'notDigits' | 'wrongLength' | 'wrongCheckDigit' | 'inHouse';

const GTIN_LENGTHS: readonly number[] = [8, 12, 13, 14];

/**
 * Reads the digits of a barcode: EAN-8, UPC-A, EAN-13, GTIN-14, and UPC-E where its eight digits
 * begin with 0. Refuses numbers that shops give themselves: they mean something else next door.
 */
export function parseGtin(scanned: string): Result<Gtin, GtinRefusal> {
	const digits = asciiDigits(scanned).trim();
	if (!/^\d+$/.test(digits)) return err('notDigits');
	if (!GTIN_LENGTHS.includes(digits.length)) return err('wrongLength');

	// An EAN-8 that begins with 0 is in-house by GS1's rules, so the other reading comes first.
	const expanded = digits.length === 8 && digits.startsWith('0') ? expandUpcE(digits) : undefined;
	if (expanded?.ok === true) return expanded;

	const gtin = digits.padStart(14, '0');
	if (checkDigit(gtin.slice(0, 13)) !== gtin.at(-1)) return err('wrongCheckDigit');
	return isInHouse(digits) ? err('inHouse') : ok(gtin as Gtin);
}

/**
 * Expands the zero-suppressed UPC-E that a scanner names as such: six digits (number system 0, no
 * check digit) or eight (number system 0 or 1, check digit last). Source: GS1 General
 * Specifications, "Zero suppression in UPC-E barcodes".
 */
export function expandUpcE(scanned: string): Result<Gtin, GtinRefusal> {
	const digits = asciiDigits(scanned).trim();
	if (!/^\d+$/.test(digits)) return err('notDigits');
	if (!/^(?:\d{6}|[01]\d{7})$/.test(digits)) return err('wrongLength');

	const body = digits.length === 6 ? digits : digits.slice(1, 7);
	const system = digits.length === 6 ? '0' : digits.slice(0, 1);
	const data = `00${system}${upcABody(body)}`;
	const check = checkDigit(data);
	if (digits.length === 8 && digits.at(-1) !== check) return err('wrongCheckDigit');
	return isInHouse(`${data.slice(1)}${check}`) ? err('inHouse') : ok(`${data}${check}` as Gtin);
}

/** The last of six digits tells where the zeros were taken out. */
function upcABody(six: string): string {
	const last = six.slice(5);
	if ('012'.includes(last)) return `${six.slice(0, 2)}${last}0000${six.slice(2, 5)}`;
	if (last === '3') return `${six.slice(0, 3)}00000${six.slice(3, 5)}`;
	if (last === '4') return `${six.slice(0, 4)}00000${six.slice(4, 5)}`;
	return `${six.slice(0, 5)}0000${last}`;
}

/**
 * Numbers for restricted circulation: GS1 prefixes 02, 04 and 20 to 29, RCN-8 beginning with 0 or
 * 2, and a number of nothing but zeros.
 */
function isInHouse(digits: string): boolean {
	if (/^0+$/.test(digits)) return true;
	if (digits.length === 8) return /^[02]/.test(digits);
	return /^(?:0[24]|2)/.test(digits.padStart(14, '0').slice(1));
}

/** GS1 mod-10 over thirteen digits: weights 3 and 1 in turn. */
function checkDigit(digits: string): string {
	const weighted = Array.from(digits, (digit, index) => Number(digit) * (index % 2 === 0 ? 3 : 1));
	return String((10 - (weighted.reduce((a, b) => a + b, 0) % 10)) % 10);
}
