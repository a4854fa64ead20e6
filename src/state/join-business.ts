import type { Signer } from '#domain/crypto.ts';
import { encodeBase64url } from '#domain/bytes.ts';
import { ok, type Result } from '#domain/result.ts';
import { createDexieDeviceStore } from '#storage/device-store.dexie.ts';
import type { Joined } from './account-answers.ts';
import { REGISTRY_NAME } from './database-name.ts';
import type { Identity } from './identity.ts';
import { readMeta, writeMeta } from './meta.ts';
import { createRegistry } from './registry.ts';
import { createSigner, createSigningKeys } from './web-crypto.ts';

/**
 * Makes this device one of a business that others began: a key of its own is made, `ask` proves it
 * to the relay, and what the relay calls the device is kept in a database of that business, which
 * becomes the current one. The page must be loaded anew after it. What the device sold under a
 * business of its own stays in that business's database.
 */
export async function joinBusiness<E>(
	ask: (signer: Signer) => Promise<Result<Joined, E>>
): Promise<Result<Joined, E>> {
	const keys = await joiningKeys();
	const signer = await createSigner(keys);
	const joined = await ask(signer);
	if (!joined.ok) return joined;

	const { business, branch, person, member, code, sight } = joined.value;
	const publicKey = encodeBase64url(signer.publicKey);
	const identity: Identity = {
		business,
		branch,
		person,
		member,
		code,
		sight,
		publicKey,
		claimed: true
	};
	const registry = createRegistry(createDexieDeviceStore(REGISTRY_NAME));
	const store = createDexieDeviceStore(await registry.bookOf(business));
	await store.write(['meta'], async (rows) => {
		// A database that is there already has its own key and numbers: the new code is then unused.
		if ((await readMeta(rows, 'identity')) !== undefined) return;
		await writeMeta(rows, 'keys', keys);
		await writeMeta(rows, 'identity', identity);
	});
	store.close();

	await registry.enter(business);
	registry.close();
	await forgetJoiningKeys();
	return ok(joined.value);
}

const KEYS_ROW = 'joining';

/** The keys are on disk before the relay hears of them: what answer is lost can be asked for again. */
async function joiningKeys(): Promise<CryptoKeyPair> {
	const fresh = await createSigningKeys();
	const store = createDexieDeviceStore(REGISTRY_NAME);
	const keys = await store.write(['meta'], async (rows) => {
		const held = (await rows.get('meta', KEYS_ROW))?.value;
		if (isKeyPair(held)) return held;
		await rows.put('meta', [{ key: KEYS_ROW, value: fresh }]);
		return fresh;
	});
	store.close();
	return keys;
}

async function forgetJoiningKeys(): Promise<void> {
	const store = createDexieDeviceStore(REGISTRY_NAME);
	await store.write(['meta'], (rows) => rows.remove('meta', [KEYS_ROW]));
	store.close();
}

function isKeyPair(value: unknown): value is CryptoKeyPair {
	return (
		typeof value === 'object' && value !== null && 'privateKey' in value && 'publicKey' in value
	);
}
