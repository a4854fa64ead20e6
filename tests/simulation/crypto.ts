import { createHash, createHmac } from 'node:crypto';
import { concatBytes } from '#domain/bytes.ts';
import {
	KID_BYTES,
	PUBLIC_KEY_BYTES,
	SIGNATURE_BYTES,
	type CryptoParts,
	type Signer
} from '#domain/crypto.ts';
import type { Chance } from './chance.ts';

/**
 * Signatures that are the same in every run and cost nothing: a keyed hash under the public key.
 * Whoever knows a key could sign in its name; nobody here does, and the real curve is tested elsewhere.
 */
export const simCrypto: CryptoParts = {
	sha256: (bytes) => Promise.resolve(sha256(bytes)),
	hmacSha256: (key, bytes) =>
		Promise.resolve(new Uint8Array(createHmac('sha256', key).update(bytes).digest())),
	verify: (publicKey, message, signature) =>
		Promise.resolve(Buffer.from(signature).equals(signatureOf(publicKey, message)))
};

export function createSimSigner(chance: Chance): Signer {
	const publicKey = concatBytes(Uint8Array.of(0x04), chance.bytes(PUBLIC_KEY_BYTES - 1));
	return {
		publicKey,
		kid: sha256(publicKey).subarray(0, KID_BYTES),
		sign: (message) => Promise.resolve(signatureOf(publicKey, message))
	};
}

function sha256(bytes: Uint8Array): Uint8Array {
	return new Uint8Array(createHash('sha256').update(bytes).digest());
}

/** Its second half begins with a zero, and so is low. */
function signatureOf(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
	const mac = createHmac('sha256', publicKey).update(message).digest();
	const signature = new Uint8Array(SIGNATURE_BYTES);
	signature.set(mac);
	signature.set(mac.subarray(0, SIGNATURE_BYTES / 2 - 1), SIGNATURE_BYTES / 2 + 1);
	return signature;
}
