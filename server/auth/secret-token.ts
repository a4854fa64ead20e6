import { createHash } from 'node:crypto';
import { assert } from '#domain/assert.ts';
import {
	concatBytes,
	decodeBase64url,
	encodeBase64url,
	uuidFromBytes,
	uuidToBytes
} from '#domain/bytes.ts';
import { parseBusinessId, type BusinessId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import type { Random } from './random.ts';
import type { ScopeId } from './relay-fact-draft.ts';

/** Who holds the text holds the right; the database keeps the digest alone. */
export interface SecretToken {
	readonly text: string;
	readonly digest: Uint8Array;
}

/** The same for a right inside one business or of one person, which the text names so that its row is found by key. */
export interface ScopeToken {
	/** A UUID; whose it is, the reader knows. */
	readonly scope: string;
	readonly digest: Uint8Array;
}

export type TokenRefusal = 'notAToken';

const SECRET_BYTES = 32;
const UUID_BYTES = 16;
/** Enough against guessing for what lives minutes, and short enough for a QR code. */
const BUSINESS_SECRET_BYTES = 20;

export function createSecretToken(random: Random): SecretToken {
	const secret = random.bytes(SECRET_BYTES);
	return { text: encodeBase64url(secret), digest: sha256(secret) };
}

export function parseSecretToken(text: string): Result<Uint8Array, TokenRefusal> {
	const secret = decodeLength(text, SECRET_BYTES);
	return secret === undefined ? err('notAToken') : ok(sha256(secret));
}

export function createScopeToken(random: Random, scope: ScopeId): SecretToken {
	const secret = concatBytes(uuidToBytes(scope), random.bytes(BUSINESS_SECRET_BYTES));
	return { text: encodeBase64url(secret), digest: sha256(secret) };
}

export function parseBusinessToken(
	text: string
): Result<{ readonly business: BusinessId; readonly digest: Uint8Array }, TokenRefusal> {
	const parsed = parseScopeToken(text);
	if (!parsed.ok) return parsed;
	const business = parseBusinessId(parsed.value.scope);
	return business.ok
		? ok({ business: business.value, digest: parsed.value.digest })
		: err('notAToken');
}

export function parseScopeToken(text: string): Result<ScopeToken, TokenRefusal> {
	const secret = decodeLength(text, UUID_BYTES + BUSINESS_SECRET_BYTES);
	if (secret === undefined) return err('notAToken');
	return ok({ scope: uuidFromBytes(secret.subarray(0, UUID_BYTES)), digest: sha256(secret) });
}

export function sha256(bytes: Uint8Array): Uint8Array {
	return new Uint8Array(createHash('sha256').update(bytes).digest());
}

function decodeLength(text: string, length: number): Uint8Array | undefined {
	assert(length <= TOKEN_BYTES_MAX, 'no token is longer');
	// Whatever came in a header may be long; the length of base64url is known beforehand.
	if (text.length !== Math.ceil((length * 8) / 6)) return undefined;
	const bytes = decodeBase64url(text);
	return bytes.ok ? bytes.value : undefined;
}

const TOKEN_BYTES_MAX = 64;
