import { asciiDigits } from '#domain/digits.ts';
import { err, ok, type Result } from '#domain/result.ts';
import type { ClaimRefusal } from './ledger-acts.ts';

/** A code as it was told: its length says which way it came. */
export interface TypedCode {
	readonly way: 'sms' | 'sheet';
	readonly digits: string;
}

type CodeFormRefusal = Extract<
	ClaimRefusal,
	{ kind: 'nothingTyped' | 'notDigits' | 'tooShort' | 'sevenDigits' | 'phoneCode' | 'tooLong' }
>;

const SMS_DIGITS = 6;
const SHEET_DIGITS = 8;
const PHONE_DIGITS = 9;

/**
 * Reads what was typed, in the digits of any script, in groups or not. What is no code by its form
 * is told apart, and costs no try.
 */
export function readTypedCode(typed: string): Result<TypedCode, CodeFormRefusal> {
	const bare = asciiDigits(typed.normalize('NFKC')).replace(SPACES, '');
	if (bare === '') return err({ kind: 'nothingTyped' });
	if (!/^[0-9]+$/.test(bare)) return err({ kind: 'notDigits' });
	const digits = bare.length;
	if (digits < SMS_DIGITS) return err({ kind: 'tooShort', digits });
	if (digits === SMS_DIGITS) return ok({ way: 'sms', digits: bare });
	if (digits < SHEET_DIGITS) return err({ kind: 'sevenDigits', digits });
	if (digits === SHEET_DIGITS) return ok({ way: 'sheet', digits: bare });
	return err({ kind: digits === PHONE_DIGITS ? 'phoneCode' : 'tooLong', digits });
}

/** What people put between groups: white space, dashes and dots, and marks of direction. */
const SPACES = /[\s\-‐-―−._\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069]/gu;
