import { and, eq, gt } from 'drizzle-orm';
import { parse } from 'hono/utils/cookie';
import { deviceStatement } from '#domain/claim-statement.ts';
import { isPhoneCode, parsePersonId, type PersonId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { person } from '#server/database/accounts.ts';
import { phone, phoneToken } from '#server/database/persons.ts';
import type { Executor } from '#server/database/transaction.ts';
import {
	DEVICE_TOKEN_MS,
	takeNonce,
	type Bearer,
	type DeviceAuthParts,
	type DeviceCaller,
	type ProofRefusal
} from './device-auth.ts';
import { createScopeToken, parseScopeToken } from './secret-token.ts';
import { SESSION_COOKIE } from './sessions.ts';
import { sweepExpired } from './sweep.ts';

/** A customer's phone that proved itself. */
export interface PhoneCaller {
	readonly sort: 'phone';
	/** The person: whose documents it may open, whose feed it reads. */
	readonly scope: PersonId;
	/** `p{number}`. */
	readonly code: string;
	/** What stands as the writer in its facts. */
	readonly member: 1;
	/** The uncompressed point, 65 bytes. */
	readonly publicKey: Uint8Array;
	/** The id of the session that it came by; absent where its key proved it. */
	readonly session?: string;
}

/** Who may have a socket: a shop's device, or a customer's phone. */
export type Caller = DeviceCaller | PhoneCaller;

type PhoneRefusal = 'notSignedIn' | 'deviceRemoved';

interface PhoneProof {
	readonly person: PersonId;
	readonly code: string;
	readonly nonce: string;
	/** Over `deviceStatement(nonce, person)`. */
	readonly signature: Uint8Array;
}

export interface PhoneAuth {
	/** Gives a bearer token of `DEVICE_TOKEN_MS` for a signed nonce, which is spent whatever comes out. */
	provePhone(proof: PhoneProof): Promise<Result<Bearer, ProofRefusal>>;
	/**
	 * Who calls: `Authorization: Bearer` of a phone, or the session cookie of the person's account
	 * with `Daftar-Phone: {person}/{code}`. Where a bearer is sent, only the bearer counts.
	 */
	authenticatePhone(headers: Headers): Promise<Result<PhoneCaller, PhoneRefusal>>;
}

const PHONE_HEADER = 'Daftar-Phone';

export function createPhoneAuth(parts: DeviceAuthParts): PhoneAuth {
	return {
		provePhone: (proof) => prove(parts, proof),
		authenticatePhone(headers) {
			const bearer = /^Bearer (\S+)$/i.exec(headers.get('authorization') ?? '')?.[1];
			return bearer === undefined ? callerBySession(parts, headers) : callerByToken(parts, bearer);
		}
	};
}

/** The phone, unless the person has none of this code or took its access away. */
export async function findPhone(
	executor: Executor,
	who: PersonId,
	code: string
): Promise<Result<PhoneCaller, PhoneRefusal>> {
	const [row] = await executor
		.select()
		.from(phone)
		.where(and(eq(phone.person, who), eq(phone.code, code)));
	if (row === undefined) return err('notSignedIn');
	if (row.removedAt !== null) return err('deviceRemoved');
	return ok({ sort: 'phone', scope: who, code, member: 1, publicKey: row.publicKey });
}

async function prove(
	{ executor, clock, random, crypto }: DeviceAuthParts,
	{ person: who, code, nonce, signature }: PhoneProof
): Promise<Result<Bearer, ProofRefusal>> {
	const now = clock();
	const bytes = await takeNonce(executor, nonce, now);
	if (bytes === undefined) return err('nonceSpent');
	const caller = await findPhone(executor, who, code);
	if (!caller.ok) return err(caller.error === 'deviceRemoved' ? 'deviceRemoved' : 'deviceRefused');
	const statement = deviceStatement(bytes, who);
	if (!(await crypto.verify(caller.value.publicKey, statement, signature)))
		return err('deviceRefused');

	const { text, digest } = createScopeToken(random, who);
	const expiresAt = now + DEVICE_TOKEN_MS;
	await sweepExpired(executor, phoneToken, { column: phoneToken.expiresAt, before: now });
	await executor.insert(phoneToken).values({ person: who, tokenHash: digest, code, expiresAt });
	return ok({ token: text, expiresAt });
}

async function callerByToken(
	{ executor, clock }: DeviceAuthParts,
	token: string
): Promise<Result<PhoneCaller, PhoneRefusal>> {
	const parsed = parseScopeToken(token);
	const who = parsed.ok ? parsePersonId(parsed.value.scope) : parsed;
	if (!parsed.ok || !who.ok) return err('notSignedIn');
	const [row] = await executor
		.select({ code: phoneToken.code })
		.from(phoneToken)
		.where(
			and(
				eq(phoneToken.person, who.value),
				eq(phoneToken.tokenHash, parsed.value.digest),
				gt(phoneToken.expiresAt, clock())
			)
		);
	return row === undefined ? err('notSignedIn') : findPhone(executor, who.value, row.code);
}

async function callerBySession(
	{ executor, sessions }: DeviceAuthParts,
	headers: Headers
): Promise<Result<PhoneCaller, PhoneRefusal>> {
	const named = parsePhoneName(headers.get(PHONE_HEADER) ?? '');
	const token = parse(headers.get('cookie') ?? '', SESSION_COOKIE)[SESSION_COOKIE];
	if (named === undefined || token === undefined) return err('notSignedIn');
	const session = await sessions.find(token);
	if (session === undefined) return err('notSignedIn');
	const isOwn = await isPersonOf(executor, named.who, session.caller.account);
	if (!isOwn) return err('notSignedIn');
	const caller = await findPhone(executor, named.who, named.code);
	return caller.ok ? ok({ ...caller.value, session: session.id }) : caller;
}

function parsePhoneName(
	text: string
): { readonly who: PersonId; readonly code: string } | undefined {
	const [first, code = '', ...rest] = text.split('/');
	const who = parsePersonId(first);
	return who.ok && isPhoneCode(code) && rest.length === 0 ? { who: who.value, code } : undefined;
}

async function isPersonOf(executor: Executor, who: PersonId, account: string): Promise<boolean> {
	const owned = await executor
		.select({ person: person.person })
		.from(person)
		.where(and(eq(person.person, who), eq(person.account, account)));
	return owned.length > 0;
}
