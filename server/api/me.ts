import { and, asc, eq, isNull, sql } from 'drizzle-orm';
import { Hono } from 'hono';
import { branch, business, member } from '#server/database/accounts.ts';
import { setting } from '#server/database/journal.ts';
import { introduce } from './accounts.ts';
import type { PeopleParts } from './people-parts.ts';
import { problem, refusal } from './problem.ts';
import { sessionCaller } from './session-cookie.ts';

/** `GET /me`: the account, its person, and the businesses that it is a member of. */
export function meRoutes({ executor, sessions }: PeopleParts): Hono {
	const routes = new Hono();
	routes.get('/me', async (c) => {
		const caller = await sessionCaller(c, sessions);
		if (!caller.ok) return problem(c, refusal(caller.error));

		const businesses = await executor
			.select({ business: business.business, name: NAME, branch: branch.branch })
			.from(member)
			.innerJoin(business, eq(business.business, member.business))
			.innerJoin(branch, eq(branch.business, member.business))
			.leftJoin(setting, eq(setting.business, member.business))
			.where(and(eq(member.account, caller.value.account), isNull(member.removedAt)))
			.orderBy(asc(business.claimedAt), asc(business.business), asc(branch.createdAt));
		return c.json({ ...introduce(caller.value), businesses });
	});
	return routes;
}

/** As the shop calls itself now; until it said so as it did when it was claimed. */
const NAME = sql<string>`coalesce(nullif(${setting.fields} ->> 'name', ''), ${business.name})`;
