import { assert } from '../assert.ts';

/** Minor units of one record. */
const AMOUNT_MIN = 1;
export const AMOUNT_MAX = 10 ** 13;
/** The most decimals that ISO 4217 gives a currency. */
const EXPONENT_MAX = 4;
/** The last instant that a calendar of this language can show, ms since 1970. */
export const INSTANT_MAX_MS = 8_640_000_000_000_000;
/** The advisory balance stops here: a hundred of the greatest amounts, and one more is still exact. */
export const BALANCE_AFTER_MAX = 10 ** 15;

export const HASHED_JSON_BYTES_MAX = 4096;
export const HASHED_JSON_DEPTH_MAX = 5;

export const ITEMS_MAX = 50;
export const ITEM_NAME_CHARACTERS_MAX = 40;
export const NOTE_CHARACTERS_MAX = 280;
export const TAKEN_BY_CHARACTERS_MAX = 80;
export const RECEIPT_CHARACTERS_MAX = 32;
export const ALLOCATIONS_MAX = 20;
export const STATEMENT_RECORDS_MAX = 500;

assert(BALANCE_AFTER_MAX + AMOUNT_MAX <= Number.MAX_SAFE_INTEGER, 'a balance and an amount add up');

export function isAmount(value: unknown): value is number {
	return isWhole(value) && value >= AMOUNT_MIN && value <= AMOUNT_MAX;
}

export function isExponent(value: unknown): value is number {
	return isWhole(value) && value >= 0 && value <= EXPONENT_MAX;
}

export function isCurrencyCode(value: unknown): value is string {
	return typeof value === 'string' && /^[A-Z]{3}$/.test(value);
}

/** Milliseconds UTC since 1970. */
export function isInstant(value: unknown): value is number {
	return isWhole(value) && value >= 0 && value <= INSTANT_MAX_MS;
}

export function isBalanceAfter(value: unknown): value is number {
	return isWhole(value) && Math.abs(value) <= BALANCE_AFTER_MAX;
}

/** A whole number that a float holds exactly. */
export function isWhole(value: unknown): value is number {
	return Number.isSafeInteger(value);
}

/** What a record says of a ledger's balance: the balance itself, or the limit where it is beyond. */
export function advisoryBalance(total: bigint): number {
	const limit = BigInt(BALANCE_AFTER_MAX);
	if (total > limit) return BALANCE_AFTER_MAX;
	return total < -limit ? -BALANCE_AFTER_MAX : Number(total);
}
