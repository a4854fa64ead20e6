import { expect, it } from 'vitest';
import { cryptoContract } from '#tests/contract/crypto.ts';
import { utf8 } from '#domain/bytes.ts';
import { isLowS } from '#domain/confirmation/low-s.ts';
import { createSigner, createSigningKeys, createWebCrypto } from './web-crypto.ts';

cryptoContract('web', createWebCrypto());

it('[CP-9] makes a key that nobody can read, and signs with a low s each time', async () => {
	const keys = await createSigningKeys();
	await expect(crypto.subtle.exportKey('pkcs8', keys.privateKey)).rejects.toThrow();
	expect([keys.privateKey.extractable, keys.privateKey.usages]).toEqual([false, ['sign']]);

	const signer = await createSigner(keys);
	const web = createWebCrypto();
	expect(signer.kid).toEqual((await web.sha256(signer.publicKey)).slice(0, 8));
	for (let count = 0; count < 40; count += 1) {
		const message = utf8(`record ${String(count)}`);
		const signature = await signer.sign(message);
		expect(isLowS(signature)).toBe(true);
		expect(await web.verify(signer.publicKey, message, signature)).toBe(true);
	}
});

it('tells a broken machine from a wrong key', async () => {
	const broken = {
		importKey: () => Promise.reject(new Error('no memory'))
	} as unknown as SubtleCrypto;
	const { publicKey } = await createSigner(await createSigningKeys());
	await expect(
		createWebCrypto(broken).verify(publicKey, utf8('a'), new Uint8Array(64))
	).rejects.toThrow('the cryptography of this machine failed');
});
