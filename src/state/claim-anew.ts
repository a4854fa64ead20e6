import type { BusinessId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import type { AccountApi, ApiRefusal } from './account-api.ts';
import { createChanges, type Changes } from './changes.ts';
import { databaseName, REGISTRY_NAME } from './database-name.ts';
import { writeMeta } from './meta.ts';
import type { Identity } from './identity.ts';
import {
	forgetMinted,
	handOver,
	mintAnew,
	type MintAnewParts,
	type MintedBook
} from './mint-anew.ts';
import { BROWSER_PAGE, type PageParts } from './page-parts.ts';
import { createRegistry } from './registry.ts';

interface ClaimingAnew {
	readonly identity: Identity;
	readonly store: DeviceStore;
	readonly changes: Pick<Changes, 'close'>;
}

/**
 * Claims what this device wrote under a business that it mints anew, since the one it had is known
 * to the relay as somebody else's. The page must be loaded anew after it, and other tabs load
 * themselves anew. After a lost answer the same again is the same business.
 */
export async function claimAnew(
	api: Pick<AccountApi, 'claim'>,
	app: ClaimingAnew,
	{ name, page = BROWSER_PAGE }: { readonly name: string; readonly page?: PageParts }
): Promise<Result<undefined, ApiRefusal>> {
	const parts = mintingParts(app.store, page);
	const book = await mintAnew(parts);
	const claimed = await claim(api, book, name);
	if (!claimed.ok) {
		book.store.close();
		// A copy of this very book came first: the next try mints another business.
		if (claimed.error === 'businessKnown') await forgetMinted(app.store);
		return claimed;
	}
	const isOver = await handOver(parts, book);
	book.store.close();
	const registry = createRegistry(page.openStore(REGISTRY_NAME));
	const { business } = book.identity;
	if (isOver) await registry.replace(app.identity.business, business);
	else await registry.enter(business);
	registry.close();
	tellOtherTabs(app);
	return ok(undefined);
}

/**
 * HEIR-12. Hands over to the book of `minted`, which is about to be opened, where another one here was
 * to become it: the relay took its claim, and the page was gone before it heard so.
 */
export async function endMinting(
	page: PageParts,
	{ before, minted }: { readonly before: BusinessId; readonly minted: BusinessId }
): Promise<void> {
	const old = page.openStore(databaseName(before));
	try {
		const parts = mintingParts(old, page);
		const book = await mintAnew(parts);
		const isOver = await handOver(parts, book);
		book.store.close();
		if (!isOver) return;
	} finally {
		old.close();
	}
	const registry = createRegistry(page.openStore(REGISTRY_NAME));
	await registry.replace(before, minted);
	registry.close();
	tellTabs(before);
}

function mintingParts(old: DeviceStore, page: PageParts): MintAnewParts {
	return {
		old,
		openBook: (business) => page.openStore(databaseName(business)),
		createKeys: page.createKeys,
		signerOf: page.signerOf,
		crypto: page.crypto,
		uuid: { v4: page.uuidV4 }
	};
}

async function claim(
	api: Pick<AccountApi, 'claim'>,
	{ identity, store, signer }: MintedBook,
	name: string
): Promise<Result<undefined, ApiRefusal>> {
	const { business, branch, person } = identity;
	const claimed = await api.claim({ business, branch, person, name }, signer);
	if (!claimed.ok) return err(claimed.error);
	const { member, code } = claimed.value;
	await store.write(['meta'], (rows) =>
		writeMeta(rows, 'identity', { ...identity, member, code, claimed: true })
	);
	return ok(undefined);
}

/** This page is taken elsewhere by whoever claimed: it must not load itself anew beside that. */
function tellOtherTabs({ identity, changes }: ClaimingAnew): void {
	changes.close();
	tellTabs(identity.business);
}

function tellTabs(business: BusinessId): void {
	const others = createChanges(new BroadcastChannel(databaseName(business)));
	others.tell(['meta']);
	others.close();
}
