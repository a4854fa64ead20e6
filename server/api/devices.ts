import { and, asc, eq } from 'drizzle-orm';
import { Hono, type Context } from 'hono';
import * as v from 'valibot';
import { assert } from '#domain/assert.ts';
import { encodeBase64url } from '#domain/bytes.ts';
import { joinStatement } from '#domain/claim-statement.ts';
import {
	nextDeviceCode,
	parseBranchId,
	type BranchId,
	type BusinessId,
	type DeviceCode
} from '#domain/ids.ts';
import type { ProblemCode } from '#domain/problem-code.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { callerOfDevice, findDevice, type DeviceRow } from '#server/auth/device-auth.ts';
import { parseBusinessToken } from '#server/auth/secret-token.ts';
import { branch, business, device, invite } from '#server/database/accounts.ts';
import { raiseDeviceCode } from '#server/database/device-codes.ts';
import {
	commitUnlessRefused,
	rawSql,
	type Executor,
	type Transaction
} from '#server/database/transaction.ts';
import {
	businessField,
	codeField,
	personField,
	publicKeyField,
	readBody,
	signatureField
} from './body.ts';
import { findForgottenCode, readToldCodes } from './forgotten-code.ts';
import { memberOf } from './invites.ts';
import { lockBusiness, type LockedBusiness } from './lock-business.ts';
import { isOpenStill } from './open-session.ts';
import type { PeopleParts } from './people-parts.ts';
import { problem, refusal } from './problem.ts';
import { currentSession } from './session-cookie.ts';

const proofFields = { publicKey: publicKeyField, signature: signatureField };
const joinSchema = v.union([
	v.object({ token: v.string(), ...proofFields }),
	v.object({ business: businessField, ...proofFields })
]);
const signedNonce = { nonce: v.string(), signature: signatureField };
const tokenSchema = v.union([
	v.object({ business: businessField, code: codeField, ...signedNonce }),
	v.object({ person: personField, code: v.string(), ...signedNonce })
]);

/** `POST /devices` joins a device; `/devices/nonce` and `/devices/token` let it prove itself. */
export function deviceRoutes(parts: PeopleParts): Hono {
	const routes = new Hono();
	routes.post('/devices', (c) => join(c, parts));
	routes.post('/devices/nonce', async (c) => {
		const counted = await parts.limits.count('noncesByAddress', parts.addressOf(c));
		if (!counted.ok) return problem(c, refusal('tooManyAttempts', { ...counted.error }));
		return c.json({ nonce: await parts.deviceAuth.createNonce() }, 201);
	});
	routes.post('/devices/token', async (c) => {
		const body = await readBody(c, tokenSchema);
		if (!body.ok) return problem(c, refusal(body.error));
		const proved =
			'person' in body.value
				? await parts.phoneAuth.provePhone(body.value)
				: await parts.deviceAuth.prove(body.value);
		return proved.ok ? c.json(proved.value, 201) : problem(c, refusal(proved.error));
	});
	return routes;
}

type JoinBody = v.InferOutput<typeof joinSchema>;

async function join(c: Context, parts: PeopleParts): Promise<Response> {
	const counted = await parts.limits.count('joinsByAddress', parts.addressOf(c));
	if (!counted.ok) return problem(c, refusal('tooManyAttempts', { ...counted.error }));
	const body = await readBody(c, joinSchema);
	if (!body.ok) return problem(c, refusal(body.error));
	const { publicKey, signature } = body.value;
	const isSigned = await parts.crypto.verify(publicKey, joinStatement(publicKey), signature);
	if (!isSigned) return problem(c, refusal('signatureInvalid'));

	const joined =
		'token' in body.value
			? await joinByInvite(parts, body.value)
			: await joinBySession(c, parts, body.value);
	if (!joined.ok) return problem(c, refusal(joined.error));
	await parts.feedMoved(joined.value.business);
	return c.json({ ...joined.value, epoch: parts.epoch }, 201);
}

/** What a device is told of itself once it has joined. */
export interface Joined {
	readonly business: BusinessId;
	readonly branch: BranchId;
	readonly person: string;
	readonly member: number;
	readonly code: DeviceCode;
	readonly sight: 'office' | 'counter';
	readonly name: string;
}

async function joinByInvite(
	parts: PeopleParts,
	{ token, publicKey }: Extract<JoinBody, { token: string }>
): Promise<Result<Joined, ProblemCode>> {
	const parsed = parseBusinessToken(token);
	if (!parsed.ok) return err('inviteUnknown');
	const { business: businessId, digest } = parsed.value;
	return commitUnlessRefused(parts.executor, async (transaction) => {
		const locked = await lockBusiness(transaction, businessId);
		if (locked === undefined) return err('inviteUnknown');
		const where = and(eq(invite.business, businessId), eq(invite.tokenHash, digest));
		const [found] = await transaction.select().from(invite).where(where);
		if (found === undefined) return err('inviteUnknown');

		const known = await findByKey(transaction, businessId, publicKey);
		// The same device with the same invite: its first answer was lost on the way.
		if (known?.device.code === found.usedBy) return joinedAs(locked, known);
		if (found.usedBy !== null) return err('inviteUsed');
		if (found.expiresAt <= parts.clock()) return err('inviteExpired');

		const place = { ...found, branch: branchIdOf(found.branch) };
		const joined = await enrol(transaction, { parts, locked, place, publicKey, known });
		if (joined.ok) {
			await transaction.update(invite).set({ usedBy: joined.value.code }).where(where);
		}
		return joined;
	});
}

async function joinBySession(
	c: Context,
	parts: PeopleParts,
	{ business: businessId, publicKey }: Extract<JoinBody, { business: BusinessId }>
): Promise<Result<Joined, ProblemCode>> {
	const current = await currentSession(c, parts.sessions);
	if (!current.ok) return current;
	const { id, caller } = current.value;
	return commitUnlessRefused(parts.executor, async (transaction) => {
		const locked = await lockBusiness(transaction, businessId);
		// Asked again under the lock: who removes a device ends the sessions that may lie on it.
		if (!(await isOpenStill(transaction, id))) return err('notSignedIn');
		const owner = await memberOf(transaction, businessId, caller.account);
		if (locked === undefined || owner === undefined) return err('notAMember');
		const [first] = await transaction
			.select()
			.from(branch)
			.where(eq(branch.business, businessId))
			.orderBy(asc(branch.createdAt), asc(branch.branch))
			.limit(1);
		assert(first !== undefined, 'a business has a branch');

		const known = await findByKey(transaction, businessId, publicKey);
		const place = {
			branch: branchIdOf(first.branch),
			member: owner.member,
			sight: 'office'
		} as const;
		return enrol(transaction, { parts, locked, place, publicKey, known });
	});
}

export interface Enrolment {
	readonly parts: PeopleParts;
	readonly locked: LockedBusiness;
	readonly place: {
		readonly branch: BranchId;
		readonly member: number;
		readonly sight: 'office' | 'counter';
		/** Whose place it takes. */
		readonly heirOf?: DeviceCode;
		/** The code that it showed it had before a restore. */
		readonly had?: DeviceCode | undefined;
	};
	readonly publicKey: Uint8Array;
	/** The device that already has this key. */
	readonly known: DeviceRow | undefined;
}

/** Gives the key the next code; a key that has one, or had one before a restore, keeps it. */
export async function enrol(
	transaction: Transaction,
	{ parts, locked, place, publicKey, known }: Enrolment
): Promise<Result<Joined, ProblemCode>> {
	if (known !== undefined) return joinedAs(locked, known);
	const { business: businessId } = locked;
	const { branch: branchId, member: number, sight, heirOf, had } = place;
	const last = await lastCodeOf(transaction, locked, had);
	const given = { ...locked, lastDeviceCode: last };
	const forgotten = await findForgottenCode(transaction, given, { publicKey, had });
	const code = forgotten ?? nextDeviceCode(last);
	if (forgotten === undefined) {
		await transaction
			.update(business)
			.set({ lastDeviceCode: code })
			.where(eq(business.business, businessId));
	}
	await transaction.insert(device).values({
		business: businessId,
		code,
		branch: branchId,
		member: number,
		sight,
		publicKey,
		joinedAt: parts.clock(),
		joinedEpoch: parts.epoch,
		heirOf: heirOf ?? null
	});
	const fields = {
		key: encodeBase64url(publicKey),
		member: number,
		sight,
		branch: branchId,
		...(heirOf !== undefined && { heirOf })
	};
	await parts.appendRelayFacts(transaction, businessId, [
		{ kind: 'device', device: code, fields, branch: branchId }
	]);
	const row = await findDevice(transaction, businessId, code);
	assert(row !== undefined, 'the device was inserted just now');
	return joinedAs(locked, row);
}

/** KEEP-16. What was given out before a restore forgot it, and is told of since, is not given again. */
async function lastCodeOf(
	transaction: Transaction,
	{ business: id, lastDeviceCode: last }: LockedBusiness,
	had: DeviceCode | undefined
): Promise<DeviceCode> {
	const told = [...(await readToldCodes(transaction, id)), ...(had === undefined ? [] : [had])];
	if (told.length === 0) return last;
	return (await raiseDeviceCode(rawSql(transaction), id, told)) ?? last;
}

function joinedAs(locked: LockedBusiness, row: DeviceRow): Result<Joined, 'deviceRemoved'> {
	const caller = callerOfDevice(row);
	if (!caller.ok) return caller;
	const { business: businessId, branch: branchId, member, code, sight } = caller.value;
	const { person } = row.member;
	return ok({
		business: businessId,
		branch: branchId,
		person,
		member,
		code,
		sight,
		name: locked.name
	});
}

export async function findByKey(
	executor: Executor,
	businessId: BusinessId,
	publicKey: Uint8Array
): Promise<DeviceRow | undefined> {
	const [row] = await executor
		.select({ code: device.code })
		.from(device)
		.where(and(eq(device.business, businessId), eq(device.publicKey, publicKey)));
	return row === undefined ? undefined : findDevice(executor, businessId, row.code);
}

export function branchIdOf(text: string): BranchId {
	const parsed = parseBranchId(text);
	assert(parsed.ok, 'a branch row holds an id');
	return parsed.value;
}
