import { assert } from '../assert.ts';
import { concatBytes, decodeHex, encodeHex } from '../bytes.ts';
import { SIGNATURE_BYTES } from '../crypto.ts';

/** The number of points on P-256 (FIPS 186-5). For each signature (r, s) there is a twin (r, n − s). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const HALF = SIGNATURE_BYTES / 2;

/** Whether `signature` (r || s) is the one of its two twins that counts. False for another length. */
export function isLowS(signature: Uint8Array): boolean {
	return signature.length === SIGNATURE_BYTES && sOf(signature) <= ORDER / 2n;
}

/** The twin that counts: what a signer hands out. About half of WebCrypto's signatures need it. */
export function toLowS(signature: Uint8Array): Uint8Array {
	assert(signature.length === SIGNATURE_BYTES, 'a signature has 64 bytes');
	if (isLowS(signature)) return signature;
	const s = decodeHex((ORDER - sOf(signature)).toString(16).padStart(2 * HALF, '0'));
	assert(s.ok, 'a number is written in hex');
	return concatBytes(signature.subarray(0, HALF), s.value);
}

function sOf(signature: Uint8Array): bigint {
	return BigInt(`0x${encodeHex(signature.subarray(HALF))}`);
}
