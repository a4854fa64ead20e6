import { expect, it } from 'vitest';
import type { DeviceCode } from '#domain/ids.ts';
import { err, ok } from '#domain/result.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import { foldedNumbers, storedNumbers } from '#tests/support/shop-numbers.ts';
import { openTestDevice, type TestDevice } from '#tests/support/test-device.ts';
import { readJoined, type Joined } from './account-answers.ts';
import type { AccountApi } from './account-api.ts';
import { claimAnew } from './claim-anew.ts';
import { createChanges } from './changes.ts';
import { databaseName, REGISTRY_NAME } from './database-name.ts';
import { deviceWays } from './device-ways.ts';
import { heirToBe } from './heir.ts';
import type { Identity } from './identity.ts';
import { joinBusiness } from './join-business.ts';
import { readMeta, writeMeta } from './meta.ts';
import { BROWSER_PAGE, type PageParts } from './page-parts.ts';
import { createRegistry } from './registry.ts';
import { createSigningKeys } from './web-crypto.ts';

it('[HEIR-12] asks for one business until it is answered, and takes every tab over into it', async () => {
	const test = await openTestDevice({ seed: 5, currency: 'KES' });
	const { identity } = test.device;
	const books = new Map<string, DeviceStore>();
	const page: PageParts = {
		...BROWSER_PAGE,
		openStore: (name) => {
			const store = books.get(name) ?? createMemoryDeviceStore();
			books.set(name, store);
			return { ...store, close: () => undefined };
		}
	};
	const registry = createRegistry(page.openStore('daftar'));
	await registry.begin(identity.business);
	const asked: string[] = [];
	const api: Pick<AccountApi, 'claim'> = {
		claim: ({ business }) => {
			asked.push(business);
			if (asked.length < 3)
				return Promise.resolve(err(asked.length === 1 ? 'businessKnown' : 'unreachable'));
			return Promise.resolve(ok({ epoch: 1, member: 3, code: 'F' as DeviceCode }));
		}
	};
	const channel = databaseName(identity.business);
	const changes = createChanges(new BroadcastChannel(channel));
	const heardHere: unknown[] = [];
	changes.on((tables) => heardHere.push(tables));
	const app = { identity, store: test.store, changes };
	const heard = new BroadcastChannel(channel);
	const told = new Promise<unknown>((resolve) => {
		heard.onmessage = ({ data }): void => {
			resolve(data);
		};
	});
	// A copy of it was first with the first one; the answer of the second was lost.
	expect(await claimAnew(api, app, { name: 'Tea', page })).toEqual(err('businessKnown'));
	expect(await claimAnew(api, app, { name: 'Tea', page })).toEqual(err('unreachable'));
	expect(await registry.current()).toBe(identity.business);
	expect(await claimAnew(api, app, { name: 'Tea', page })).toEqual(ok(undefined));
	expect(await told).toEqual(['meta']);
	heard.close();
	// This page is on its way elsewhere, and loads nothing anew.
	expect(heardHere).toEqual([]);
	expect(asked[1]).not.toBe(asked[0]);
	expect(asked[2]).toBe(asked[1]);

	const minted = await registry.current();
	expect(minted).toBe(asked[2]);
	expect(await registry.all()).toEqual([minted]);
	const store = books.get(`daftar-${String(minted)}`);
	const claimed = await store?.read(['meta'], (rows) => readMeta(rows, 'identity'));
	expect(claimed).toMatchObject({ business: minted, claimed: true, member: 3, code: 'F' });

	// Another tab that comes late with it changes nothing.
	await registry.enter(identity.business);
	await registry.replace(identity.business, asked[2] as typeof identity.business);
	const { signer } = test.parts;
	const ways = deviceWays({ ...test.parts, device: test.device, signer, clock: () => 0, page });
	await ways.enter('A');
	expect(await registry.all()).toEqual([minted]);
});

it('[HEIR-12] what is sold while the relay is asked goes along, and nothing is sold behind it', async () => {
	const test = await openTestDevice({ seed: 6, currency: 'KES' });
	const { identity } = test.device;
	const sale = {
		lines: [{ name: '', quantityThousandths: 1_000, unitPriceMinor: 700 }],
		tenders: [{ kind: 'cash' as const, minor: 700 }]
	};
	const books = new Map<string, DeviceStore>();
	let open = 0;
	const page: PageParts = {
		...BROWSER_PAGE,
		openStore: (name) => {
			const store = books.get(name) ?? createMemoryDeviceStore();
			books.set(name, store);
			open += 1;
			return {
				...store,
				close: () => {
					open -= 1;
				}
			};
		}
	};
	let isRefused = true;
	const asked: string[] = [];
	const api: Pick<AccountApi, 'claim'> = {
		claim: async ({ business }) => {
			asked.push(business);
			if (isRefused) return err('unreachable');
			expect((await test.device.sell(sale)).ok).toBe(true);
			return ok({ epoch: 1, member: 1, code: identity.code });
		}
	};
	const app = { identity, store: test.store, changes: createChanges() };
	expect(await claimAnew(api, app, { name: 'Tea', page })).toEqual(err('unreachable'));
	isRefused = false;
	expect(await claimAnew(api, app, { name: 'Tea', page })).toEqual(ok(undefined));
	const store = books.get(`daftar-${String(asked[1])}`);
	if (store === undefined) throw new Error('no other book');
	const [before, after] = await Promise.all(
		[test.store, store].map((one) => one.read(['journal'], (rows) => rows.all('journal')))
	);
	expect(before?.length).toBeGreaterThan(0);
	expect(after?.map(({ id }) => id)).toEqual(before?.map(({ id }) => id));
	await expect(test.device.sell(sale)).rejects.toThrow('this book goes on in another one');
	// What stays open would hold up its removal.
	expect(open).toBe(0);
});

type Claim = Pick<AccountApi, 'claim'>;
type Asked = Parameters<AccountApi['claim']>[0];

const YES = ok({ epoch: 1, member: 1, code: 'A' as DeviceCode });

interface Machine {
	readonly test: TestDevice;
	readonly page: PageParts;
	readonly books: ReadonlyMap<string, DeviceStore>;
	readonly current: () => Promise<string | undefined>;
	readonly all: () => Promise<readonly string[]>;
	readonly bookOf: (business: Identity['business']) => Promise<string>;
	readonly claimHere: (api: Claim) => ReturnType<typeof claimAnew>;
}

/** A browser in memory whose book another shop has; the relay lets every key in. */
async function machine(): Promise<Machine> {
	const test = await openTestDevice({ seed: 7, currency: 'KES' });
	const { identity } = test.device;
	const books = new Map([[databaseName(identity.business), test.store]]);
	const page: PageParts = {
		...BROWSER_PAGE,
		openStore: (name) => {
			const store = books.get(name) ?? createMemoryDeviceStore();
			books.set(name, store);
			return { ...store, close: () => undefined };
		},
		fetch: (address) => {
			const isFirst = typeof address === 'string' && address.endsWith('/nonce');
			const answer = isFirst ? { nonce: 'A'.repeat(43) } : { token: 'abc', expiresAt: 5 };
			return Promise.resolve(Response.json(answer));
		},
		base: 'http://relay.test'
	};
	const registry = createRegistry(page.openStore('daftar'));
	await registry.begin(identity.business);
	const app = { identity, store: test.store };
	return {
		...{ test, page, books },
		current: () => registry.current(),
		all: () => registry.all(),
		bookOf: (business) => registry.bookOf(business),
		claimHere: (api) => claimAnew(api, { ...app, changes: createChanges() }, { name: 'Tea', page })
	};
}

/** A relay that took the claim; its answer never came. */
function silentRelay(): Claim & { readonly asked: Asked[] } {
	const asked: Asked[] = [];
	return {
		asked,
		claim: (form) => {
			asked.push(form);
			return Promise.resolve(err('unreachable'));
		}
	};
}

function joinedAs({ business, branch, person }: Asked): Joined {
	const ids = { business, branch, person };
	const read = readJoined({ ...ids, member: 1, code: 'A', sight: 'office', epoch: 1, name: 'Tea' });
	if (!read.ok) throw new Error('not joined');
	return read.value;
}

async function sell(device: TestDevice['device'], minor: number): Promise<void> {
	const sold = await device.sell({
		lines: [{ name: '', quantityThousandths: 1_000, unitPriceMinor: minor }],
		tenders: [{ kind: 'cash', minor }]
	});
	expect(sold.ok).toBe(true);
}

async function salesIn(store: DeviceStore): Promise<readonly bigint[]> {
	const rows = await store.read(['journal'], (read) => read.all('journal'));
	return rows.map(({ minor }) => minor).filter((minor) => minor > 0n);
}

async function openIn({ books }: Machine, business: string, seed: number): Promise<TestDevice> {
	const store = books.get(`daftar-${business}`);
	if (store === undefined) throw new Error('no such book');
	return openTestDevice({ seed, store });
}

it('[HEIR-12] what was sold in the old book until its heir is opened goes along, and nothing behind it', async () => {
	const here = await machine();
	const { test, page } = here;
	await sell(test.device, 100);
	const relay = silentRelay();
	expect(await here.claimHere(relay)).toEqual(err('unreachable'));
	// The page was loaded anew in the old book; its shop is opened from the account's list.
	await sell(test.device, 200);
	const [asked] = relay.asked;
	if (asked === undefined) throw new Error('nothing was claimed');
	const { business } = asked;
	const joined = await joinBusiness(() => Promise.resolve(ok(joinedAs(asked))), page, business);
	expect(joined.ok).toBe(true);
	expect(await here.current()).toBe(business);
	const minted = await openIn(here, business, 8);
	expect(minted.device.identity.claimed).toBe(true);
	expect(await salesIn(minted.store)).toEqual([100n, 200n]);
	expect(await storedNumbers(minted.store)).toEqual(await foldedNumbers(minted.store));
	await expect(sell(test.device, 300)).rejects.toThrow('this book goes on in another one');
	await sell(minted.device, 400);
	expect(await salesIn(minted.store)).toEqual([100n, 200n, 400n]);
});

it('[HEIR-12] a tab that hears of its claim late leaves what the new book has since', async () => {
	const here = await machine();
	await sell(here.test.device, 100);
	let business: Identity['business'] | undefined;
	const claimed = await here.claimHere({
		claim: async (form) => {
			({ business } = form);
			// In another tab, which is loaded anew in the new book.
			expect(await here.claimHere({ claim: () => Promise.resolve(YES) })).toEqual(ok(undefined));
			await sell((await openIn(here, business, 8)).device, 200);
			return YES;
		}
	});
	expect(claimed).toEqual(ok(undefined));
	if (business === undefined) throw new Error('nothing was claimed');
	const minted = await openIn(here, business, 9);
	const { sequence } = await minted.store.read(['meta'], async (rows) => ({
		sequence: await readMeta(rows, 'sequence')
	}));
	expect(sequence).toEqual({ n: 3, receipt: 2 });
	await sell(minted.device, 300);
	expect(await salesIn(minted.store)).toEqual([100n, 200n, 300n]);
});

it('[HEIR-12] a book that was claimed after all goes on beside the one that it was to become', async () => {
	const here = await machine();
	const { test, page } = here;
	await sell(test.device, 100);
	const relay = silentRelay();
	expect(await here.claimHere(relay)).toEqual(err('unreachable'));
	const [asked] = relay.asked;
	if (asked === undefined) throw new Error('nothing was claimed');
	const open = async (as: Asked): Promise<void> => {
		const joined = await joinBusiness(() => Promise.resolve(ok(joinedAs(as))), page, as.business);
		expect(joined.ok).toBe(true);
		expect(await here.current()).toBe(as.business);
	};
	// It was its owner’s other account that had it.
	const keys = await createSigningKeys();
	await test.store.write(['meta'], (rows) => writeMeta(rows, 'keys', keys));
	await open({ ...asked, ...test.device.identity });
	await open(asked);
	const minted = await openIn(here, asked.business, 8);
	expect(minted.device.identity.claimed).toBe(true);
	expect(await salesIn(minted.store)).toEqual([100n]);
	const first = await openIn(here, test.device.identity.business, 9);
	expect(first.device.identity.claimed).toBe(true);
	await sell(first.device, 200);
	expect(await salesIn(first.store)).toEqual([100n, 200n]);
	// The keys of that one are no heir's of this one.
	const toBe = await heirToBe({ old: first.store, createKeys: createSigningKeys });
	expect(toBe.minted).toBeUndefined();
	expect(await heirToBe({ old: first.store, createKeys: createSigningKeys })).toEqual(toBe);
});

it('[HEIR-12] a book that is claimed after all while its heir is being claimed does not end', async () => {
	const here = await machine();
	const { test, page } = here;
	await sell(test.device, 100);
	const keys = await createSigningKeys();
	await test.store.write(['meta'], (rows) => writeMeta(rows, 'keys', keys));
	let business: Identity['business'] | undefined;
	const claimed = await here.claimHere({
		claim: async (form) => {
			({ business } = form);
			// This tab sleeps over the answer; in another one its other owner opens his shop.
			const asked = joinedAs({ ...form, ...test.device.identity });
			const opened = await joinBusiness(() => Promise.resolve(ok(asked)), page, asked.business);
			expect(opened.ok).toBe(true);
			return YES;
		}
	});
	expect(claimed).toEqual(ok(undefined));
	if (business === undefined) throw new Error('nothing was claimed');
	expect(await here.current()).toBe(business);
	expect(await salesIn((await openIn(here, business, 8)).store)).toEqual([100n]);
	const first = await openIn(here, test.device.identity.business, 9);
	expect(first.device.identity.claimed).toBe(true);
	await sell(first.device, 200);
	expect(await salesIn(first.store)).toEqual([100n, 200n]);
	expect(await here.all()).toEqual([test.device.identity.business, business]);
});

it('[HEIR-12] who joins the business of a book that ended gets a book of his own', async () => {
	const here = await machine();
	const { test, page, books } = here;
	const { business } = test.device.identity;
	await sell(test.device, 100);
	const keys = await createSigningKeys();
	await test.store.write(['meta'], (rows) => writeMeta(rows, 'keys', keys));
	expect(await here.claimHere({ claim: () => Promise.resolve(YES) })).toEqual(ok(undefined));
	// Whose shop it is invites this device.
	const asked = { ...joinedAs({ ...test.device.identity, name: 'Tea' }), code: 'C' as DeviceCode };
	const opened = await joinBusiness(() => Promise.resolve(ok(asked)), page, business);
	expect(opened.ok).toBe(true);
	expect(await here.current()).toBe(business);
	const store = books.get(await here.bookOf(business));
	if (store === undefined) throw new Error('no such book');
	const joined = await openTestDevice({ seed: 8, store });
	expect(joined.device.identity).toMatchObject({ business, code: 'C', claimed: true });
	await sell(joined.device, 200);
	expect(await salesIn(joined.store)).toEqual([200n]);
	expect(await joined.store.read(['meta'], (rows) => readMeta(rows, 'leftBehind'))).toBeUndefined();
	// A tab of the book that ended, which wakes late, takes nobody out of it.
	const { signer } = test.parts;
	const ways = deviceWays({ ...test.parts, device: test.device, signer, clock: () => 0, page });
	await ways.enter('A');
	expect(await here.current()).toBe(business);
	expect(await here.all()).toContain(business);
});

it('[HEIR-12] what that book became stays on the device, though the page was gone before it was entered', async () => {
	const here = await machine();
	const { test, page } = here;
	const { identity } = test.device;
	await sell(test.device, 100);
	const keys = await createSigningKeys();
	await test.store.write(['meta'], (rows) => writeMeta(rows, 'keys', keys));
	const openStore: PageParts['openStore'] = (name) => {
		if (name === REGISTRY_NAME) throw new Error('killed');
		return page.openStore(name);
	};
	let minted: Identity['business'] | undefined;
	const api: Claim = {
		claim: ({ business }) => {
			minted = business;
			return Promise.resolve(YES);
		}
	};
	const app = { identity, store: test.store, changes: createChanges() };
	const killed = { name: 'Tea', page: { ...page, openStore } };
	await expect(claimAnew(api, app, killed)).rejects.toThrow('killed');
	const asked = { ...joinedAs({ ...identity, name: 'Tea' }), code: 'C' as DeviceCode };
	const { business } = identity;
	expect((await joinBusiness(() => Promise.resolve(ok(asked)), page, business)).ok).toBe(true);
	expect(await here.current()).toBe(business);
	if (minted === undefined) throw new Error('nothing was claimed');
	expect(await here.all()).toEqual([minted, business]);
	expect(await salesIn((await openIn(here, minted, 8)).store)).toEqual([100n]);
});
