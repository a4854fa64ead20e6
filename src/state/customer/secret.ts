import type { KeyDerivation } from '#domain/confirmation/hkdf.ts';

/** What codes are derived from: 32 bytes that a page may use and not read. */
export interface CodeSecret {
	/** HKDF-SHA-256 of 32 bytes. */
	derive(from: Pick<KeyDerivation, 'salt' | 'info'>): Promise<Uint8Array>;
}

/** One of a person's secrets, as a phone keeps it. */
export interface HeldSecret {
	/** As `secretId` names it. */
	readonly id: string;
	readonly key: CryptoKey;
}

const HKDF = 'HKDF';
const DERIVED_BITS = 256;

/** Takes the bytes in; from here on they can be derived from, never exported. */
export async function importSecret(
	bytes: Uint8Array,
	subtle: SubtleCrypto = globalThis.crypto.subtle
): Promise<CryptoKey> {
	return subtle.importKey('raw', new Uint8Array(bytes), HKDF, false, ['deriveBits']);
}

export function codeSecret(
	key: CryptoKey,
	subtle: SubtleCrypto = globalThis.crypto.subtle
): CodeSecret {
	return {
		async derive({ salt, info }) {
			const from = {
				name: HKDF,
				hash: 'SHA-256',
				salt: new Uint8Array(salt),
				info: new Uint8Array(info)
			};
			return new Uint8Array(await subtle.deriveBits(from, key, DERIVED_BITS));
		}
	};
}
