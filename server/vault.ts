import {
	createCipheriv,
	createDecipheriv,
	createHash,
	createPrivateKey,
	createPublicKey,
	generateKeyPairSync,
	randomBytes,
	sign,
	type KeyObject
} from 'node:crypto';
import type { Sql } from 'postgres';
import { assert } from '#domain/assert.ts';
import { concatBytes, decodeBase64url, encodeBase64url } from '#domain/bytes.ts';
import { KID_BYTES, PUBLIC_KEY_BYTES, type Signer } from '#domain/crypto.ts';
import { toLowS } from '#domain/confirmation/low-s.ts';
import type { Vault } from './auth/vault.ts';
import { deriveKey } from './secret.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Seals under the key of one purpose (AES-256-GCM, NIST SP 800-38D); see `Vault`. */
export function createVault(secret: Uint8Array, purpose: string): Vault {
	const key = deriveKey(secret, purpose);
	return {
		seal(plain) {
			const nonce = randomBytes(NONCE_BYTES);
			const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
			const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
			return new Uint8Array(concatBytes(nonce, sealed, cipher.getAuthTag()));
		},
		open(sealed) {
			assert(sealed.length >= NONCE_BYTES + TAG_BYTES, 'what was sealed has a nonce and a tag');
			const nonce = sealed.subarray(0, NONCE_BYTES);
			const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
			decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
			try {
				const inner = sealed.subarray(NONCE_BYTES, -TAG_BYTES);
				return new Uint8Array(Buffer.concat([decipher.update(inner), decipher.final()]));
			} catch (cause) {
				throw new Error('A kept secret does not open: it was sealed under another DAFTAR_SECRET.', {
					cause
				});
			}
		}
	};
}

export interface RelayKeyParts {
	readonly sql: Sql;
	readonly secret: Uint8Array;
	/** Milliseconds UTC. */
	readonly clock: () => number;
}

/** The relay's key as it signs verdicts and check values with it; see `Signer`. */
export type RelayKey = Signer;

const PURPOSE = 'relay-key/v1';

/**
 * The key by which this service signs, on P-256: made once, its private half sealed in the database.
 * Of several relays that start at once, all get the same. Throws where it was sealed under another
 * secret, since a new key would make every old signature worthless.
 */
export async function openRelayKey(parts: RelayKeyParts): Promise<RelayKey> {
	const vault = createVault(parts.secret, PURPOSE);
	const kept = (await readKept(parts.sql)) ?? (await make(parts, vault));
	const pkcs8 = Buffer.from(vault.open(kept));
	return signerOf(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
}

/**
 * Whether this is the secret under which the database keeps the relay's key. True too where it keeps
 * none yet, and so nothing that is sealed: no server has run on it.
 */
export async function opensRelayKey(sql: Sql, secret: Uint8Array): Promise<boolean> {
	const [known] = await sql<{ is: boolean }[]>`
		select to_regclass('public.relay_key') is not null as is`;
	const kept = known?.is === true ? await readKept(sql) : undefined;
	if (kept === undefined) return true;
	try {
		createVault(secret, PURPOSE).open(kept);
		return true;
	} catch {
		return false;
	}
}

async function readKept(sql: Sql): Promise<Uint8Array | undefined> {
	const [row] = await sql<{ sealed: Uint8Array }[]>`
		select sealed from relay_key where place = 1`;
	return row === undefined ? undefined : new Uint8Array(row.sealed);
}

async function make({ sql, clock }: RelayKeyParts, vault: Vault): Promise<Uint8Array> {
	const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
	const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
	const { publicKey, kid } = signerOf(privateKey);
	await sql`
		insert into relay_key (place, kid, public_key, sealed, created_at)
		values (1, ${encodeBase64url(kid)}, ${Buffer.from(publicKey)},
			${Buffer.from(vault.seal(pkcs8))}, ${clock()})
		on conflict do nothing`;
	const kept = await readKept(sql);
	assert(kept !== undefined, 'a key that was made is there');
	return kept;
}

function signerOf(privateKey: KeyObject): Signer {
	const publicKey = pointOf(privateKey);
	const digest = createHash('sha256').update(publicKey).digest();
	return {
		publicKey,
		kid: new Uint8Array(digest.subarray(0, KID_BYTES)),
		sign: (message) => {
			const signature = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
			return Promise.resolve(toLowS(new Uint8Array(signature)));
		}
	};
}

function pointOf(privateKey: KeyObject): Uint8Array {
	const { x, y } = createPublicKey(privateKey).export({ format: 'jwk' });
	const [left, right] = [decodeBase64url(x ?? ''), decodeBase64url(y ?? '')];
	assert(left.ok && right.ok, 'a key on P-256 has two coordinates');
	const point = concatBytes(Uint8Array.of(0x04), left.value, right.value);
	assert(point.length === PUBLIC_KEY_BYTES, 'a point has 65 bytes');
	return point;
}
