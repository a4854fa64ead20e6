import { createHash, createHmac, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { PUBLIC_KEY_BYTES, type CryptoParts } from '#domain/crypto.ts';
import { isLowS } from '#domain/confirmation/low-s.ts';

/** Keys of devices and customers that were lately seen; beyond it the memory starts anew. */
const IMPORTED_KEYS_MAX = 4096;
const POINT_IS_UNCOMPRESSED = 0x04;
const COORDINATE_BYTES = 32;

/** The server's cryptography: the same answers as a device's, with no thread changed for a hash. */
export function createNodeCrypto(): CryptoParts {
	const importedByPoint = new Map<string, KeyObject | undefined>();

	function imported(publicKey: Uint8Array): KeyObject | undefined {
		const point = Buffer.from(publicKey).toString('base64url');
		if (importedByPoint.has(point)) return importedByPoint.get(point);
		if (importedByPoint.size >= IMPORTED_KEYS_MAX) importedByPoint.clear();
		const key = importPoint(publicKey);
		importedByPoint.set(point, key);
		return key;
	}

	return {
		sha256: (bytes) => Promise.resolve(plain(createHash('sha256').update(bytes).digest())),
		hmacSha256: (key, bytes) =>
			Promise.resolve(plain(createHmac('sha256', key).update(bytes).digest())),
		verify(publicKey, message, signature) {
			if (publicKey.length !== PUBLIC_KEY_BYTES || !isLowS(signature))
				return Promise.resolve(false);
			const key = imported(publicKey);
			if (key === undefined) return Promise.resolve(false);
			return Promise.resolve(
				verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature)
			);
		}
	};
}

/** A peer's point may lie off the curve: then there is no key, which is no fault of this machine. */
function importPoint(publicKey: Uint8Array): KeyObject | undefined {
	if (publicKey[0] !== POINT_IS_UNCOMPRESSED) return undefined;
	const x = Buffer.from(publicKey.subarray(1, 1 + COORDINATE_BYTES)).toString('base64url');
	const y = Buffer.from(publicKey.subarray(1 + COORDINATE_BYTES)).toString('base64url');
	try {
		return createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y } });
	} catch {
		return undefined;
	}
}

/** A `Buffer` is compared and serialised otherwise than the bytes it is. */
function plain(buffer: Buffer): Uint8Array {
	return new Uint8Array(buffer);
}
