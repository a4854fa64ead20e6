import { concatBytes, u8 } from '../bytes.ts';
import type { CryptoParts } from '../crypto.ts';

export interface KeyDerivation {
	readonly secret: Uint8Array;
	/** Empty where the protocol says "no salt". */
	readonly salt: Uint8Array;
	readonly info: Uint8Array;
}

/** HKDF-SHA-256 (RFC 5869), always of 32 bytes: extract, then a single expansion. */
export async function hkdf(
	{ secret, salt, info }: KeyDerivation,
	crypto: CryptoParts
): Promise<Uint8Array> {
	const extracted = await crypto.hmacSha256(salt, secret);
	return crypto.hmacSha256(extracted, concatBytes(info, u8(1)));
}
