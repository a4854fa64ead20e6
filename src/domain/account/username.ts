import { err, ok, type Result } from '#domain/result.ts';

/** 3 to 32 of `a-z 0-9 . _ -`, beginning with a letter; people are found by it. */
export type Username = string & { readonly __brand: 'Username' };
export type UsernameRefusal = 'usernameInvalid' | 'usernameReserved';

const USERNAME = /^[A-Za-z][A-Za-z0-9._-]{2,31}$/;

/** Names that a message or a link could pass off as the service's own. */
const RESERVED: ReadonlySet<string> = new Set([
	'abuse',
	'account',
	'accounts',
	'admin',
	'administrator',
	'api',
	'billing',
	'customer',
	'daftar',
	'everyone',
	'help',
	'info',
	'join',
	'me',
	'moderator',
	'nobody',
	'null',
	'official',
	'operator',
	'owner',
	'postmaster',
	'relay',
	'root',
	'security',
	'service',
	'shop',
	'store',
	'support',
	'sync',
	'system',
	'undefined',
	'webmaster',
	'www'
]);

/** Spaces around it are forgiven, and upper case is lowered. */
export function parseUsername(typed: string): Result<Username, UsernameRefusal> {
	// Tested before lowering: some letters outside ASCII become ASCII when lowered.
	const trimmed = typed.trim();
	if (!USERNAME.test(trimmed)) return err('usernameInvalid');
	const username = trimmed.toLowerCase();
	return RESERVED.has(username) ? err('usernameReserved') : ok(username as Username);
}
