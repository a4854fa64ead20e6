/**
 * The cryptography that the shop's rules need, handed in: a browser and a server bring their own.
 * Every promise rejects only where the machine's cryptography is broken.
 */
export interface CryptoParts {
	/** 32 bytes. */
	sha256(bytes: Uint8Array): Promise<Uint8Array>;
	/** 32 bytes; the key may be empty. */
	hmacSha256(key: Uint8Array, bytes: Uint8Array): Promise<Uint8Array>;
	/**
	 * ECDSA on P-256 with SHA-256: `publicKey` is the uncompressed point of 65 bytes, `signature` is
	 * `r || s` of 64. False for a signature with a high s, another length or a point off the curve.
	 */
	verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

/** A private key that stays where it is, and what it signs with. */
export interface Signer {
	/** The uncompressed point, 65 bytes. */
	readonly publicKey: Uint8Array;
	/** The first 8 bytes of the SHA-256 of `publicKey`. */
	readonly kid: Uint8Array;
	/** `r || s`, 64 bytes, with a low s. */
	sign(message: Uint8Array): Promise<Uint8Array>;
}

export const PUBLIC_KEY_BYTES = 65;
export const KID_BYTES = 8;
export const SIGNATURE_BYTES = 64;
