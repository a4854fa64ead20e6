import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { CookieOptions } from 'hono/utils/cookie';
import { err, ok, type Result } from '#domain/result.ts';
import {
	SESSION_COOKIE,
	SESSION_MS,
	type SessionCaller,
	type Sessions
} from '#server/auth/sessions.ts';

const COOKIE: CookieOptions = { path: '/', secure: true, httpOnly: true, sameSite: 'Lax' };

export function giveSession(c: Context, token: string): void {
	setCookie(c, SESSION_COOKIE, token, { ...COOKIE, maxAge: SESSION_MS / 1_000 });
}

export function takeSessionBack(c: Context): void {
	deleteCookie(c, SESSION_COOKIE, COOKIE);
}

/** Who is signed in. A session in use is prolonged, and its cookie with it. */
export async function sessionCaller(
	c: Context,
	sessions: Sessions
): Promise<Result<SessionCaller, 'notSignedIn'>> {
	const token = getCookie(c, SESSION_COOKIE);
	const found = token === undefined ? undefined : await sessions.find(token);
	if (token === undefined || found === undefined) return err('notSignedIn');
	if (found.isProlonged) giveSession(c, token);
	return ok(found.caller);
}
