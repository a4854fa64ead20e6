import { eq } from 'drizzle-orm';
import { Hono } from 'hono';
import * as v from 'valibot';
import { assert } from '#domain/assert.ts';
import { encodeBase64url, equalBytes } from '#domain/bytes.ts';
import { claimStatement } from '#domain/claim-statement.ts';
import { parseDeviceCode, type DeviceCode, type PersonId } from '#domain/ids.ts';
import type { ProblemCode } from '#domain/problem-code.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { cleanName } from '#domain/text.ts';
import { findDevice } from '#server/auth/device-auth.ts';
import type { SessionCaller } from '#server/auth/sessions.ts';
import {
	branch,
	business,
	device,
	member,
	person,
	personAlias
} from '#server/database/accounts.ts';
import { commitUnlessRefused, type Transaction } from '#server/database/transaction.ts';
import { NAME_CODE_POINTS_MAX } from './account-form.ts';
import {
	branchField,
	businessField,
	personField,
	publicKeyField,
	readBody,
	signatureField
} from './body.ts';
import type { PeopleParts } from './people-parts.ts';
import { isBusiness, isPerson, lockIds } from './persons.ts';
import { problem, refusal } from './problem.ts';
import { sessionCaller } from './session-cookie.ts';

const claimSchema = v.object({
	business: businessField,
	branch: branchField,
	person: personField,
	publicKey: publicKeyField,
	signature: signatureField,
	name: v.string()
});
type ClaimBody = v.InferOutput<typeof claimSchema>;

const FIRST_CODE = firstCode();
const FIRST_MEMBER = 1;

/** `POST /businesses`: a store's account claims the business that its device minted. */
export function businessRoutes(parts: PeopleParts): Hono {
	const routes = new Hono();
	routes.post('/businesses', async (c) => {
		const caller = await sessionCaller(c, parts.sessions);
		if (!caller.ok) return problem(c, refusal(caller.error));
		if (caller.value.kind !== 'store') return problem(c, refusal('notAStore'));
		const counted = await parts.limits.count('claimsByAccount', caller.value.account);
		if (!counted.ok) return problem(c, refusal('tooManyAttempts', { ...counted.error }));
		const body = await readBody(c, claimSchema);
		if (!body.ok) return problem(c, refusal(body.error));
		const name = cleanName(body.value.name, NAME_CODE_POINTS_MAX);
		if (!name.ok) return problem(c, refusal('nameInvalid'));

		const claim = { ...body.value, name: name.value };
		const claimed = await claimBusiness({ parts, claim, caller: caller.value });
		if (!claimed.ok) return problem(c, refusal(claimed.error));
		await parts.feedMoved(claim.business);
		return c.json({ code: FIRST_CODE, member: FIRST_MEMBER, epoch: parts.epoch });
	});
	return routes;
}

interface Claiming {
	readonly parts: PeopleParts;
	readonly claim: ClaimBody;
	readonly caller: SessionCaller;
}

async function claimBusiness(claiming: Claiming): Promise<Result<void, ProblemCode>> {
	const { parts, claim } = claiming;
	const statement = claimStatement(claim);
	const isSigned = await parts.crypto.verify(claim.publicKey, statement, claim.signature);
	if (!isSigned) return err('signatureInvalid');
	return commitUnlessRefused(parts.executor, (transaction) => takeClaim(transaction, claiming));
}

/** The first claim makes the business; the same claim again finds it as it is. */
async function takeClaim(
	transaction: Transaction,
	claiming: Claiming
): Promise<Result<void, ProblemCode>> {
	const { parts, claim, caller } = claiming;
	await lockIds(transaction, [claim.business, claim.person]);
	// Both name documents and feeds, so no id may be of two kinds.
	if (await isPerson(transaction, claim.business)) return err('businessKnown');
	if (await isBusiness(transaction, claim.person)) return err('personKnown');
	const [made] = await transaction
		.insert(business)
		.values({
			business: claim.business,
			name: claim.name,
			lastDeviceCode: FIRST_CODE,
			lastMember: FIRST_MEMBER,
			claimedAt: parts.clock()
		})
		.onConflictDoNothing()
		.returning();
	if (made === undefined) {
		return (await isSameClaim(transaction, claiming)) ? ok(undefined) : err('businessKnown');
	}

	const linked = await linkPerson(transaction, claiming);
	if (!linked.ok) return linked;
	await insertFirstDevice(transaction, claiming);
	await parts.appendRelayFacts(transaction, claim.business, [
		{
			kind: 'member',
			member: FIRST_MEMBER,
			fields: { name: caller.name, role: 'owner', person: caller.person },
			branch: null
		},
		{
			kind: 'device',
			device: FIRST_CODE,
			fields: {
				key: encodeBase64url(claim.publicKey),
				member: FIRST_MEMBER,
				sight: 'office',
				branch: claim.branch
			},
			branch: claim.branch
		}
	]);
	return ok(undefined);
}

async function isSameClaim(
	transaction: Transaction,
	{ claim, caller }: Claiming
): Promise<boolean> {
	const first = await findDevice(transaction, claim.business, FIRST_CODE);
	assert(first !== undefined, 'a business has the device that claimed it');
	return (
		first.member.account === caller.account &&
		first.device.branch === claim.branch &&
		equalBytes(first.device.publicKey, claim.publicKey)
	);
}

/** The person that the device minted becomes another name of the account's, where it differs. */
async function linkPerson(
	transaction: Transaction,
	{ parts, claim, caller }: Claiming
): Promise<Result<void, ProblemCode>> {
	if (claim.person === caller.person) return ok(undefined);
	const [known] = await transaction.select().from(person).where(eq(person.person, claim.person));
	if (known !== undefined)
		return known.account === caller.account ? ok(undefined) : err('personKnown');

	await transaction
		.insert(personAlias)
		.values({ alias: claim.person, person: caller.person, createdAt: parts.clock() })
		.onConflictDoNothing();
	return (await aliasOf(transaction, claim.person)) === caller.person
		? ok(undefined)
		: err('personKnown');
}

async function aliasOf(transaction: Transaction, alias: PersonId): Promise<string | undefined> {
	const [row] = await transaction.select().from(personAlias).where(eq(personAlias.alias, alias));
	return row?.person;
}

async function insertFirstDevice(
	transaction: Transaction,
	{ parts, claim, caller }: Claiming
): Promise<void> {
	const now = parts.clock();
	const ids = { business: claim.business, branch: claim.branch };
	await transaction.insert(branch).values({ ...ids, createdAt: now });
	await transaction.insert(member).values({
		business: claim.business,
		member: FIRST_MEMBER,
		account: caller.account,
		person: caller.person,
		role: 'owner',
		name: caller.name,
		createdAt: now
	});
	await transaction.insert(device).values({
		...ids,
		code: FIRST_CODE,
		member: FIRST_MEMBER,
		sight: 'office',
		publicKey: claim.publicKey,
		joinedAt: now,
		joinedEpoch: parts.epoch
	});
}

function firstCode(): DeviceCode {
	const code = parseDeviceCode('A');
	assert(code.ok, 'A is a device code');
	return code.value;
}
