import { eq } from 'drizzle-orm';
import { Hono, type Context } from 'hono';
import { getCookie } from 'hono/cookie';
import * as v from 'valibot';
import { parseUsername } from '#domain/account/username.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { KNOWN_DEVICE_COOKIE } from '#server/auth/known-devices.ts';
import { callerOf, SESSION_COOKIE } from '#server/auth/sessions.ts';
import { account } from '#server/database/accounts.ts';
import { scopesOfAccount } from '#server/auth/account-scopes.ts';
import { introduce } from './accounts.ts';
import { readBody } from './body.ts';
import { endInvites } from './invites.ts';
import { openWithPassword } from './open-session.ts';
import type { PeopleParts } from './people-parts.ts';
import { problem, refusal, type Refusal } from './problem.ts';
import { useFactor, type TriedFactor } from './second-factor.ts';
import {
	currentSession,
	giveKnownDevice,
	giveSession,
	signedInFrom,
	takeSessionBack
} from './session-cookie.ts';
import type { AccountRow } from './step-up.ts';

/** Longer than any password; what is longer is nobody's, and is not hashed. */
const TYPED_LENGTH_MAX = 1_024;
const signInSchema = v.object({
	username: v.pipe(v.string(), v.maxLength(TYPED_LENGTH_MAX)),
	password: v.pipe(v.string(), v.maxLength(TYPED_LENGTH_MAX)),
	/** An authenticator's code or a recovery code, for an account with a second factor. */
	factor: v.optional(v.pipe(v.string(), v.maxLength(TYPED_LENGTH_MAX)))
});
type Typed = v.InferOutput<typeof signInSchema>;

/**
 * `POST /sessions` signs in, `DELETE /sessions/current` signs out. `GET /sessions` lists those of
 * the account; `DELETE /sessions/others` and `DELETE /sessions/{id}` end them.
 */
export function sessionRoutes(parts: PeopleParts): Hono {
	const { executor, sessions } = parts;
	const routes = new Hono();
	routes.post('/sessions', (c) => answerSignIn(c, parts));
	routes.delete('/sessions/current', async (c) => {
		await endCurrent(c, parts);
		takeSessionBack(c);
		return c.body(null, 204);
	});
	routes.get('/sessions', async (c) => {
		const current = await currentSession(c, sessions);
		if (!current.ok) return problem(c, refusal(current.error));
		const { id, caller } = current.value;
		const open = await sessions.list(caller.account);
		return c.json({ sessions: open.map((one) => ({ ...one, isCurrent: one.id === id })) });
	});
	routes.delete('/sessions/others', async (c) => {
		const current = await currentSession(c, sessions);
		if (!current.ok) return problem(c, refusal(current.error));
		const { caller, id } = current.value;
		await executor.transaction(async (tx) => {
			await sessions.endOthers(tx, caller.account, id);
			await endInvites(tx, caller.account);
		});
		await closeSockets(parts, caller.account);
		return c.body(null, 204);
	});
	routes.delete('/sessions/:id', async (c) => {
		const current = await currentSession(c, sessions);
		if (!current.ok) return problem(c, refusal(current.error));
		const id = c.req.param('id');
		// One of another account and one that is nowhere are answered alike.
		const { caller } = current.value;
		const isEnded =
			isUuid(id) &&
			(await executor.transaction(async (tx) => {
				// Once it has ended nobody can ask for that again, and so for what ends with it.
				if (!(await sessions.endOne(tx, caller.account, id))) return false;
				await endInvites(tx, caller.account);
				return true;
			}));
		if (!isEnded) return problem(c, refusal('notFound'));
		await closeSockets(parts, caller.account);
		return c.body(null, 204);
	});
	return routes;
}

async function answerSignIn(c: Context, parts: PeopleParts): Promise<Response> {
	const body = await readBody(c, signInSchema);
	if (!body.ok) return problem(c, refusal(body.error));
	const row = await signIn(parts, body.value, {
		address: parts.addressOf(c),
		kept: getCookie(c, KNOWN_DEVICE_COOKIE)
	});
	if (!row.ok) return problem(c, row.error);

	const token = await openWithPassword(parts, row.value, signedInFrom(c, parts));
	if (token === undefined) return problem(c, refusal('signInRefused'));
	await endCurrent(c, parts);
	giveSession(c, token);
	giveKnownDevice(c, parts, row.value.username);
	return c.json(introduce(callerOf(row.value)));
}

function isUuid(text: string): boolean {
	return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

interface Browser {
	readonly address: string;
	/** What it kept of an earlier sign-in. */
	readonly kept: string | undefined;
}

/** Says the same, after the same work, whether there is no such account or another password. */
async function signIn(
	parts: PeopleParts,
	typed: Typed,
	{ address, kept }: Browser
): Promise<Result<AccountRow, Refusal>> {
	const { executor, passwords, signInPace, knownDevices } = parts;
	const parsed = parseUsername(typed.username);
	const username = parsed.ok ? parsed.value : typed.username;
	const known = knownDevices.recognise(username, kept);
	const paced = await signInPace.begin({ username, address, known });
	if (!paced.ok) return err(refusal('tooManyAttempts', { ...paced.error }));

	// What is no username is nobody's, and may hold what the database does not take: NUL.
	const name = parsed.ok ? parsed.value : '';
	const [row] = await executor.select().from(account).where(eq(account.username, name));
	const isRight = await passwords.isRight(typed.password, row?.passwordHash);
	if (!isRight.ok) return err(refusal(isRight.error));
	if (row === undefined || !isRight.value) return err(refusal('signInRefused'));
	const stepped = await secondStep(parts, { account: row.account, typed: typed.factor, known });
	if (!stepped.ok) return stepped;
	await signInPace.succeed({ username, address, known });
	return ok(row);
}

/** The password was right: an account with a second factor asks for that too. */
async function secondStep(
	parts: PeopleParts,
	{ account: id, typed, known }: Omit<TriedFactor, 'typed'> & { readonly typed: string | undefined }
): Promise<Result<void, Refusal>> {
	const { isOn } = await parts.secondFactor.state(parts.executor, id);
	if (!isOn) return ok(undefined);
	if (typed === undefined) return err(refusal('factorNeeded'));
	return useFactor(parts, { account: id, typed, known });
}

async function endCurrent(c: Context, parts: PeopleParts): Promise<void> {
	const token = getCookie(c, SESSION_COOKIE);
	if (token === undefined) return;
	const found = await parts.sessions.find(token);
	await parts.sessions.end(token);
	if (found !== undefined) await closeSockets(parts, found.caller.account);
}

/** API-38. What a session of the account opened ends with it: whichever has ended now. */
export async function closeSockets({ executor, revoked }: PeopleParts, of: string): Promise<void> {
	for (const scope of await scopesOfAccount(executor, of)) await revoked(scope);
}
