import { eq } from 'drizzle-orm';
import { Hono, type Context } from 'hono';
import { getCookie } from 'hono/cookie';
import * as v from 'valibot';
import { parseUsername } from '#domain/account/username.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { callerOf, SESSION_COOKIE, type SessionCaller } from '#server/auth/sessions.ts';
import { account } from '#server/database/accounts.ts';
import { introduce } from './accounts.ts';
import { readBody } from './body.ts';
import type { PeopleParts } from './people-parts.ts';
import { problem, refusal, type Refusal } from './problem.ts';
import { giveSession, takeSessionBack } from './session-cookie.ts';

/** Longer than any password; what is longer is nobody's, and is not hashed. */
const TYPED_LENGTH_MAX = 1_024;
const signInSchema = v.object({
	username: v.pipe(v.string(), v.maxLength(TYPED_LENGTH_MAX)),
	password: v.pipe(v.string(), v.maxLength(TYPED_LENGTH_MAX))
});
type Typed = v.InferOutput<typeof signInSchema>;

/** `POST /sessions` signs in, `DELETE /sessions/current` signs out. */
export function sessionRoutes(parts: PeopleParts): Hono {
	const routes = new Hono();
	routes.post('/sessions', async (c) => {
		const body = await readBody(c, signInSchema);
		if (!body.ok) return problem(c, refusal(body.error));
		const caller = await signIn(parts, body.value, parts.addressOf(c));
		if (!caller.ok) return problem(c, caller.error);

		await endCurrent(c, parts);
		const userAgent = c.req.header('user-agent') ?? '';
		giveSession(c, await parts.sessions.open(parts.executor, caller.value.account, userAgent));
		return c.json(introduce(caller.value));
	});
	routes.delete('/sessions/current', async (c) => {
		await endCurrent(c, parts);
		takeSessionBack(c);
		return c.body(null, 204);
	});
	return routes;
}

/** Says the same, after the same work, whether there is no such account or another password. */
async function signIn(
	{ executor, passwords, signInPace }: PeopleParts,
	typed: Typed,
	address: string
): Promise<Result<SessionCaller, Refusal>> {
	const parsed = parseUsername(typed.username);
	const username = parsed.ok ? parsed.value : typed.username;
	const paced = await signInPace.begin(username, address);
	if (!paced.ok) return err(refusal('tooManyAttempts', { ...paced.error }));

	// What is no username is nobody's, and may hold what the database does not take: NUL.
	const known = parsed.ok ? parsed.value : '';
	const [row] = await executor.select().from(account).where(eq(account.username, known));
	const isRight = await passwords.isRight(typed.password, row?.passwordHash);
	if (!isRight.ok) return err(refusal(isRight.error));
	if (row === undefined || !isRight.value) return err(refusal('signInRefused'));
	await signInPace.succeed(username, address);
	return ok(callerOf(row));
}

async function endCurrent(c: Context, { sessions }: PeopleParts): Promise<void> {
	const token = getCookie(c, SESSION_COOKIE);
	if (token !== undefined) await sessions.end(token);
}
