import { AMOUNT_MINOR_MAX } from '#domain/money.ts';

/**
 * Small questions about a value that came from outside. Each narrows; none changes anything.
 */

export function isWhole(value: unknown, min: number, max: number): value is number {
	return (
		Number.isSafeInteger(value) &&
		!Object.is(value, -0) &&
		Number(value) >= min &&
		Number(value) <= max
	);
}

/** Zero or more minor units. */
export function isAmount(value: unknown): value is number {
	return isWhole(value, 0, AMOUNT_MINOR_MAX);
}

export function isSignedAmount(value: unknown): value is number {
	return isWhole(value, -AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX);
}

/** Well-formed text (no half of a surrogate pair, no NUL) of at most `lengthMax` UTF-16 units. */
export function isText(value: unknown, lengthMax: number): value is string {
	return (
		typeof value === 'string' &&
		value.length <= lengthMax &&
		!value.includes('\0') &&
		!LONE_SURROGATE.test(value)
	);
}

export function isOneOf<T extends string>(value: unknown, allowed: readonly T[]): value is T {
	return typeof value === 'string' && (allowed as readonly string[]).includes(value);
}

export function isTuple(
	value: unknown,
	lengthMin: number,
	lengthMax = lengthMin
): value is unknown[] {
	return Array.isArray(value) && value.length >= lengthMin && value.length <= lengthMax;
}

export function isListOf<T>(
	value: unknown,
	{ min, max }: { readonly min: number; readonly max: number },
	isRow: (row: unknown) => row is T
): value is T[] {
	return isTuple(value, min, max) && value.every(isRow);
}

/** An object that holds nothing but the named fields, each of its form. */
export function hasOnly(
	value: unknown,
	forms: ReadonlyMap<string, (field: unknown) => boolean>
): value is object {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
	return Object.entries(value).every(([name, field]) => forms.get(name)?.(field) === true);
}

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;
