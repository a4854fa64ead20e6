import { afterEach, expect, it, vi } from 'vitest';
import type { LedgerId } from '#domain/ids.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import { storageFull, type DeviceStore } from '#storage/device-store.ts';
import { openTestDevice, type TestDevice } from '#tests/support/test-device.ts';
import { App } from './app.svelte.ts';
import { openDevice } from './device.ts';
import { readMeta, writeMeta } from './meta.ts';
import { pruneDaily, SALES_KEPT_DAYS } from './prune.ts';
import type { TabLead, TabRole } from './tab-lead.ts';
import { Till } from './till.svelte.ts';

/** A store whose disk can be filled. */
function fillable(): { readonly store: DeviceStore; readonly disk: { isFull: boolean } } {
	const inner = createMemoryDeviceStore();
	const disk = { isFull: false };
	const store: DeviceStore = {
		...inner,
		write: (tables, work) =>
			disk.isFull ? Promise.reject(storageFull('no room')) : inner.write(tables, work)
	};
	return { store, disk };
}

async function shop(store: DeviceStore, shelf = new Map<string, string>()): Promise<App> {
	return openShop(await openTestDevice({ seed: 7, store, currency: 'KES' }), shelf);
}

async function openShop(
	{ device, book, store, parts }: TestDevice,
	shelf = new Map<string, string>()
): Promise<App> {
	const app = new App({
		device,
		book,
		store,
		changes: parts.changes,
		signer: parts.signer,
		clock: parts.clock,
		shelf: {
			getItem: (key) => shelf.get(key) ?? null,
			setItem: (key, value) => shelf.set(key, value)
		}
	});
	await app.begin();
	return app;
}

const DAY_MS = 86_400_000;

afterEach(() => {
	vi.useRealTimers();
	vi.unstubAllGlobals();
});

const BREAD = { id: 'A-2', name: 'Bread', price: 6_500 };

it('[TILL-3] sells what stands in the cart, and empties it when it is saved', async () => {
	const app = await shop(fillable().store);
	app.till.add(BREAD);
	app.till.add(BREAD);
	app.till.addAmount(25_000, 'Airtime');
	expect([app.till.totalMinor, app.till.pieces, app.till.lines.length]).toEqual([38_000, 3, 2]);

	const sold = await app.till.takeCash(50_000);
	expect(sold?.ok).toBe(true);
	expect(app.till.finished).toMatchObject({
		receipt: 'A-000001',
		totalMinor: 38_000,
		changeMinor: 12_000
	});
	expect([app.till.lines, app.till.totalMinor]).toEqual([[], 0]);
	expect((await app.book.dayTotals(app.today())).cashInMinor).toBe(38_000n);
});

it('[TILL-3] does nothing on a second tap while a sale is being written', async () => {
	const app = await shop(fillable().store);
	app.till.add(BREAD);
	const [first, second] = await Promise.all([app.till.takeCash(6_500), app.till.takeCash(6_500)]);
	expect([first?.ok, second]).toEqual([true, undefined]);
	expect((await app.book.recentReceipts(10)).length).toBe(1);
});

it('[TILL-3] sells a cart once, though the phone dies in the moment when the sale is saved', async () => {
	const inner = createMemoryDeviceStore();
	let isSaving = false;
	let isDead = false;
	const dies: DeviceStore = {
		...inner,
		write: async (tables, work) => {
			if (isDead) return new Promise(() => undefined);
			isDead = isSaving;
			return inner.write(tables, work);
		}
	};
	const before = await shop(dies);
	before.till.add(BREAD);
	isSaving = true;
	await before.till.takeCash(6_500);
	expect(isDead).toBe(true);

	const after = await shop(inner);
	expect((await after.book.recentReceipts(10)).length).toBe(1);
	expect(after.till.lines).toEqual([]);
});

it('[TILL-3] what is rung up while a sale is being written stands in the next cart, and nothing of the sale does', async () => {
	const inner = createMemoryDeviceStore();
	let onWritten = (): void => undefined;
	const slow: DeviceStore = {
		...inner,
		write: async (tables, work) => {
			const done = await inner.write(tables, work);
			if (tables.includes('journal')) onWritten();
			return done;
		}
	};
	const app = await shop(slow);
	app.till.add(BREAD);
	onWritten = () => {
		app.till.addAmount(25_000, 'Airtime');
	};
	const selling = app.till.takeCash(6_500);
	app.till.add(BREAD);
	expect((await selling)?.ok).toBe(true);
	const names = ({ till }: App): readonly unknown[] =>
		till.lines.map(({ name, quantityThousandths }) => [name, quantityThousandths]);
	const left = [
		['Bread', 1_000],
		['Airtime', 1_000]
	];
	expect([app.till.finished?.totalMinor, names(app)]).toEqual([6_500, left]);
	expect(names(await shop(inner))).toEqual(left);
});

it('[TILL-3] a line that is put in the place of one being sold stands in the next cart', async () => {
	const app = await shop(fillable().store);
	app.till.add(BREAD);
	const selling = app.till.takeCash(6_500);
	app.till.remove(1);
	app.till.addAmount(25_000, 'Airtime');
	expect((await selling)?.ok).toBe(true);
	expect(app.till.lines.map(({ name }) => name)).toEqual(['Airtime']);
});

it('[TILL-3] a sale that is taken back while the next is being written keeps nothing of that in the cart', async () => {
	const app = await shop(fillable().store);
	app.till.addAmount(25_000, 'Airtime');
	await app.till.takeCash(25_000);
	const undoing = app.till.undo();
	app.till.add(BREAD);
	const selling = app.till.takeCash(6_500);
	expect([(await undoing)?.ok, (await selling)?.ok]).toEqual([true, true]);
	expect(app.till.lines.map(({ name }) => name)).toEqual(['Airtime']);
	expect(app.till.finished?.totalMinor).toBe(6_500);
});

it('[TILL-7] what was emptied comes back beside what was rung up since, and nothing that was sold', async () => {
	const app = await shop(fillable().store);
	const names = (): readonly string[] => app.till.lines.map(({ name }) => name);
	app.till.add(BREAD);
	const putBack = app.till.clear();
	app.till.addAmount(25_000, 'Airtime');
	putBack();
	expect(names()).toEqual(['Bread', 'Airtime']);
	expect(new Set(app.till.lines.map(({ key }) => key)).size).toBe(2);

	const selling = app.till.takeCash(31_500);
	app.till.addAmount(100, 'Sweets');
	const putSinceBack = app.till.clear();
	expect((await selling)?.ok).toBe(true);
	putSinceBack();
	putSinceBack();
	expect(names()).toEqual(['Sweets']);

	const sellingSweets = app.till.takeCash(100);
	app.till.clear()();
	expect(names()).toEqual(['Sweets']);
	expect((await sellingSweets)?.ok).toBe(true);
	expect(names()).toEqual([]);
});

it('[TILL-3] what is rung up while a sale is refused stays in the cart', async () => {
	const { store } = fillable();
	const app = await shop(store);
	app.till.add(BREAD);
	const selling = app.till.takeCash(5_000);
	app.till.add(BREAD);
	expect((await selling)?.ok).toBe(false);
	expect(app.till.pieces).toBe(2);
	expect((await shop(store)).till.pieces).toBe(2);
});

it('[TILL-3] keeps a cart that cannot be sold, and says why', async () => {
	const app = await shop(fillable().store);
	app.till.add(BREAD);
	expect(await app.till.takeCash(5_000)).toEqual({
		ok: false,
		error: { kind: 'shortfall', missingMinor: 1_500 }
	});
	const nobody = { ledger: '11111111-2222-4333-8444-555555555555' as LedgerId, name: 'Nobody' };
	expect(await app.till.putOnAccount(nobody)).toMatchObject({ error: { kind: 'unknownCustomer' } });
	expect([app.till.lines.length, app.till.finished]).toEqual([1, undefined]);
});

it('[TILL-4] finds the open cart again after a reload', async () => {
	const { store } = fillable();
	const before = await shop(store);
	before.till.add(BREAD);
	before.till.setQuantity(1, 2_500);
	before.till.addAmount(100, '');
	await Promise.resolve();
	const after = await shop(store);
	expect(after.till.lines).toEqual(before.till.lines);
	expect(after.till.totalMinor).toBe(16_350);
});

it('[TILL-5] keeps the cart when the disk is full, says so, and sells once there is room', async () => {
	const { store, disk } = fillable();
	const app = await shop(store);
	app.till.add(BREAD);
	disk.isFull = true;
	await expect(app.till.takeCash(6_500)).rejects.toMatchObject({ name: 'StorageFull' });
	expect([app.isStorageFull, app.till.isSelling, app.till.lines.length]).toEqual([true, false, 1]);
	app.till.add(BREAD);
	expect(app.till.totalMinor).toBe(13_000);

	disk.isFull = false;
	expect((await app.till.takeCash(13_000))?.ok).toBe(true);
	expect([app.isStorageFull, app.till.lines.length]).toEqual([false, 0]);
});

it('[TILL-6] takes the last sale back by a return, and puts its lines into the cart', async () => {
	const app = await shop(fillable().store);
	const added = await app.device.addCustomer({ name: 'Amina' });
	if (!added.ok) throw new Error('Amina was refused');
	app.till.add(BREAD);
	const { lines } = app.till;
	await app.till.putOnAccount({ ledger: added.value, name: 'Amina' });
	expect((await app.book.customer(added.value))?.totalMinor).toBe(6_500n);

	expect((await app.till.undo())?.ok).toBe(true);
	expect((await app.book.customer(added.value))?.totalMinor).toBe(0n);
	expect([app.till.lines, app.till.finished]).toEqual([lines, undefined]);
	expect(await app.till.undo()).toBeUndefined();
});

it('[TILL-1] [FIRST-9] remembers what is sold often for the next start, or until nobody looks', async () => {
	const shelf = new Map<string, string>();
	const { store } = fillable();
	const app = await shop(store, shelf);
	for (const id of ['A-2', 'A-3', 'A-3']) {
		app.till.add({ id, name: id, price: 100 });
		await app.till.takeCash(100);
	}
	await app.countOften();
	expect(app.often).toEqual([]);
	expect((await shop(store, shelf)).often).toEqual(['A-3', 'A-2']);
	await app.orderTiles();
	expect(app.often).toEqual(['A-3', 'A-2']);
});

it('[FIRST-5] begins with the tiles by name where nothing more is kept, or what was cannot be read', async () => {
	const shelf = new Map<string, string>();
	const app = await shop(createMemoryDeviceStore(), shelf);
	vi.spyOn(shelf, 'set').mockImplementation(() => {
		throw new DOMException('no room', 'QuotaExceededError');
	});
	await app.orderTiles();
	app.keepCategories(['Dairy']);
	expect(app.often).toEqual([]);
	expect(app.fault).toBeUndefined();

	const spoilt = { get: () => '{"', set: vi.fn() } as unknown as Map<string, string>;
	expect(await shop(createMemoryDeviceStore(), spoilt)).toMatchObject({
		often: [],
		categories: []
	});
});

it('[LEAD-4] shows the kept cart when it gets the lead, and keeps none while another tab has it', async () => {
	const { store } = fillable();
	const first = await shop(store);
	first.till.add(BREAD);
	await Promise.resolve();
	const second = await shop(store);
	expect(second.till.lines.length).toBe(1);
	const { lead, become } = turnableLead();
	second.follow(lead);
	become('reader');
	second.till.add(BREAD);
	await first.till.takeCash(6_500);
	become('leader');
	await vi.waitFor(() => {
		expect(second.till.lines).toEqual([]);
	});
	expect((await shop(store)).till.lines).toEqual([]);
});

it('[LEAD-4] sells nothing while another tab leads, nor before it shows the kept cart', async () => {
	const { store } = fillable();
	const first = await shop(store);
	first.till.add(BREAD);
	await Promise.resolve();
	const second = await shop(store);
	const { lead, become } = turnableLead();
	second.follow(lead);
	become('reader');
	expect(await second.till.takeCash(6_500)).toBeUndefined();
	await first.till.takeCash(6_500);
	become('leader');
	expect(await second.till.takeCash(6_500)).toBeUndefined();
	await vi.waitFor(() => {
		expect([second.isReadOnly, second.till.lines]).toEqual([false, []]);
	});
	expect((await second.book.recentReceipts(10)).length).toBe(1);
	second.till.add(BREAD);
	expect((await second.till.takeCash(6_500))?.ok).toBe(true);
});

it.each([
	{ who: 'the one that slept', order: ['slept', 'shown'] as const },
	{ who: 'the one that was shown it then', order: ['shown', 'slept'] as const }
])('[LEAD-4] what two tabs show of a cart is sold once, by $who', async ({ order }) => {
	const { store } = fillable();
	const slept = await shop(store);
	slept.till.add(BREAD);
	await Promise.resolve();
	const shown = await shop(store);
	// Of two that are rung up and one that both show, the one is sold with the first tab's.
	shown.till.addAmount(25_000, 'Airtime');
	const tabs = order.map((name) => ({ slept, shown })[name]);
	const [first, second] = tabs;
	expect((await first?.till.takeCash(50_000))?.ok).toBe(true);
	const { fact } = first?.till.finished ?? {};
	expect(await second?.till.takeCash(50_000)).toEqual({
		ok: false,
		error: { kind: 'cartSold', sold: expect.objectContaining({ sale: fact?.n }) as unknown }
	});
	const left = order[0] === 'slept' ? ['Airtime'] : [];
	expect(second?.till.lines.map(({ name }) => name)).toEqual(left);
	expect((await slept.book.recentReceipts(10)).length).toBe(1);
	shown.till.addAmount(1_000, 'Sweets');
	await Promise.resolve();
	const kept = (await shop(store)).till.lines.map(({ name }) => name);
	expect(kept).toEqual([...left, 'Sweets']);
});

it('[LEAD-4] keeps no cart that another tab sold', async () => {
	const { store } = fillable();
	const slept = await shop(store);
	slept.till.add(BREAD);
	await Promise.resolve();
	const shown = await shop(store);
	await slept.till.takeCash(6_500);
	shown.till.add(BREAD);
	shown.till.addAmount(25_000, 'Airtime');
	await vi.waitFor(() => {
		expect(
			shown.till.lines.map(({ name, quantityThousandths }) => [name, quantityThousandths])
		).toEqual([
			['Bread', 1_000],
			['Airtime', 1_000]
		]);
	});
	expect((await shop(store)).till.lines).toEqual([]);
	expect((await shown.till.takeCash(31_500))?.ok).toBe(true);
	expect((await shown.book.recentReceipts(10)).length).toBe(2);
});

it('[TILL-7] [LEAD-4] what was emptied comes back without what another tab sold of it', async () => {
	const { store } = fillable();
	const shown = await shop(store);
	shown.till.add(BREAD);
	await Promise.resolve();
	const slept = await shop(store);
	await shown.till.takeCash(6_500);
	slept.till.addAmount(25_000, 'Airtime');
	const back = slept.till.clear();
	slept.till.addAmount(100, 'Sweets');
	const names = ({ till }: App): readonly string[] => till.lines.map(({ name }) => name);
	// It keeps again once it heard of the sale.
	await vi.waitFor(async () => {
		slept.till.setPrice(3, 100);
		expect(names(await shop(store))).toEqual(['Sweets']);
	});
	back();
	expect(names(slept)).toEqual(['Airtime', 'Sweets']);
});

it('[LEAD-4] sells and keeps nothing of a cart that another tab sold while it cannot tell what is left', async () => {
	const app = await shop(fillable().store);
	app.till.add(BREAD);
	await app.till.takeCash(6_500);
	let isOffline = true;
	const kept: unknown[] = [];
	const till = new Till({
		sell: (draft) => app.device.sell(draft),
		takeBack: (draft) => app.device.takeBack(draft),
		keepCart: async (lines, after) => {
			const sold = await app.store.read(['meta'], (rows) => readMeta(rows, 'cartSold'));
			if (sold?.sale !== after) return sold;
			kept.push(lines);
			return undefined;
		},
		currency: () => app.settings.money,
		isReadOnly: () => false,
		loadGoods: () =>
			isOffline ? Promise.reject(new TypeError('failed to fetch')) : import('./without-goods.ts')
	});
	till.add(BREAD);
	till.addAmount(25_000, 'Airtime');
	expect(await till.takeCash(31_500)).toMatchObject({ error: { kind: 'cartSold' } });
	expect([till.lines.length, kept]).toEqual([2, []]);
	isOffline = false;
	expect(await till.takeCash(31_500)).toMatchObject({ error: { kind: 'cartSold' } });
	expect(till.lines.map(({ name }) => name)).toEqual(['Airtime']);
	expect((await till.takeCash(25_000))?.ok).toBe(true);
});

it('[LINK-41] goes on the network later where what that takes could not be loaded', async () => {
	const app = await shop(fillable().store);
	vi.useFakeTimers();
	const lead: TabLead = { role: 'leader', on: () => () => undefined, close: () => undefined };
	const connected: unknown[] = [];
	let tries = 0;
	const load: Parameters<App['connect']>[1] = () => {
		tries += 1;
		if (tries < 3) return Promise.reject(new TypeError('failed to fetch'));
		const connectTill = (told: unknown): Promise<void> => {
			connected.push(told);
			return Promise.resolve();
		};
		return Promise.resolve({ connectTill });
	};
	await app.awaitless(app.connect(lead, load));
	expect(app.fault).toEqual(new TypeError('failed to fetch'));
	await vi.advanceTimersByTimeAsync(30_000);
	expect([tries, connected]).toEqual([2, []]);
	await vi.advanceTimersByTimeAsync(300_000);
	expect([tries, connected]).toEqual([3, [app]]);
});

it('[DEVICE-26] names the day as its facts do, by the corrected clock', async () => {
	const { store } = fillable();
	await store.write(['meta'], (rows) => writeMeta(rows, 'offset', -3 * 86_400_000));
	const app = await shop(store);
	expect(app.today()).toBe('2026-11-17');
	app.till.add(BREAD);
	await app.till.takeCash(6_500);
	expect((await app.book.dayTotals(app.today())).salesCount).toBe(1n);
});

it('[DEVICE-27] knows that another tab claimed the business', async () => {
	const { device, parts } = await openTestDevice({ seed: 8 });
	const inOtherTab = await openDevice(parts);
	await inOtherTab.markClaimed({ code: device.identity.code, member: 1 });
	await vi.waitFor(() => {
		expect(device.identity.claimed).toBe(true);
	});
});

it('[JOIN-4] writes nothing in a shop that was joined until what that settled is here', async () => {
	const owner = await openTestDevice({ seed: 7, currency: 'IQD' });
	const identity = { ...owner.device.identity, claimed: true };
	const joined = await openTestDevice({ seed: 9, joins: { identity, code: 'B' } });
	const app = await openShop(joined);
	app.till.addAmount(500_000, 'Rice');
	expect(await app.till.takeCash(500_000)).toBeUndefined();
	expect([app.isComing, app.isReadOnly]).toEqual([true, true]);

	const [settled] = await owner.store.read(['facts'], (rows) => rows.all('facts'));
	await joined.device.receive([{ text: settled?.text ?? '', branch: identity.branch }]);
	await vi.waitFor(() => {
		expect([app.isComing, app.isReadOnly, app.money.currency]).toEqual([false, false, 'IQD']);
	});
	app.till.clear();
	app.till.addAmount(500_000, 'Rice');
	expect((await app.till.takeCash(500_000))?.ok).toBe(true);
});

it('[JOIN-4] waits for no settings of a shop that settled none', async () => {
	const { device } = await openTestDevice({ seed: 7 });
	const identity = { ...device.identity, claimed: true };
	const joined = await openTestDevice({ seed: 9, joins: { identity, code: 'B' } });
	let minute = (): void => undefined;
	vi.stubGlobal('setInterval', (tick: () => void, ms: number) => {
		if (ms === 60_000) minute = tick;
	});
	const app = await openShop(joined);
	expect(app.isComing).toBe(true);
	await joined.store.write(['meta'], (rows) => writeMeta(rows, 'feed', { epoch: 1, s: 3 }));
	minute();
	vi.unstubAllGlobals();
	await vi.waitFor(() => {
		expect(app.isReadOnly).toBe(false);
	});
	// Who founded it sells on, also one that was claimed and has heard nothing yet.
	const founder = await openTestDevice({ seed: 8, joins: { identity, code: 'A' } });
	expect((await openShop(founder)).isReadOnly).toBe(false);
});

it('[DEVICE-46] a till that stays open lets go what a new day makes too old', async () => {
	let minute = (): void => undefined;
	vi.stubGlobal('setInterval', (tick: () => void, ms: number) => {
		if (ms === 60_000) minute = tick;
	});
	const test = await openTestDevice({ seed: 9, currency: 'KES' });
	const { device, book, store, parts, clock } = test;
	const start = clock.now;
	clock.now = start - SALES_KEPT_DAYS * DAY_MS;
	const tea = { name: 'Tea', quantityThousandths: 1_000, unitPriceMinor: 700 };
	await device.sell({ lines: [tea], tenders: [{ kind: 'cash', minor: 700 }] });
	await store.write(['journal'], async (rows) => {
		await rows.put(
			'journal',
			(await rows.all('journal')).map((row) => ({ ...row, sent: 1 }))
		);
	});
	clock.now = start;
	const hearRelay = (): Promise<void> =>
		store.write(['meta'], (rows) => writeMeta(rows, 'contactAt', clock.now));
	await hearRelay();
	const shelf = { getItem: () => null, setItem: () => undefined };
	const { changes, signer, clock: told } = parts;
	const app = new App({ device, book, store, changes, signer, clock: told, shelf });
	await app.begin();
	await pruneDaily(app);
	const held = (): Promise<number> =>
		store.read(['facts'], (rows) =>
			rows.countIn('facts', { index: 'kind', from: 'sale', to: 'sale' })
		);
	expect(await held()).toBe(1);
	minute();
	expect(await held()).toBe(1);
	clock.now = start + DAY_MS;
	await hearRelay();
	minute();
	await vi.waitFor(async () => {
		expect(await held()).toBe(0);
	});
	expect(app.fault).toBeUndefined();
});

function turnableLead(): { readonly lead: TabLead; readonly become: (role: TabRole) => void } {
	const listeners: ((role: TabRole) => void)[] = [];
	let role: TabRole = 'reader';
	const lead: TabLead = {
		get role() {
			return role;
		},
		on: (told) => {
			listeners.push(told);
			return () => undefined;
		},
		close: () => undefined
	};
	return {
		lead,
		become: (next) => {
			role = next;
			for (const told of listeners) told(next);
		}
	};
}
