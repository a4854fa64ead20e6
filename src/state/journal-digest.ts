import { encodeHex, utf8 } from '#domain/bytes.ts';
import type { CryptoParts } from '#domain/crypto.ts';

/** What a journal row is compared by: the first 8 bytes of its text's SHA-256, 16 hex digits. */
export async function digestOf(text: string, crypto: CryptoParts): Promise<string> {
	return encodeHex((await crypto.sha256(utf8(text))).subarray(0, 8));
}
