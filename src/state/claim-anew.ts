import { err, ok, type Result } from '#domain/result.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import { createDexieDeviceStore } from '#storage/device-store.dexie.ts';
import type { AccountApi, ApiRefusal } from './account-api.ts';
import { databaseName, REGISTRY_NAME } from './database-name.ts';
import { writeMeta } from './meta.ts';
import type { Identity } from './identity.ts';
import { mintAnew } from './mint-anew.ts';
import { createRegistry } from './registry.ts';
import { createSigner, createSigningKeys, createWebCrypto } from './web-crypto.ts';

/**
 * Claims what this device wrote under a business that it mints anew, since the one it had is known
 * to the relay as somebody else's. The page must be loaded anew after it.
 */
export async function claimAnew(
	api: Pick<AccountApi, 'claim'>,
	app: { readonly identity: Identity; readonly store: DeviceStore },
	name: string
): Promise<Result<undefined, ApiRefusal>> {
	const minted = await mintAnew({
		old: app.store,
		openBook: (business) => createDexieDeviceStore(databaseName(business)),
		createKeys: createSigningKeys,
		signerOf: createSigner,
		crypto: createWebCrypto(),
		uuid: { v4: () => crypto.randomUUID() }
	});
	const { identity, store, signer } = minted;
	const { business, branch, person } = identity;
	const claimed = await api.claim({ business, branch, person, name }, signer);
	if (!claimed.ok) return err(claimed.error);
	const { member, code } = claimed.value;
	await store.write(['meta'], (rows) =>
		writeMeta(rows, 'identity', { ...identity, member, code, claimed: true })
	);
	store.close();
	const registry = createRegistry(createDexieDeviceStore(REGISTRY_NAME));
	await registry.replace(app.identity.business, business);
	registry.close();
	return ok(undefined);
}
