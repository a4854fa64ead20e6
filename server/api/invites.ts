import { and, eq, exists, isNull, sql } from 'drizzle-orm';
import { Hono, type Context } from 'hono';
import * as v from 'valibot';
import type { BusinessId } from '#domain/ids.ts';
import type { ProblemCode } from '#domain/problem-code.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { createScopeToken } from '#server/auth/secret-token.ts';
import { sweepExpired } from '#server/auth/sweep.ts';
import { branch, invite, member } from '#server/database/accounts.ts';
import type { Executor } from '#server/database/transaction.ts';
import { branchField, businessField, readBody } from './body.ts';
import type { PeopleParts } from './people-parts.ts';
import { problem, refusal } from './problem.ts';
import { sessionCaller } from './session-cookie.ts';

export const INVITE_MS = 600_000;
/** How long a used or expired invite still says so, before it is unknown. */
const REMEMBERED_MS = 24 * 3_600_000;

const inviteSchema = v.object({ business: businessField, branch: branchField });

/** `POST /invites`: an owner makes a link by which one device joins as his. */
export function inviteRoutes(parts: PeopleParts): Hono {
	const routes = new Hono();
	routes.post('/invites', async (c) => {
		const body = await readBody(c, inviteSchema);
		if (!body.ok) return problem(c, refusal(body.error));
		const owner = await ownerCalling(c, parts, body.value.business);
		if (!owner.ok) return problem(c, refusal(owner.error));
		const counted = await parts.limits.count('invitesByBusiness', body.value.business);
		if (!counted.ok) return problem(c, refusal('tooManyAttempts', { ...counted.error }));
		if (!(await hasBranch(parts.executor, body.value))) return problem(c, refusal('branchUnknown'));

		const { executor, clock, random } = parts;
		const now = clock();
		const expiresAt = now + INVITE_MS;
		const { text, digest } = createScopeToken(random, body.value.business);
		const before = now - REMEMBERED_MS;
		await sweepExpired(executor, invite, { column: invite.expiresAt, before });
		await executor.insert(invite).values({
			...body.value,
			tokenHash: digest,
			member: owner.value,
			sight: 'office',
			createdAt: now,
			expiresAt
		});
		return c.json({ token: text, expiresAt }, 201);
	});
	return routes;
}

/**
 * API-55. Ends what the account's members invited to and nobody took up yet: it may lie with whoever had
 * the device or browser that ends.
 */
export async function endInvites(executor: Executor, account: string): Promise<void> {
	const ofAccount = and(
		eq(member.business, invite.business),
		eq(member.member, invite.member),
		eq(member.account, account)
	);
	const own = executor
		.select({ one: sql`1` })
		.from(member)
		.where(ofAccount);
	await executor.delete(invite).where(and(isNull(invite.usedBy), exists(own)));
}

/** The member number of the owner who calls, by his device or by his browser's session. */
export async function ownerCalling(
	c: Context,
	{ executor, deviceAuth, sessions }: Pick<PeopleParts, 'executor' | 'deviceAuth' | 'sessions'>,
	business: BusinessId
): Promise<Result<number, ProblemCode>> {
	if (c.req.header('authorization') !== undefined) {
		const caller = await deviceAuth.authenticateDevice(c.req.raw.headers);
		if (!caller.ok) return caller;
		return caller.value.business === business ? ok(caller.value.member) : err('notAMember');
	}
	const caller = await sessionCaller(c, sessions);
	if (!caller.ok) return caller;
	const found = await memberOf(executor, business, caller.value.account);
	return found === undefined ? err('notAMember') : ok(found.member);
}

export async function memberOf(
	executor: Executor,
	business: BusinessId,
	account: string
): Promise<typeof member.$inferSelect | undefined> {
	const [row] = await executor
		.select()
		.from(member)
		.where(
			and(eq(member.business, business), eq(member.account, account), isNull(member.removedAt))
		);
	return row;
}

async function hasBranch(
	executor: Executor,
	wanted: v.InferOutput<typeof inviteSchema>
): Promise<boolean> {
	const rows = await executor
		.select()
		.from(branch)
		.where(and(eq(branch.business, wanted.business), eq(branch.branch, wanted.branch)));
	return rows.length > 0;
}
