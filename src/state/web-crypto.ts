import { PUBLIC_KEY_BYTES, type CryptoParts, type Signer } from '#domain/crypto.ts';
import { isLowS, toLowS } from '#domain/confirmation/low-s.ts';
import { keyId } from '#domain/confirmation/signatures.ts';

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;
const MAC = { name: 'HMAC', hash: 'SHA-256' } as const;
/** HMAC fills a short key with zeros, so this key and the empty one, which WebCrypto refuses, are one. */
const EMPTY_KEY = new Uint8Array(32);
/** Of the keys that verify, as many as a shop has devices and customers in one screen's view. */
const IMPORTED_KEYS_MAX = 256;

/** The device's cryptography, in a browser and in Node; WebCrypto is there in secure contexts only. */
export function createWebCrypto(subtle: SubtleCrypto = globalThis.crypto.subtle): CryptoParts {
	const importedByPoint = new Map<string, Promise<CryptoKey | undefined>>();

	function imported(publicKey: Uint8Array): Promise<CryptoKey | undefined> {
		const point = publicKey.join();
		const known = importedByPoint.get(point);
		if (known !== undefined) return known;
		if (importedByPoint.size >= IMPORTED_KEYS_MAX) importedByPoint.clear();
		const key = importPoint(publicKey, subtle);
		importedByPoint.set(point, key);
		return key;
	}

	return {
		async sha256(bytes) {
			return new Uint8Array(await subtle.digest('SHA-256', owned(bytes)));
		},
		async hmacSha256(key, bytes) {
			const raw = key.length === 0 ? EMPTY_KEY : owned(key);
			const mac = await subtle.importKey('raw', raw, MAC, false, ['sign']);
			return new Uint8Array(await subtle.sign('HMAC', mac, owned(bytes)));
		},
		async verify(publicKey, message, signature) {
			if (publicKey.length !== PUBLIC_KEY_BYTES || !isLowS(signature)) return false;
			const key = await imported(publicKey);
			if (key === undefined) return false;
			return subtle.verify(SIGNATURE, key, owned(signature), owned(message));
		}
	};
}

/** A new key of this device: the private half can sign and be kept in IndexedDB, never be read. */
export async function createSigningKeys(
	subtle: SubtleCrypto = globalThis.crypto.subtle
): Promise<CryptoKeyPair> {
	return subtle.generateKey(CURVE, false, ['sign', 'verify']);
}

/** Signs with `keys`, whose private half may be non-extractable. */
export async function createSigner(
	{ privateKey, publicKey }: CryptoKeyPair,
	subtle: SubtleCrypto = globalThis.crypto.subtle
): Promise<Signer> {
	const point = new Uint8Array(await subtle.exportKey('raw', publicKey));
	return {
		publicKey: point,
		kid: await keyId(point, createWebCrypto(subtle)),
		async sign(message) {
			return toLowS(new Uint8Array(await subtle.sign(SIGNATURE, privateKey, owned(message))));
		}
	};
}

/** A peer's point may lie off the curve: then there is no key, which is no fault of this device. */
async function importPoint(
	publicKey: Uint8Array,
	subtle: SubtleCrypto
): Promise<CryptoKey | undefined> {
	try {
		return await subtle.importKey('raw', owned(publicKey), CURVE, false, ['verify']);
	} catch (cause) {
		if (cause instanceof DOMException) return undefined;
		throw new Error('the cryptography of this machine failed', { cause });
	}
}

/** WebCrypto takes no view of shared memory; a copy is never one. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
	return new Uint8Array(bytes);
}
