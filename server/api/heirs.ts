import { and, asc, eq } from 'drizzle-orm';
import { Hono, type Context } from 'hono';
import * as v from 'valibot';
import { encodeBase64url, equalBytes } from '#domain/bytes.ts';
import { heirStatement, type Heir } from '#domain/claim-statement.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { phoneCode, type DeviceCode, type PersonId } from '#domain/ids.ts';
import type { ProblemCode } from '#domain/problem-code.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { findDevice, takeNonce } from '#server/auth/device-auth.ts';
import { findPhone } from '#server/auth/phone-auth.ts';
import { isRelaysWord, readRelayKeys } from '#server/auth/relay-word.ts';
import { sha256 } from '#server/auth/secret-token.ts';
import { person } from '#server/database/accounts.ts';
import { phone } from '#server/database/persons.ts';
import { commitUnlessRefused, rawSql, type Transaction } from '#server/database/transaction.ts';
import {
	businessField,
	codeField,
	personField,
	publicKeyField,
	readBody,
	signatureField
} from './body.ts';
import { branchIdOf, enrol, findByKey, type Joined } from './devices.ts';
import { lockBusiness } from './lock-business.ts';
import type { PeopleParts } from './people-parts.ts';
import { KID_BYTES, lockFeed, makeRoom, nextNumber } from './persons.ts';
import { problem, refusal } from './problem.ts';

const proof = {
	nonce: v.string(),
	/** Of the old key, over `heirStatement`. */
	signature: signatureField,
	publicKey: publicKeyField,
	/** Of the heir's key, over the same. */
	newSignature: signatureField
};
const heirSchema = v.union([
	v.object({
		business: businessField,
		code: codeField,
		/** What the relay said of the heir before a restore: the text of its `device` fact. */
		told: v.optional(v.string()),
		...proof
	}),
	v.object({ person: personField, code: v.string(), ...proof })
]);
type HeirBody = v.InferOutput<typeof heirSchema>;
type DeviceHeirBody = Extract<HeirBody, { business: unknown }>;
type PhoneHeirBody = Extract<HeirBody, { person: unknown }>;

/**
 * `POST /devices/heir`: a device (or a customer's phone) whose numbers are used by two takes a code
 * of its own. Answers as joining does, and as enrolling does for a phone.
 */
export function heirRoutes(parts: PeopleParts): Hono {
	const routes = new Hono();
	routes.post('/devices/heir', async (c) => {
		const counted = await parts.limits.count('joinsByAddress', parts.addressOf(c));
		if (!counted.ok) return problem(c, refusal('tooManyAttempts', { ...counted.error }));
		const body = await readBody(c, heirSchema);
		if (!body.ok) return problem(c, refusal(body.error));
		return 'business' in body.value
			? answerDevice(c, parts, body.value)
			: answerPhone(c, parts, body.value);
	});
	return routes;
}

async function answerDevice(
	c: Context,
	parts: PeopleParts,
	body: DeviceHeirBody
): Promise<Response> {
	const heir = await deviceHeir(parts, body);
	if (!heir.ok) return problem(c, refusal(heir.error));
	await parts.feedMoved(heir.value.business);
	return c.json({ ...heir.value, epoch: parts.epoch }, 201);
}

/**
 * API-40. Only who holds both keys becomes the heir, and of a device that is still let in. API-45. One
 * that a restored relay forgot shows by what it was told which code it had.
 */
async function deviceHeir(
	parts: PeopleParts,
	body: DeviceHeirBody
): Promise<Result<Joined, ProblemCode>> {
	const { business, code, publicKey } = body;
	const old = await findDevice(parts.executor, business, code);
	const before = await findByKey(parts.executor, business, publicKey);
	const proved = await proveHeir(parts, {
		proof: body,
		oldKey: old?.device.publicKey,
		heir: { scope: business, code, publicKey },
		takesNext: before === undefined && old?.device.removedAt === null
	});
	if (!proved.ok) return proved;
	return commitUnlessRefused(parts.executor, async (transaction) => {
		const locked = await lockBusiness(transaction, business);
		// Read again under the lock: it may have been removed meanwhile.
		const ancestor = await findDevice(transaction, business, code);
		if (locked === undefined || ancestor === undefined) return err('deviceRefused');
		if (ancestor.device.removedAt !== null) return err('deviceRemoved');
		const known = await findByKey(transaction, business, publicKey);
		if (known !== undefined && known.device.heirOf !== code) return err('deviceRefused');
		const { branch, member, sight } = ancestor.device;
		const had = await codeTold(transaction, parts, body);
		const place = { branch: branchIdOf(branch), member, sight, heirOf: code, had };
		return enrol(transaction, { parts, locked, place, publicKey, known });
	});
}

/** The code that this relay gave the key before, by its own signed word; undefined where it did not. */
async function codeTold(
	transaction: Transaction,
	{ crypto }: PeopleParts,
	{ business, publicKey, told }: DeviceHeirBody
): Promise<DeviceCode | undefined> {
	if (told === undefined) return undefined;
	const fact = parseFact(told);
	if (!fact.ok || fact.value.kind !== 'device') return undefined;
	const { device, fields } = fact.value;
	if (fields.key !== encodeBase64url(publicKey)) return undefined;
	const relayKeys = await readRelayKeys(rawSql(transaction));
	const isSo = await isRelaysWord(fact.value, { scope: business, crypto, relayKeys });
	return isSo ? device : undefined;
}

interface HeirProof {
	readonly proof: Pick<HeirBody, 'nonce' | 'signature' | 'newSignature'>;
	readonly oldKey: Uint8Array | undefined;
	readonly heir: Heir;
	/** Whether it would be given a code: what gives none uses up nothing that others need. */
	readonly takesNext: boolean;
}

async function proveHeir(
	{ executor, clock, crypto, limits }: PeopleParts,
	{ proof: { nonce, signature, newSignature }, oldKey, heir, takesNext }: HeirProof
): Promise<Result<undefined, ProblemCode>> {
	const bytes = await takeNonce(executor, nonce, clock());
	if (bytes === undefined) return err('nonceSpent');
	if (oldKey === undefined || equalBytes(oldKey, heir.publicKey)) return err('deviceRefused');
	const statement = heirStatement(bytes, heir);
	const isBoth =
		(await crypto.verify(oldKey, statement, signature)) &&
		(await crypto.verify(heir.publicKey, statement, newSignature));
	if (!isBoth) return err('deviceRefused');
	if (!takesNext) return ok(undefined);
	const counted = await limits.count('heirsByScope', heir.scope);
	return counted.ok ? ok(undefined) : err('tooManyAttempts');
}

async function answerPhone(c: Context, parts: PeopleParts, body: PhoneHeirBody): Promise<Response> {
	const heir = await phoneHeir(parts, body);
	if (!heir.ok) return problem(c, refusal(heir.error));
	// It may have made room for its heir.
	await parts.revoked(body.person);
	return c.json({ person: body.person, ...heir.value, epoch: parts.epoch }, 201);
}

interface PhoneHeir {
	readonly code: string;
	readonly number: number;
	/** The UTC year since which there may be documents of the person. */
	readonly year: number;
}

/** API-41. The same for a phone: the next number of its person. */
async function phoneHeir(
	parts: PeopleParts,
	body: PhoneHeirBody
): Promise<Result<PhoneHeir, ProblemCode>> {
	const { person: who, code, publicKey } = body;
	const old = await findPhone(parts.executor, who, code);
	if (!old.ok) return err(old.error === 'deviceRemoved' ? 'deviceRemoved' : 'deviceRefused');
	const before = await parts.executor
		.select({ code: phone.code })
		.from(phone)
		.where(and(eq(phone.person, who), eq(phone.publicKey, publicKey)));
	const proved = await proveHeir(parts, {
		proof: body,
		oldKey: old.value.publicKey,
		heir: { scope: who, code, publicKey },
		takesNext: before.length === 0
	});
	if (!proved.ok) return proved;
	return commitUnlessRefused(parts.executor, (transaction) =>
		enrolHeir(transaction, parts, { who, code, publicKey })
	);
}

interface ToEnrol {
	readonly who: PersonId;
	readonly code: string;
	readonly publicKey: Uint8Array;
}

async function enrolHeir(
	transaction: Transaction,
	{ clock, epoch }: PeopleParts,
	{ who, code, publicKey }: ToEnrol
): Promise<Result<PhoneHeir, ProblemCode>> {
	const [owner] = await transaction
		.select()
		.from(person)
		.where(eq(person.person, who))
		// As who enrols does.
		.for('no key update');
	if (owner === undefined) return err('deviceRefused');
	const year = new Date(owner.createdAt).getUTCFullYear();
	await lockFeed(transaction, who);
	// Locked: one that is being removed at this moment has no heir.
	const phones = await transaction
		.select()
		.from(phone)
		.where(eq(phone.person, who))
		.orderBy(asc(phone.number))
		.for('update');
	const kid = sha256(publicKey).slice(0, KID_BYTES);
	const known = phones.find((one) => equalBytes(one.publicKey, publicKey));
	if (known !== undefined) {
		return known.heirOf === code && known.removedAt === null
			? ok({ code: known.code, number: known.number, year })
			: err('deviceRefused');
	}
	const ancestor = phones.find((one) => one.code === code);
	if (ancestor?.removedAt !== null) return err('deviceRemoved');
	if (phones.some((one) => equalBytes(one.kid, kid))) return err('signatureInvalid');
	const now = clock();
	// Whoever holds this one's key throws no other phone out by it.
	await makeRoom(transaction, { who, phones, now, leaving: code });
	const number = await nextNumber(transaction, who);
	const row = { person: who, code: phoneCode(number), number, publicKey, kid };
	const joined = { joinedAt: now, joinedEpoch: epoch, heirOf: code };
	await transaction.insert(phone).values({ ...row, ...joined });
	return ok({ code: row.code, number, year });
}
