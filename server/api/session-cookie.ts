import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { CookieOptions } from 'hono/utils/cookie';
import { err, ok, type Result } from '#domain/result.ts';
import { KNOWN_DEVICE_COOKIE, type KnownDevices } from '#server/auth/known-devices.ts';
import {
	SESSION_COOKIE,
	SESSION_MS,
	type FoundSession,
	type SessionCaller,
	type Sessions,
	type SignedInFrom
} from '#server/auth/sessions.ts';

const COOKIE: CookieOptions = { path: '/', secure: true, httpOnly: true, sameSite: 'Lax' };
/** The longest that browsers keep a cookie. */
const KNOWN_DEVICE_S = 400 * 24 * 3_600;

export function giveSession(c: Context, token: string): void {
	setCookie(c, SESSION_COOKIE, token, { ...COOKIE, maxAge: SESSION_MS / 1_000 });
}

export function takeSessionBack(c: Context): void {
	deleteCookie(c, SESSION_COOKIE, COOKIE);
}

/** The browser stays known to the account, also when it is signed out. */
export function giveKnownDevice(
	c: Context,
	{ knownDevices }: { readonly knownDevices: KnownDevices },
	username: string
): void {
	const kept = getCookie(c, KNOWN_DEVICE_COOKIE);
	const known = knownDevices.recognise(username, kept);
	const value = known === undefined ? knownDevices.mint(username) : (kept ?? '');
	setCookie(c, KNOWN_DEVICE_COOKIE, value, { ...COOKIE, maxAge: KNOWN_DEVICE_S });
}

/** Where a session is opened, for the list of sessions. */
export function signedInFrom(
	c: Context,
	{ addressOf }: { readonly addressOf: (c: Context) => string }
): SignedInFrom {
	return { userAgent: c.req.header('user-agent') ?? '', address: addressOf(c) };
}

export type NamedSession = Pick<FoundSession, 'id' | 'caller'>;

/** Who is signed in. A session in use is prolonged, and its cookie with it. */
export async function sessionCaller(
	c: Context,
	sessions: Sessions
): Promise<Result<SessionCaller, 'notSignedIn'>> {
	const found = await currentSession(c, sessions);
	return found.ok ? ok(found.value.caller) : found;
}

/** The same, with the name of the session. */
export async function currentSession(
	c: Context,
	sessions: Sessions
): Promise<Result<NamedSession, 'notSignedIn'>> {
	const token = getCookie(c, SESSION_COOKIE);
	const found = token === undefined ? undefined : await sessions.find(token);
	if (token === undefined || found === undefined) return err('notSignedIn');
	if (found.isProlonged) giveSession(c, token);
	return ok(found);
}
