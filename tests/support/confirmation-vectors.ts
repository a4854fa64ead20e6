import { decodeHex, encodeBase64url, encodeHex } from '#domain/bytes.ts';
import type { CryptoParts, Signer } from '#domain/crypto.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { parseRecordHash } from '#domain/confirmation/record-hash.ts';
import { parseRecordId } from '#domain/confirmation/record.ts';
import { parseRest } from '#domain/confirmation/rest.ts';
import type { RecordDraft } from '#domain/confirmation/signed-record.ts';
import { parseBusinessId, parseLedgerId } from '#domain/ids.ts';
import type { Result } from '#domain/result.ts';
import { createSigner, createWebCrypto } from '#state/web-crypto.ts';
import vectors from '#tests/fixtures/confirmation.json' with { type: 'json' };

/** The worked example of every derivation of CP1, and what tests make of it. */
export { vectors };

export const crypto: CryptoParts = createWebCrypto();

const { inputs } = vectors;

export const businessId = right(parseBusinessId(inputs.businessId));
export const ledgerId = right(parseLedgerId(inputs.ledgerId));

/** The record of the example, before it is hashed and signed. */
export const draft: RecordDraft = {
	core: {
		kind: 'due',
		isMadeOffline: true,
		currency: inputs.currency,
		exponent: inputs.exponent,
		amount: inputs.amount,
		occurredAt: inputs.occurredAt,
		businessId,
		ledgerId,
		recordId: right(parseRecordId(inputs.recordId)),
		balanceAfter: inputs.balanceAfter
	},
	rest: right(parseRest(vectors.rest))
};

export const h: RecordHash = hashOf(vectors.H);

export function hashOf(hex: string): RecordHash {
	return right(parseRecordHash(encodeBase64url(bytes(hex))));
}

/** The example's key pair of that name, as a device holds it. */
export async function signerOf(name: keyof typeof vectors.keys): Promise<Signer> {
	const { d, publicKey } = vectors.keys[name];
	const point = bytes(publicKey);
	const jwk = {
		kty: 'EC',
		crv: 'P-256',
		x: encodeBase64url(point.subarray(1, 33)),
		y: encodeBase64url(point.subarray(33))
	};
	const curve = { name: 'ECDSA', namedCurve: 'P-256' };
	const { subtle } = globalThis.crypto;
	return createSigner({
		privateKey: await subtle.importKey(
			'jwk',
			{ ...jwk, d: encodeBase64url(bytes(d)) },
			curve,
			false,
			['sign']
		),
		publicKey: await subtle.importKey('jwk', jwk, curve, true, ['verify'])
	});
}

export function bytes(hex: string): Uint8Array {
	return right(decodeHex(hex));
}

export const hex = encodeHex;

/** The value of what a test knows to be right. */
export function right<T, E>(result: Result<T, E>): T {
	if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.error)}`);
	return result.value;
}
