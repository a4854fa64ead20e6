import type { Signer } from '#domain/crypto.ts';
import { encodeBase64url } from '#domain/bytes.ts';
import { ok, type Result } from '#domain/result.ts';
import type { Joined } from './account-answers.ts';
import { createAccountApi } from './account-api.ts';
import { databaseName, REGISTRY_NAME } from './database-name.ts';
import type { Identity } from './identity.ts';
import { readMeta, writeMeta } from './meta.ts';
import { BROWSER_PAGE, type PageParts } from './page-parts.ts';
import { createRegistry } from './registry.ts';
import { tokenRefusal } from './relay-http.ts';

/**
 * Makes this device one of a business that others began: a key of its own is made, `ask` proves it
 * to the relay, and what the relay calls the device is kept in a database of that business, which
 * becomes the current one. The page must be loaded anew after it. What the device sold under a
 * business of its own stays in that business's database. JOIN-1: a device whose access was ended there
 * is another one from then on, in a database of its own; what it had not sent goes to the owner.
 */
export async function joinBusiness<E>(
	ask: (signer: Signer) => Promise<Result<Joined, E>>,
	page: PageParts = BROWSER_PAGE
): Promise<Result<Joined, E>> {
	const keys = await joiningKeys(page);
	const signer = await page.signerOf(keys);
	const joined = await ask(signer);
	if (!joined.ok) return joined;

	const { business } = joined.value;
	const registry = createRegistry(page.openStore(REGISTRY_NAME));
	const book = await registry.bookOf(business);
	const before = await removedDevice(book, page);
	const identity = identityOf(joined.value, signer, before);
	const heir = before === undefined ? undefined : identity.code;
	const name = heir === undefined ? book : databaseName(business, heir);
	const store = page.openStore(name);
	await store.write(['meta'], async (rows) => {
		// A database that is there already has its own key and numbers: the new code is then unused.
		if ((await readMeta(rows, 'identity')) !== undefined) return;
		await writeMeta(rows, 'keys', keys);
		await writeMeta(rows, 'identity', identity);
		if (heir !== undefined) await writeMeta(rows, 'leftBehind', book);
	});
	store.close();

	await registry.enter(business, heir);
	registry.close();
	await forgetJoiningKeys(page);
	return ok(joined.value);
}

/** The device that has this book, where the relay lets it in no more. */
async function removedDevice(name: string, page: PageParts): Promise<Identity | undefined> {
	const store = page.openStore(name);
	try {
		const { identity, keys, removedAt } = await store.read(['meta'], async (rows) => ({
			identity: await readMeta(rows, 'identity'),
			keys: await readMeta(rows, 'keys'),
			removedAt: await readMeta(rows, 'removedAt')
		}));
		if (identity?.claimed !== true || keys === undefined) return undefined;
		if (removedAt !== undefined) return identity;
		// It may not have been on the network since then.
		const token = await createAccountApi(page).deviceToken(identity, await page.signerOf(keys));
		const isOut = !token.ok && tokenRefusal(token.error) === 'refused';
		return isOut ? identity : undefined;
	} finally {
		store.close();
	}
}

function identityOf(joined: Joined, signer: Signer, before: Identity | undefined): Identity {
	const { business, branch, person, member, code, sight } = joined;
	return {
		...{ business, branch, person, member, code, sight },
		publicKey: encodeBase64url(signer.publicKey),
		claimed: true,
		...(before !== undefined && { heirOf: before.code })
	};
}

const KEYS_ROW = 'joining';

/** The keys are on disk before the relay hears of them: what answer is lost can be asked for again. */
async function joiningKeys(page: PageParts): Promise<CryptoKeyPair> {
	const fresh = await page.createKeys();
	const store = page.openStore(REGISTRY_NAME);
	const keys = await store.write(['meta'], async (rows) => {
		const held = (await rows.get('meta', KEYS_ROW))?.value;
		if (isKeyPair(held)) return held;
		await rows.put('meta', [{ key: KEYS_ROW, value: fresh }]);
		return fresh;
	});
	store.close();
	return keys;
}

async function forgetJoiningKeys(page: PageParts): Promise<void> {
	const store = page.openStore(REGISTRY_NAME);
	await store.write(['meta'], (rows) => rows.remove('meta', [KEYS_ROW]));
	store.close();
}

function isKeyPair(value: unknown): value is CryptoKeyPair {
	return (
		typeof value === 'object' && value !== null && 'privateKey' in value && 'publicKey' in value
	);
}
