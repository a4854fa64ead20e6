import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, decodeHex, encodeHex, utf8 } from '#domain/bytes.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import {
	bytes,
	crypto as reference,
	right,
	signerOf,
	vectors
} from '#tests/support/confirmation-vectors.ts';

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** What every implementation of the domain's cryptography must answer. */
export function cryptoContract(name: string, crypto: CryptoParts): void {
	describe(`cryptography: ${name}`, () => {
		const shopKey = bytes(vectors.keys.shop.publicKey);
		const message = bytes(vectors.rsig.message);
		const signature = bytes(vectors.rsig.signature);

		it('hashes the example of FIPS 180-4, plain bytes', async () => {
			const hash = await crypto.sha256(utf8('abc'));
			expect(encodeHex(hash)).toBe(
				'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
			);
			expect(Object.getPrototypeOf(hash)).toBe(Uint8Array.prototype);
		});

		it('authenticates example 2 of RFC 4231, and with the empty key', async () => {
			const mac = await crypto.hmacSha256(utf8('Jefe'), utf8('what do ya want for nothing?'));
			expect(encodeHex(mac)).toBe(
				'5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'
			);
			const empty = await crypto.hmacSha256(new Uint8Array(), new Uint8Array());
			expect(encodeHex(empty)).toBe(
				'b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad'
			);
		});

		it('answers as the other implementation for any key and bytes', async () => {
			const some = fc.uint8Array({ maxLength: 100 });
			await fc.assert(
				fc.asyncProperty(some, some, async (key, data) => {
					expect(await crypto.sha256(data)).toEqual(await reference.sha256(data));
					const expected = await reference.hmacSha256(key, data);
					expect(await crypto.hmacSha256(key, data)).toEqual(expected);
				}),
				{ numRuns: 50 }
			);
		});

		it('[CP-9] verifies a signature of low s, and refuses its twin of high s', async () => {
			expect(await crypto.verify(shopKey, message, signature)).toBe(true);
			const s = BigInt(`0x${encodeHex(signature.subarray(32))}`);
			const high = right(decodeHex((ORDER - s).toString(16).padStart(64, '0')));
			const twin = concatBytes(signature.subarray(0, 32), high);
			expect(await crypto.verify(shopKey, message, twin)).toBe(false);
		});

		it('[CP-9] refuses another message, key or signature without failing', async () => {
			const verify = crypto.verify.bind(crypto);
			const otherKey = bytes(vectors.keys.customer.publicKey);
			expect(await verify(otherKey, message, signature)).toBe(false);
			expect(await verify(shopKey, message.subarray(1), signature)).toBe(false);
			expect(await verify(shopKey, message, signature.subarray(1))).toBe(false);
			expect(await verify(shopKey, message, new Uint8Array(64))).toBe(false);
			expect(await verify(shopKey, message, signature.with(3, 0))).toBe(false);
			expect(await verify(shopKey.subarray(1), message, signature)).toBe(false);
			for (let again = 0; again < 2; again += 1) {
				expect(await verify(shopKey.with(64, 0), message, signature)).toBe(false);
				expect(await verify(shopKey.with(0, 2), message, signature)).toBe(false);
			}
		});

		it('verifies with more keys than it remembers', { timeout: 30_000 }, async () => {
			const signer = await signerOf('shop');
			for (let count = 0; count < 5000; count += 1) {
				const key = signer.publicKey.with(1, count & 0xff).with(2, count >> 8);
				await crypto.verify(key, message, signature);
			}
			expect(await crypto.verify(shopKey, message, signature)).toBe(true);
		});
	});
}
