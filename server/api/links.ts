import { Hono } from 'hono';
import * as v from 'valibot';
import { lookAtInvite, takeInvite } from '#server/ledgers/ledger-invites.ts';
import { personField, readBody } from './body.ts';
import { answer, ownsPerson, tooMany, type LedgerRouteParts } from './ledger-route-parts.ts';
import { problem, refusal } from './problem.ts';
import { sessionCaller } from './session-cookie.ts';

const lookSchema = v.object({ token: v.string() });
const takeSchema = v.object({ token: v.string(), person: personField });

/**
 * CONNECT-6. `POST /links/look`: what stands behind an invite, for whoever holds it. CONNECT-7.
 * `POST /links`: an account takes it up for one of its persons.
 */
export function linkRoutes(parts: LedgerRouteParts): Hono {
	const routes = new Hono();
	routes.post('/links/look', async (c) => {
		const body = await readBody(c, lookSchema);
		if (!body.ok) return problem(c, refusal(body.error));
		const many = await tooMany(parts.limits, 'linksByAddress', parts.addressOf(c));
		if (many !== undefined) return problem(c, many);
		return answer(c, await lookAtInvite(parts, body.value.token));
	});
	routes.post('/links', async (c) => {
		const caller = await sessionCaller(c, parts.sessions);
		if (!caller.ok) return problem(c, refusal(caller.error));
		const body = await readBody(c, takeSchema);
		if (!body.ok) return problem(c, refusal(body.error));
		const many = await tooMany(parts.limits, 'linksByAddress', parts.addressOf(c));
		if (many !== undefined) return problem(c, many);
		if (!(await ownsPerson(parts.executor, caller.value, body.value.person))) {
			return problem(c, refusal('notFound'));
		}
		return answer(c, await takeInvite(parts, body.value));
	});
	return routes;
}
