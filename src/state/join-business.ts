import type { Signer } from '#domain/crypto.ts';
import { encodeBase64url } from '#domain/bytes.ts';
import type { BusinessId, DeviceCode } from '#domain/ids.ts';
import { ok, type Result } from '#domain/result.ts';
import type { Joined } from './account-answers.ts';
import { createAccountApi } from './account-api.ts';
import { mintedOf } from './book-end.ts';
import { endMinting } from './claim-anew.ts';
import { databaseName, REGISTRY_NAME } from './database-name.ts';
import type { Identity } from './identity.ts';
import { readMeta, writeMeta } from './meta.ts';
import { BROWSER_PAGE, type PageParts } from './page-parts.ts';
import { createRegistry, type Registry } from './registry.ts';
import { tokenRefusal, type RelayRefusal } from './relay-http.ts';

/**
 * Makes this device one of a business that others began: a key of its own is made, `ask` proves it
 * to the relay, and what the relay calls the device is kept in a database of that business, which
 * becomes the current one. The page must be loaded anew after it. What the device sold under a
 * business of its own stays in that business's database. JOIN-1: a device whose access was ended there
 * is another one from then on, in a database of its own; what it had not sent goes to the owner.
 * `into`, where it is known before: a device that a restored relay forgot comes back as itself.
 */
export async function joinBusiness<E>(
	ask: Ask<E>,
	page: PageParts = BROWSER_PAGE,
	into?: BusinessId
): Promise<Result<Joined, E>> {
	const back = into === undefined ? undefined : await comeBack(ask, page, into);
	if (back !== undefined) return back;
	const { keys, joined } = await askByNewKey(ask, page);
	if (!joined.ok) return joined;
	const book = await inRegistry(page, (registry) => registry.bookOf(joined.value.business));
	const before = await removedDevice(book, page);
	await keepBook(page, joined.value, { keys, book, before });
	await forgetJoiningKeys(page);
	return ok(joined.value);
}

type Ask<E> = (signer: Signer) => Promise<Result<Joined, E>>;

/**
 * Asks by the key that was made for it. JOIN-1: where that is of a device that joined before, whose answer
 * was lost and whose access was ended since, by one more.
 */
async function askByNewKey<E>(
	ask: Ask<E>,
	page: PageParts
): Promise<{ readonly keys: CryptoKeyPair; readonly joined: Result<Joined, E> }> {
	const keys = await joiningKeys(page);
	const joined = await ask(await page.signerOf(keys));
	if (joined.ok || !Object.is(joined.error, 'deviceRemoved')) return { keys, joined };
	await forgetJoiningKeys(page);
	const others = await joiningKeys(page);
	return { keys: others, joined: await ask(await page.signerOf(others)) };
}

/**
 * JOIN-2, JOIN-3. Asks by the key that this device has in the business. Let in under its code, it goes on
 * in its own book; undefined where it has none there, is let in as it is, or was removed for good.
 */
async function comeBack<E>(
	ask: Ask<E>,
	page: PageParts,
	business: BusinessId
): Promise<Result<Joined, E> | undefined> {
	const isMinted = (await mintedFrom(page, business)) !== undefined;
	const book = await inRegistry(page, async (registry) =>
		isMinted || (await registry.all()).includes(business) ? registry.bookOf(business) : undefined
	);
	const returning = isMinted ? claimingDevice : returningDevice;
	const before = book === undefined ? undefined : await returning(book, page);
	if (book === undefined || before === undefined || before.became !== undefined) return undefined;
	const joined = await ask(await page.signerOf(before.keys));
	if (!joined.ok) return Object.is(joined.error, 'deviceRemoved') ? undefined : joined;
	if (joined.value.code === before.identity.code) await reenter(page, joined.value, book);
	else await keepBook(page, joined.value, { keys: before.keys, book, before });
	return joined;
}

async function reenter(
	page: PageParts,
	{ business, branch, person, member, sight }: Joined,
	book: string
): Promise<void> {
	const store = page.openStore(book);
	await store.write(['meta'], async (rows) => {
		const held = await readMeta(rows, 'identity');
		if (held === undefined) return;
		// The person that it minted is another name of its owner's.
		const now = held.claimed ? { branch, person, member, sight } : { member, claimed: true };
		await writeMeta(rows, 'identity', { ...held, ...now });
		await rows.remove('meta', ['removedAt', 'unknownAt']);
	});
	store.close();
	await enterBook(page, business);
}

interface Keeping {
	readonly keys: CryptoKeyPair;
	/** The book that the business has on this device, or would have. */
	readonly book: string;
	readonly before: HeldDevice | undefined;
}

async function keepBook(
	page: PageParts,
	joined: Joined,
	{ keys, book, before }: Keeping
): Promise<void> {
	const { business } = joined;
	const identity = identityOf(joined, await page.signerOf(keys), before?.identity);
	const heir = before === undefined ? undefined : identity.code;
	const became = before?.became;
	// Who ended it may have been gone before it was entered, and nobody looks into that book from here on.
	if (became !== undefined)
		await inRegistry(page, (registry) => registry.replace(business, became));
	const store = page.openStore(heir === undefined ? book : databaseName(business, heir));
	await store.write(['meta'], async (rows) => {
		// A database that is there already has its own key and numbers: the new code is then unused.
		if ((await readMeta(rows, 'identity')) !== undefined) return;
		await writeMeta(rows, 'keys', keys);
		await writeMeta(rows, 'identity', identity);
		// What ended in another business has left nothing behind.
		if (before !== undefined && became === undefined) await writeMeta(rows, 'leftBehind', book);
	});
	store.close();
	await enterBook(page, business, heir);
}

/** HEIR-12. A book that was to be minted of another has all of that one before it is written in. */
async function enterBook(page: PageParts, business: BusinessId, heir?: DeviceCode): Promise<void> {
	const before = await mintedFrom(page, business);
	// One that was claimed after all keeps what it has, and goes on.
	if (before?.isClaimed === false)
		await endMinting(page, { before: before.business, minted: business });
	await inRegistry(page, (registry) => registry.enter(business, heir));
}

interface MintedFrom {
	readonly business: BusinessId;
	readonly isClaimed: boolean;
}

/** The book that was to become that of `business`, and was not handed over. */
async function mintedFrom(page: PageParts, business: BusinessId): Promise<MintedFrom | undefined> {
	const held = await inRegistry(page, async (registry) => {
		const all = await registry.all();
		return Promise.all(all.map(async (one) => [one, await registry.bookOf(one)] as const));
	});
	for (const [one, name] of held) {
		const store = page.openStore(name);
		const { heir, identity } = await store
			.read(['meta'], async (rows) => ({
				heir: await readMeta(rows, 'heir'),
				identity: await readMeta(rows, 'identity')
			}))
			.finally(() => {
				store.close();
			});
		if (heir?.minted?.business === business && heir.code === undefined)
			return { business: one, isClaimed: identity?.claimed === true };
	}
	return undefined;
}

async function inRegistry<T>(
	page: PageParts,
	work: (registry: Registry) => Promise<T>
): Promise<T> {
	const registry = createRegistry(page.openStore(REGISTRY_NAME));
	try {
		return await work(registry);
	} finally {
		registry.close();
	}
}

interface HeldDevice {
	readonly identity: Identity;
	readonly keys: CryptoKeyPair;
	readonly removedAt?: number | undefined;
	/** The business that the book became that of: nothing is written in it any more. */
	readonly became: BusinessId | undefined;
}

/** The device that has this book, where the relay lets it in no more, or the book is over. */
async function removedDevice(name: string, page: PageParts): Promise<HeldDevice | undefined> {
	const held = await heldDevice(name, page);
	if (held === undefined || held.removedAt !== undefined || held.became !== undefined) return held;
	// It may not have been on the network since then.
	const standing = await standingOf(held, page);
	const isForgotten = standing === 'unknown' && held.identity.claimed;
	return isForgotten || standing === 'refused' ? held : undefined;
}

/** The same, and one that claimed its business and never heard so: its key is known. */
async function returningDevice(name: string, page: PageParts): Promise<HeldDevice | undefined> {
	const held = await heldDevice(name, page);
	if (held === undefined || held.identity.claimed) return removedDevice(name, page);
	return claimingDevice(name, page);
}

async function claimingDevice(name: string, page: PageParts): Promise<HeldDevice | undefined> {
	const held = await heldDevice(name, page);
	if (held === undefined) return undefined;
	// Where the relay is not reached now, it is not reached by who asks to join either.
	return (await standingOf(held, page)) === 'unknown' ? undefined : held;
}

async function heldDevice(name: string, page: PageParts): Promise<HeldDevice | undefined> {
	const store = page.openStore(name);
	try {
		const { identity, keys, ...held } = await store.read(['meta'], async (rows) => ({
			identity: await readMeta(rows, 'identity'),
			keys: await readMeta(rows, 'keys'),
			removedAt: await readMeta(rows, 'removedAt'),
			became: await mintedOf(rows)
		}));
		return identity === undefined || keys === undefined ? undefined : { identity, keys, ...held };
	} finally {
		store.close();
	}
}

async function standingOf(
	{ identity, keys }: HeldDevice,
	page: PageParts
): Promise<'in' | RelayRefusal> {
	const token = await createAccountApi(page).deviceToken(identity, await page.signerOf(keys));
	return token.ok ? 'in' : tokenRefusal(token.error);
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
