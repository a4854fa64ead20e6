import { assert } from '../assert.ts';
import {
	compareBase64url,
	concatBytes,
	decodeBase64url,
	encodeBase64url,
	encodeCrockford,
	tag
} from '../bytes.ts';
import type { CryptoParts } from '../crypto.ts';
import { err, ok, type Result } from '../result.ts';
import { HASH_BYTES } from './record.ts';

/** **H**, the name of a record everywhere: 32 bytes in base64url, 43 characters. */
export type RecordHash = string & { readonly __brand: 'RecordHash' };

const REFERENCE_BYTES = 5;

/** H = SHA-256(tag "cp/rec/v1" || A). */
export async function recordHash(a: Uint8Array, crypto: CryptoParts): Promise<RecordHash> {
	return recordHashOf(await crypto.sha256(concatBytes(tag('cp/rec/v1'), a)));
}

export function recordHashOf(bytes: Uint8Array): RecordHash {
	assert(bytes.length === HASH_BYTES, 'a hash has 32 bytes');
	return encodeBase64url(bytes) as RecordHash;
}

export function parseRecordHash(text: unknown): Result<RecordHash, 'notAHash'> {
	return isHashText(text) ? ok(text as RecordHash) : err('notAHash');
}

/** Whether `text` is 32 bytes in base64url. */
export function isHashText(text: unknown): text is string {
	if (typeof text !== 'string' || text.length !== 43) return false;
	const bytes = decodeBase64url(text);
	return bytes.ok && bytes.value.length === HASH_BYTES;
}

export function recordHashBytes(hash: RecordHash): Uint8Array {
	const bytes = decodeBase64url(hash);
	assert(bytes.ok, 'a record hash was parsed or made here');
	return bytes.value;
}

/** The order of the bytes, which is not the order of their base64url texts. */
export function compareRecordHashes(a: RecordHash, b: RecordHash): number {
	return compareBase64url(a, b);
}

/** What two people read to each other: the first 40 bits of H in Crockford base 32, `XXXX-XXXX`. */
export function humanReference(hash: RecordHash): string {
	const text = encodeCrockford(recordHashBytes(hash).subarray(0, REFERENCE_BYTES));
	return `${text.slice(0, 4)}-${text.slice(4)}`;
}
