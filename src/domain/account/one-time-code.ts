import { asciiDigits } from '../digits.ts';
import { err, ok, type Result } from '../result.ts';

/** How long a code that was sent is good for. */
export const CODE_MS = 10 * 60_000;
/** How long after the nth message with a code the next may be sent. */
export const PAUSES_MS = [30_000, 120_000, 120_000] as const;
/** Digits of a code that is sent, and of one that an authenticator shows. */
const ONE_TIME_CODE_DIGITS = 6;
/** Letters and digits of a recovery code, its dash not counted. */
export const RECOVERY_CODE_LENGTH = 10;
/** What a recovery code is made of: nothing that a hand-written note confuses (Crockford's base 32). */
export const RECOVERY_CODE_LETTERS = '0123456789abcdefghjkmnpqrstvwxyz';

export type OneTimeCode = string & { readonly __brand: 'OneTimeCode' };
export type OneTimeCodeRefusal = 'codeEmpty' | 'codeNotDigits' | 'codeTooShort' | 'codeTooLong';

const TYPED_LENGTH_MAX = 64;
/** What stands between or around digits that were copied or typed in groups. */
const BETWEEN = /[\s\p{Pd}\p{Cf}.·]/gu;

/** Reads a code in any script's digits, in groups or not. What is refused here is no try of a code. */
export function parseOneTimeCode(typed: string): Result<OneTimeCode, OneTimeCodeRefusal> {
	const code = asciiDigits(typed.slice(0, TYPED_LENGTH_MAX).replace(BETWEEN, ''));
	if (code === '') return err('codeEmpty');
	if (!/^\d+$/.test(code)) return err('codeNotDigits');
	if (code.length < ONE_TIME_CODE_DIGITS) return err('codeTooShort');
	if (code.length > ONE_TIME_CODE_DIGITS) return err('codeTooLong');
	return ok(code as OneTimeCode);
}

/** A second factor as it was typed: an authenticator's code, or one of the recovery codes. */
export type TypedFactor =
	| { readonly kind: 'totp'; readonly code: OneTimeCode }
	| { readonly kind: 'recovery'; readonly code: string };

/** Reads either; letters are read as Crockford says: O as 0, I and L as 1, in any case. */
export function parseFactor(typed: string): Result<TypedFactor, OneTimeCodeRefusal> {
	const code = parseOneTimeCode(typed);
	if (code.ok) return ok({ kind: 'totp', code: code.value });
	const letters = asciiDigits(typed.slice(0, TYPED_LENGTH_MAX).replace(BETWEEN, ''))
		.toLowerCase()
		.replace(/o/g, '0')
		.replace(/[il]/g, '1');
	const isRecovery =
		letters.length === RECOVERY_CODE_LENGTH &&
		Array.from(letters).every((letter) => RECOVERY_CODE_LETTERS.includes(letter));
	return isRecovery ? ok({ kind: 'recovery', code: letters }) : code;
}
