import { expect, it } from 'vitest';
import type { DeviceCode } from '#domain/ids.ts';
import { err, ok } from '#domain/result.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import { openTestDevice } from '#tests/support/test-device.ts';
import type { AccountApi } from './account-api.ts';
import { claimAnew } from './claim-anew.ts';
import { createChanges } from './changes.ts';
import { databaseName } from './database-name.ts';
import { deviceWays } from './device-ways.ts';
import { readMeta } from './meta.ts';
import { BROWSER_PAGE, type PageParts } from './page-parts.ts';
import { createRegistry } from './registry.ts';

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
