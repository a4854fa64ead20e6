import { and, eq, exists, isNull, sql } from 'drizzle-orm';
import { Hono, type Context } from 'hono';
import * as v from 'valibot';
import type { BusinessId } from '#domain/ids.ts';
import type { ProblemCode } from '#domain/problem-code.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { callerOfDevice, findDevice, type DeviceCaller } from '#server/auth/device-auth.ts';
import { createScopeToken } from '#server/auth/secret-token.ts';
import { sweepExpired } from '#server/auth/sweep.ts';
import { branch, invite, member } from '#server/database/accounts.ts';
import {
	commitUnlessRefused,
	type Executor,
	type Transaction
} from '#server/database/transaction.ts';
import { branchField, businessField, readBody } from './body.ts';
import { lockBusiness } from './lock-business.ts';
import { isOpenStill } from './open-session.ts';
import type { PeopleParts } from './people-parts.ts';
import { problem, refusal } from './problem.ts';
import { currentSession } from './session-cookie.ts';

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
		const owner = await callingOwner(c, parts, body.value.business);
		if (!owner.ok) return problem(c, refusal(owner.error));
		const counted = await parts.limits.count('invitesByBusiness', body.value.business);
		if (!counted.ok) return problem(c, refusal('tooManyAttempts', { ...counted.error }));

		const { executor, clock } = parts;
		const before = clock() - REMEMBERED_MS;
		await sweepExpired(executor, invite, { column: invite.expiresAt, before });
		const place = { ...body.value, owner: owner.value };
		const made = await commitUnlessRefused(executor, (tx) => makeInvite(tx, parts, place));
		return made.ok ? c.json(made.value, 201) : problem(c, refusal(made.error));
	});
	return routes;
}

interface InvitePlace extends v.InferOutput<typeof inviteSchema> {
	readonly owner: CallingOwner;
}

async function makeInvite(
	transaction: Transaction,
	{ clock, random }: PeopleParts,
	{ business, branch: branchId, owner }: InvitePlace
): Promise<Result<{ readonly token: string; readonly expiresAt: number }, ProblemCode>> {
	const locked = await lockBusiness(transaction, business);
	// Asked again under the lock: who removes a device or ends a session ends what was invited to by it.
	const standing = await askAgain(transaction, owner);
	if (!standing.ok) return standing;
	if (locked === undefined || !(await hasBranch(transaction, { business, branch: branchId })))
		return err('branchUnknown');
	const createdAt = clock();
	const expiresAt = createdAt + INVITE_MS;
	const { text, digest } = createScopeToken(random, business);
	await transaction.insert(invite).values({
		business,
		branch: branchId,
		tokenHash: digest,
		member: owner.member,
		sight: 'office',
		createdAt,
		expiresAt
	});
	return ok({ token: text, expiresAt });
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

/** An owner who calls, and by what: his device, or his browser's session. */
interface CallingOwner {
	readonly member: number;
	readonly by:
		| { readonly sort: 'device'; readonly device: DeviceCaller }
		| { readonly sort: 'session'; readonly id: string };
}

type CallParts = Pick<PeopleParts, 'executor' | 'deviceAuth' | 'sessions'>;

/** The member number of the owner who calls, by his device or by his browser's session. */
export async function ownerCalling(
	c: Context,
	parts: CallParts,
	business: BusinessId
): Promise<Result<number, ProblemCode>> {
	const owner = await callingOwner(c, parts, business);
	return owner.ok ? ok(owner.value.member) : owner;
}

async function callingOwner(
	c: Context,
	{ executor, deviceAuth, sessions }: CallParts,
	business: BusinessId
): Promise<Result<CallingOwner, ProblemCode>> {
	if (c.req.header('authorization') !== undefined) {
		const caller = await deviceAuth.authenticateDevice(c.req.raw.headers);
		if (!caller.ok) return caller;
		const { value: device } = caller;
		return device.business === business
			? ok({ member: device.member, by: { sort: 'device', device } })
			: err('notAMember');
	}
	const current = await currentSession(c, sessions);
	if (!current.ok) return current;
	const { id, caller } = current.value;
	const found = await memberOf(executor, business, caller.account);
	return found === undefined
		? err('notAMember')
		: ok({ member: found.member, by: { sort: 'session', id } });
}

/** Whether what an owner called by stands, under the lock of his business. */
async function askAgain(
	transaction: Transaction,
	{ by }: CallingOwner
): Promise<Result<unknown, ProblemCode>> {
	if (by.sort === 'session') {
		return (await isOpenStill(transaction, by.id)) ? ok(undefined) : err('notSignedIn');
	}
	const found = await findDevice(transaction, by.device.business, by.device.code);
	return found === undefined ? err('notSignedIn') : callerOfDevice(found);
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
