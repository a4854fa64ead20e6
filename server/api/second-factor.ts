import { Hono, type Context } from 'hono';
import * as v from 'valibot';
import { parseFactor, parseOneTimeCode } from '#domain/account/one-time-code.ts';
import { err, ok, type Result } from '#domain/result.ts';
import type { SessionCaller } from '#server/auth/sessions.ts';
import { commitUnlessRefused } from '#server/database/transaction.ts';
import { readBody } from './body.ts';
import { codeField } from './codes.ts';
import type { PeopleParts } from './people-parts.ts';
import { problem, refusal, type Refusal } from './problem.ts';
import { currentSession, sessionCaller, type NamedSession } from './session-cookie.ts';
import { stepUp } from './step-up.ts';

const beginSchema = v.object({ password: codeField });
const confirmSchema = v.object({ code: codeField });
const provenSchema = v.object({ password: codeField, factor: codeField });

/**
 * A second step at signing in: `POST /second-factor` makes a secret, `…/confirm` begins with its
 * first code and tells the recovery codes, `…/recovery` tells new ones, `…/end` ends it.
 */
export function secondFactorRoutes(parts: PeopleParts): Hono {
	const { executor, secondFactor, sessions } = parts;
	const routes = new Hono();
	routes.get('/second-factor', async (c) => {
		const caller = await sessionCaller(c, sessions);
		if (!caller.ok) return problem(c, refusal(caller.error));
		return c.json(await secondFactor.state(executor, caller.value.account));
	});
	routes.post('/second-factor', async (c) => {
		const current = await currentSession(c, sessions);
		if (!current.ok) return problem(c, refusal(current.error));
		const body = await readBody(c, beginSchema);
		if (!body.ok) return problem(c, refusal(body.error));
		const row = await stepUp(parts, current.value, body.value.password);
		if (!row.ok) return problem(c, row.error);
		const begun = await commitUnlessRefused(executor, (tx) => secondFactor.begin(tx, row.value));
		return begun.ok ? c.json(begun.value, 201) : problem(c, refusal(begun.error));
	});
	routes.post('/second-factor/confirm', async (c) => {
		const current = await currentSession(c, sessions);
		if (!current.ok) return problem(c, refusal(current.error));
		const body = await readBody(c, confirmSchema);
		if (!body.ok) return problem(c, refusal(body.error));
		const confirmed = await confirm(parts, current.value, body.value.code);
		return confirmed.ok ? c.json({ recoveryCodes: confirmed.value }) : problem(c, confirmed.error);
	});
	routes.post('/second-factor/recovery', async (c) => {
		const caller = await proven(parts, c);
		if (!caller.ok) return problem(c, caller.error);
		const recoveryCodes = await executor.transaction((tx) =>
			secondFactor.renewRecoveryCodes(tx, caller.value.account)
		);
		return c.json({ recoveryCodes });
	});
	routes.post('/second-factor/end', async (c) => {
		const caller = await proven(parts, c);
		if (!caller.ok) return problem(c, caller.error);
		await executor.transaction((tx) => secondFactor.end(tx, caller.value.account));
		return c.body(null, 204);
	});
	return routes;
}

async function confirm(
	parts: PeopleParts,
	{ id, caller }: NamedSession,
	typed: string
): Promise<Result<readonly string[], Refusal>> {
	const code = parseOneTimeCode(typed);
	if (!code.ok) return err(refusal('codeInvalid'));
	const counted = await parts.limits.count('factorsByKnown', knownAs(id, caller.account));
	if (!counted.ok) return err(refusal('tooManyAttempts', { ...counted.error }));
	const confirmed = await commitUnlessRefused(parts.executor, (tx) =>
		parts.secondFactor.confirm(tx, caller.account, code.value)
	);
	if (!confirmed.ok) return err(refusal(confirmed.error));
	await parts.limits.forget('factorsByKnown', knownAs(id, caller.account));
	return confirmed;
}

/** Who is signed in, says the password again, and has the second factor with him. */
async function proven(parts: PeopleParts, c: Context): Promise<Result<SessionCaller, Refusal>> {
	const current = await currentSession(c, parts.sessions);
	if (!current.ok) return err(refusal(current.error));
	const body = await readBody(c, provenSchema);
	if (!body.ok) return err(refusal(body.error));
	const row = await stepUp(parts, current.value, body.value.password);
	if (!row.ok) return row;
	const { id, caller } = current.value;
	const { factor: typed } = body.value;
	const used = await useFactor(parts, { account: caller.account, typed, known: id });
	return used.ok ? ok(caller) : used;
}

function knownAs(known: string, account: string): string {
	return `${known} ${account}`;
}

export interface TriedFactor {
	readonly account: string;
	readonly typed: string;
	/** The name of a browser that the account signed in from before, or of its session. */
	readonly known: string | undefined;
}

/** Counts the try, then uses the factor up. Others' tries do not hold up a browser that is known. */
export async function useFactor(
	{ executor, limits, secondFactor }: PeopleParts,
	{ account, typed, known }: TriedFactor
): Promise<Result<void, Refusal>> {
	const factor = parseFactor(typed);
	if (!factor.ok) return err(refusal('codeInvalid'));
	const limit = known === undefined ? 'factorsByAccount' : 'factorsByKnown';
	const who = known === undefined ? account : knownAs(known, account);
	const counted = await limits.count(limit, who);
	if (!counted.ok) return err(refusal('tooManyAttempts', { ...counted.error }));
	const used = await commitUnlessRefused(executor, (tx) =>
		secondFactor.use(tx, account, factor.value)
	);
	if (!used.ok) return err(refusal(used.error));
	await limits.forget(limit, who);
	return ok(undefined);
}
