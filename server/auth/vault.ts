/** Keeps secrets in the database so that who reads the database cannot read them. */
export interface Vault {
	/** Sealed bytes: 12 of nonce, the ciphertext, 16 of tag. Twice the same secret never looks the same. */
	seal(secret: Uint8Array): Uint8Array;
	/** What was sealed; throws where the bytes were changed or sealed under another secret. */
	open(sealed: Uint8Array): Uint8Array;
}
