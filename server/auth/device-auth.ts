import { and, eq, gt } from 'drizzle-orm';
import { parse } from 'hono/utils/cookie';
import { assert } from '#domain/assert.ts';
import { decodeBase64url, encodeBase64url } from '#domain/bytes.ts';
import { deviceStatement, NONCE_BYTES } from '#domain/claim-statement.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import {
	parseBranchId,
	parseBusinessId,
	parseDeviceCode,
	type BranchId,
	type BusinessId,
	type DeviceCode
} from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { device, deviceNonce, deviceToken, member } from '#server/database/accounts.ts';
import type { Executor } from '#server/database/transaction.ts';
import type { Random } from './random.ts';
import { createScopeToken, parseBusinessToken, sha256 } from './secret-token.ts';
import { SESSION_COOKIE, type Sessions } from './sessions.ts';
import { sweepExpired } from './sweep.ts';

/** A device that proved itself, and whose hand is on it. */
export interface DeviceCaller {
	readonly sort: 'device';
	/** The business: whose documents it may open, whose feed it reads. */
	readonly scope: BusinessId;
	readonly business: BusinessId;
	readonly branch: BranchId;
	readonly code: DeviceCode;
	readonly member: number;
	readonly role: 'owner';
	readonly sight: 'office' | 'counter';
	/** The uncompressed point, 65 bytes. */
	readonly publicKey: Uint8Array;
	/** The id of the session that it came by; absent where its key proved it. */
	readonly session?: string;
}

type DeviceRefusal = 'notSignedIn' | 'deviceRemoved';

interface DeviceProof {
	readonly business: BusinessId;
	readonly code: DeviceCode;
	readonly nonce: string;
	/** Over `deviceStatement(nonce, business)`. */
	readonly signature: Uint8Array;
}

export type ProofRefusal = 'nonceSpent' | 'deviceRefused' | 'deviceRemoved';

export interface Bearer {
	readonly token: string;
	readonly expiresAt: number;
}

export interface DeviceAuth {
	/** A nonce to sign, base64url, good once within `NONCE_MS`. */
	createNonce(): Promise<string>;
	/** Gives a bearer token of `DEVICE_TOKEN_MS` for a signed nonce, which is spent whatever comes out. */
	prove(proof: DeviceProof): Promise<Result<Bearer, ProofRefusal>>;
	/**
	 * Who calls: `Authorization: Bearer` of a device, or the session cookie of the device's member
	 * with `Daftar-Device: {business}/{code}`. Where a bearer is sent, only the bearer counts.
	 */
	authenticateDevice(headers: Headers): Promise<Result<DeviceCaller, DeviceRefusal>>;
}

export interface DeviceAuthParts {
	readonly executor: Executor;
	readonly clock: () => number;
	readonly random: Random;
	readonly crypto: Pick<CryptoParts, 'verify'>;
	readonly sessions: Sessions;
}

export const NONCE_MS = 60_000;
export const DEVICE_TOKEN_MS = 3_600_000;
const DEVICE_HEADER = 'Daftar-Device';

export function createDeviceAuth(parts: DeviceAuthParts): DeviceAuth {
	return {
		async createNonce() {
			const { executor, clock, random } = parts;
			const now = clock();
			const nonce = random.bytes(NONCE_BYTES);
			await sweepExpired(executor, deviceNonce, { column: deviceNonce.expiresAt, before: now });
			await executor
				.insert(deviceNonce)
				.values({ nonceHash: sha256(nonce), expiresAt: now + NONCE_MS });
			return encodeBase64url(nonce);
		},
		prove: (proof) => prove(parts, proof),
		authenticateDevice(headers) {
			const bearer = /^Bearer (\S+)$/i.exec(headers.get('authorization') ?? '')?.[1];
			return bearer === undefined ? callerBySession(parts, headers) : callerByToken(parts, bearer);
		}
	};
}

/** The device and its member as rows; undefined where the business has no such device. */
export async function findDevice(
	executor: Executor,
	business: BusinessId,
	code: string
): Promise<DeviceRow | undefined> {
	const [row] = await executor
		.select()
		.from(device)
		.innerJoin(member, and(eq(member.business, device.business), eq(member.member, device.member)))
		.where(and(eq(device.business, business), eq(device.code, code)));
	return row;
}

export interface DeviceRow {
	readonly device: typeof device.$inferSelect;
	readonly member: typeof member.$inferSelect;
}

export function callerOfDevice(row: DeviceRow): Result<DeviceCaller, 'deviceRemoved'> {
	if (row.device.removedAt !== null || row.member.removedAt !== null) return err('deviceRemoved');
	const business = parseBusinessId(row.device.business);
	const branch = parseBranchId(row.device.branch);
	const code = parseDeviceCode(row.device.code);
	assert(business.ok && branch.ok && code.ok, 'a device row holds ids');
	return ok({
		sort: 'device',
		scope: business.value,
		business: business.value,
		branch: branch.value,
		code: code.value,
		member: row.member.member,
		role: row.member.role,
		sight: row.device.sight,
		publicKey: row.device.publicKey
	});
}

async function prove(
	parts: DeviceAuthParts,
	{ business, code, nonce, signature }: DeviceProof
): Promise<Result<Bearer, ProofRefusal>> {
	const { executor, clock, random, crypto } = parts;
	const now = clock();
	const bytes = await takeNonce(executor, nonce, now);
	if (bytes === undefined) return err('nonceSpent');

	const row = await findDevice(executor, business, code);
	if (row === undefined) return err('deviceRefused');
	const statement = deviceStatement(bytes, business);
	if (!(await crypto.verify(row.device.publicKey, statement, signature)))
		return err('deviceRefused');
	const caller = callerOfDevice(row);
	if (!caller.ok) return caller;

	const { text, digest } = createScopeToken(random, business);
	const expiresAt = now + DEVICE_TOKEN_MS;
	await sweepExpired(executor, deviceToken, { column: deviceToken.expiresAt, before: now });
	await executor.insert(deviceToken).values({ business, tokenHash: digest, code, expiresAt });
	return ok({ token: text, expiresAt });
}

/** Deletes the nonce, so that of two who bring it one is served. */
export async function takeNonce(
	executor: Executor,
	nonce: string,
	now: number
): Promise<Uint8Array | undefined> {
	const bytes = decodeBase64url(nonce);
	if (!bytes.ok || bytes.value.length !== NONCE_BYTES) return undefined;
	const [taken] = await executor
		.delete(deviceNonce)
		.where(eq(deviceNonce.nonceHash, sha256(bytes.value)))
		.returning({ expiresAt: deviceNonce.expiresAt });
	return taken !== undefined && taken.expiresAt > now ? bytes.value : undefined;
}

async function callerByToken(
	{ executor, clock }: DeviceAuthParts,
	token: string
): Promise<Result<DeviceCaller, DeviceRefusal>> {
	const parsed = parseBusinessToken(token);
	if (!parsed.ok) return err('notSignedIn');
	const { business, digest } = parsed.value;
	const [row] = await executor
		.select({ code: deviceToken.code })
		.from(deviceToken)
		.where(
			and(
				eq(deviceToken.business, business),
				eq(deviceToken.tokenHash, digest),
				gt(deviceToken.expiresAt, clock())
			)
		);
	const found = row === undefined ? undefined : await findDevice(executor, business, row.code);
	return found === undefined ? err('notSignedIn') : callerOfDevice(found);
}

async function callerBySession(
	{ executor, sessions }: DeviceAuthParts,
	headers: Headers
): Promise<Result<DeviceCaller, DeviceRefusal>> {
	const named = parseDeviceName(headers.get(DEVICE_HEADER) ?? '');
	const token = parse(headers.get('cookie') ?? '', SESSION_COOKIE)[SESSION_COOKIE];
	if (named === undefined || token === undefined) return err('notSignedIn');
	const session = await sessions.find(token);
	if (session === undefined) return err('notSignedIn');

	const found = await findDevice(executor, named.business, named.code);
	if (found?.member.account !== session.caller.account) return err('notSignedIn');
	const caller = callerOfDevice(found);
	return caller.ok ? ok({ ...caller.value, session: session.id }) : caller;
}

function parseDeviceName(
	text: string
): { readonly business: BusinessId; readonly code: DeviceCode } | undefined {
	const [first, second, ...rest] = text.split('/');
	const business = parseBusinessId(first);
	const code = parseDeviceCode(second);
	if (!business.ok || !code.ok || rest.length > 0) return undefined;
	return { business: business.value, code: code.value };
}
