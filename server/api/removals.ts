import { and, eq, isNull } from 'drizzle-orm';
import { Hono, type Context } from 'hono';
import * as v from 'valibot';
import { assert } from '#domain/assert.ts';
import { parseBranchId, parseDeviceCode, type BusinessId, type DeviceCode } from '#domain/ids.ts';
import type { ProblemCode } from '#domain/problem-code.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { scopesOfAccount } from '#server/auth/account-scopes.ts';
import { findDevice } from '#server/auth/device-auth.ts';
import type { RelayFactDraft } from '#server/auth/relay-fact-draft.ts';
import { device, member } from '#server/database/accounts.ts';
import { commitUnlessRefused, type Transaction } from '#server/database/transaction.ts';
import { businessField, codeField, readBody } from './body.ts';
import { endInvites, memberOf } from './invites.ts';
import { lockBusiness } from './lock-business.ts';
import { isOpenStill } from './open-session.ts';
import type { PeopleParts } from './people-parts.ts';
import { problem, refusal, type Refusal } from './problem.ts';
import { currentSession } from './session-cookie.ts';
import { stepUp } from './step-up.ts';

const PASSWORD_LENGTH_MAX = 1_024;
const passwordField = v.pipe(v.string(), v.maxLength(PASSWORD_LENGTH_MAX));
const deviceSchema = v.object({
	business: businessField,
	code: codeField,
	password: passwordField
});
const memberSchema = v.object({
	business: businessField,
	member: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
	password: passwordField
});

/**
 * API-36, API-37. `POST /devices/removal` and `/members/removal`: an owner ends the access of a device,
 * or of a member with all his devices. What they wrote stays, and what they have not sent yet waits
 * for him.
 */
export function removalRoutes(parts: PeopleParts): Hono {
	const routes = new Hono();
	routes.post('/devices/removal', async (c) => {
		const body = await readBody(c, deviceSchema);
		if (!body.ok) return problem(c, refusal(body.error));
		const { business, code } = body.value;
		const remove: Remove = async (tx, { session }) => {
			const found = await findDevice(tx, business, code);
			if (found === undefined) return err('notFound');
			await removeDevices(tx, parts, { business, codes: [code] });
			// Whoever holds the device may hold a session of its member too, and would join again by it.
			await parts.sessions.endOthers(tx, found.member.account, session);
			await endInvites(tx, found.member.account);
			return ok([found.member.account]);
		};
		return answer(c, parts, { ...body.value, remove });
	});
	routes.post('/members/removal', async (c) => {
		const body = await readBody(c, memberSchema);
		if (!body.ok) return problem(c, refusal(body.error));
		const remove: Remove = (tx, owner) =>
			removeMember(tx, parts, { ...body.value, owner: owner.member });
		return answer(c, parts, { ...body.value, remove });
	});
	return routes;
}

interface Owner {
	readonly member: number;
	readonly account: string;
	/** The id of the session that he asks by. */
	readonly session: string;
}

/** The accounts whose sockets are to be looked at. */
type Removed = Result<readonly string[], ProblemCode>;
type Remove = (tx: Transaction, owner: Owner) => Promise<Removed>;

interface Asked {
	readonly business: BusinessId;
	readonly password: string;
	readonly remove: Remove;
}

/** Asks who it is and for his password, removes, and then tells whoever is connected. */
async function answer(
	c: Context,
	parts: PeopleParts,
	{ business, password, remove }: Asked
): Promise<Response> {
	const owner = await ownerProven(c, parts, { business, password });
	if (!owner.ok) return problem(c, owner.error);
	const removed = await commitUnlessRefused(parts.executor, async (tx) => {
		// As who makes an heir does: a device that ends meanwhile has none, or has it already.
		await lockBusiness(tx, business);
		const standing = await askAgain(tx, business, owner.value);
		return standing.ok ? remove(tx, owner.value) : standing;
	});
	if (!removed.ok) return problem(c, refusal(removed.error));
	await parts.revoked(business);
	for (const account of removed.value) {
		const scopes = await scopesOfAccount(parts.executor, account);
		for (const scope of scopes) if (scope !== business) await parts.revoked(scope);
	}
	return c.body(null, 204);
}

async function ownerProven(
	c: Context,
	parts: PeopleParts,
	{ business, password }: { readonly business: BusinessId; readonly password: string }
): Promise<Result<Owner, Refusal>> {
	const current = await currentSession(c, parts.sessions);
	if (!current.ok) return err(refusal(current.error));
	const { id, caller } = current.value;
	const owner = await memberOf(parts.executor, business, caller.account);
	if (owner === undefined) return err(refusal('notAMember'));
	const stepped = await stepUp(parts, current.value, password);
	return stepped.ok ? ok({ member: owner.member, account: caller.account, session: id }) : stepped;
}

/**
 * API-57. Whether he who asked may still, under the lock of his business: of two who remove each other
 * one stays.
 */
async function askAgain(
	tx: Transaction,
	business: BusinessId,
	{ account, session }: Owner
): Promise<Result<unknown, ProblemCode>> {
	if (!(await isOpenStill(tx, session))) return err('notSignedIn');
	const owner = await memberOf(tx, business, account);
	return owner === undefined ? err('notAMember') : ok(owner);
}

interface MemberToRemove {
	readonly business: BusinessId;
	readonly member: number;
	/** Who asks; nobody removes himself, and so a business always has an owner. */
	readonly owner: number;
}

async function removeMember(
	tx: Transaction,
	parts: PeopleParts,
	{ business, member: number, owner }: MemberToRemove
): Promise<Removed> {
	const where = and(eq(member.business, business), eq(member.member, number));
	const [row] = await tx.select().from(member).where(where).for('update');
	if (row === undefined || number === owner) return err('notFound');
	if (row.removedAt !== null) return ok([]);
	const removedAt = parts.clock();
	await tx.update(member).set({ removedAt }).where(where);
	await parts.appendRelayFacts(tx, business, [
		{ kind: 'member', member: number, fields: { removedAt }, branch: null }
	]);
	const ofMember = await tx
		.select({ code: device.code })
		.from(device)
		.where(and(eq(device.business, business), eq(device.member, number)));
	const codes = ofMember.map(({ code }) => codeIn(code));
	await removeDevices(tx, parts, { business, codes });
	return ok([row.account]);
}

interface DevicesToRemove {
	readonly business: BusinessId;
	readonly codes: readonly DeviceCode[];
}

/**
 * Those that were removed before stay so, and are not told of again. Tokens and tickets stay: by them a
 * device hears that it was removed, and nothing else.
 */
async function removeDevices(
	tx: Transaction,
	{ clock, appendRelayFacts }: PeopleParts,
	{ business, codes }: DevicesToRemove
): Promise<void> {
	const removedAt = clock();
	const drafts: RelayFactDraft[] = [];
	for (const code of codes) {
		const [row] = await tx
			.update(device)
			.set({ removedAt })
			.where(and(eq(device.business, business), eq(device.code, code), isNull(device.removedAt)))
			.returning();
		if (row === undefined) continue;
		const branch = parseBranchId(row.branch);
		assert(branch.ok, 'a device row holds a branch');
		drafts.push({ kind: 'device', device: code, fields: { removedAt }, branch: branch.value });
	}
	// Takes the feed's lock, under which every batch reads who was removed.
	if (drafts.length > 0) await appendRelayFacts(tx, business, drafts);
}

function codeIn(text: string): DeviceCode {
	const parsed = parseDeviceCode(text);
	assert(parsed.ok, 'a device row holds a code');
	return parsed.value;
}
