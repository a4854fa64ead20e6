import { err, ok, type Result } from '#domain/result.ts';
import type { Username } from './username.ts';

/** A new password in the form that is hashed. */
export type Password = string & { readonly __brand: 'Password' };
export type PasswordRefusal = 'passwordTooShort' | 'passwordTooLong' | 'passwordIsUsername';

const PASSWORD_CODE_POINTS_MIN = 8;
const PASSWORD_CODE_POINTS_MAX = 256;

/** Judges a new password. Length is counted in code points; nothing is trimmed. */
export function parsePassword(
	typed: string,
	username: Username
): Result<Password, PasswordRefusal> {
	const password = passwordForm(typed);
	const length = Array.from(password).length;
	if (length < PASSWORD_CODE_POINTS_MIN) return err('passwordTooShort');
	if (length > PASSWORD_CODE_POINTS_MAX) return err('passwordTooLong');
	if (password.toLowerCase() === username) return err('passwordIsUsername');
	return ok(password as Password);
}

/** One form for letters that keyboards write in several ways (Unicode NFKC, as RFC 8265 asks). */
export function passwordForm(typed: string): string {
	return typed.normalize('NFKC');
}
