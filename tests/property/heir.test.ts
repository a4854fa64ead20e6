import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { carryOver, isOldBookSpent } from '#state/heir.ts';
import { readMeta } from '#state/meta.ts';
import { createCustomerApi } from '#state/customer/connections.ts';
import { enterAnew } from '#state/customer/enter-anew.ts';
import { createPhoneHeirApi } from '#state/customer/phone-ways.ts';
import { becomePhoneHeir } from '#state/customer/phone-heir.ts';
import type { RelayLink } from '#state/relay-link.ts';
import { createSigner, createSigningKeys } from '#state/web-crypto.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { Signer } from '#domain/crypto.ts';
import { ok } from '#domain/result.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import { openTestPhone, type TestPhone } from '#tests/support/customer-phone.ts';
import { recordFact } from '#tests/support/hostile-facts.ts';
import { copiedStore } from '#tests/support/copied-store.ts';
import {
	createHostileStand,
	mintLedger,
	ofKind,
	type HostileStand,
	type StandCustomer,
	type StandShop
} from '#tests/support/hostile-stand.ts';
import { until } from '#tests/support/relay-stand.ts';
import { foldedNumbers, storedNumbers } from '#tests/support/shop-numbers.ts';
import {
	atRest,
	baseOf,
	heirOn,
	identityOf,
	linkOn,
	openOnStand,
	type WayBackDevice
} from '#tests/support/way-back-stand.ts';

let stand: HostileStand;
let shop: StandShop;
const opened: WayBackDevice[] = [];
beforeEach(async () => {
	stand = await createHostileStand();
	shop = await stand.shop('amina');
});
afterEach(async () => {
	for (const { link } of opened.splice(0)) await link.stop();
	await stand.close();
});

async function open(
	seed: number,
	from: Partial<Parameters<typeof openOnStand>[1]> = {}
): Promise<WayBackDevice> {
	const device = await openOnStand(stand, {
		seed,
		signer: shop.signer,
		identity: identityOf(shop),
		...from
	});
	// No two people press a button in one millisecond, or their facts would be the same to the letter.
	device.clock.now += seed;
	opened.push(device);
	return device;
}

async function addTea(device: WayBackDevice, name: string): Promise<string> {
	const made = await device.device.addProducts([{ name, price: 300 }]);
	if (!made.ok) throw new Error('no product');
	const [id] = made.value;
	if (id === undefined) throw new Error('no product');
	await device.device.adjustStock([{ product: id, delta: 10_000 }], 'opening');
	return id;
}

async function sell(device: WayBackDevice, name: string, ledger?: string): Promise<string> {
	const { device: till } = device;
	device.clock.now += 100;
	const goods = (await device.book.allProducts()).find((one) => one.name === name);
	if (goods === undefined) throw new Error(`no ${name}`);
	const known = (await device.book.customersWithBalances()).find((one) => one.ledger === ledger);
	const sold = await till.sell({
		lines: [{ productId: goods.id, name, quantityThousandths: 1_000, unitPriceMinor: 300 }],
		tenders: [
			known === undefined
				? { kind: 'cash', minor: 300 }
				: { kind: 'account', minor: 300, ledger: known.ledger }
		]
	});
	if (!sold.ok) throw new Error(JSON.stringify(sold.error));
	return sold.value.receipt;
}

async function factsAtRelay(): Promise<number> {
	const [row] = await stand.database.sql<{ count: string }[]>`
		select count(*) as count from fact where business = ${shop.business}`;
	return Number(row?.count);
}

/** Every device has the same numbers, which are those of the facts at the relay. */
async function agree(devices: readonly WayBackDevice[]): Promise<void> {
	for (const device of devices) await atRest(device);
	const count = await factsAtRelay();
	for (const device of devices) {
		await until(
			async () => (await device.store.read(['facts'], (rows) => rows.count('facts'))) === count
		);
	}
	const [first] = devices;
	if (first === undefined) throw new Error('nobody');
	const numbers = await storedNumbers(first.store);
	expect(await foldedNumbers(first.store)).toEqual(numbers);
	for (const device of devices) {
		expect(await storedNumbers(device.store)).toEqual(numbers);
		expect(device.faults).toEqual([]);
	}
}

async function stockOf(device: WayBackDevice): Promise<Record<string, bigint>> {
	const goods = await device.book.allProducts();
	return Object.fromEntries(goods.map(({ name = '', level }) => [name, level]));
}

async function forked(device: WayBackDevice): Promise<void> {
	await until(() => device.link.status.halted === 'fork');
}

/** The page that was loaded anew: the heir's book with a line of its own. */
async function goOnAs(device: WayBackDevice, seed: number): Promise<WayBackDevice> {
	await device.link.stop();
	const heir = await heirOn(stand, device);
	const next = await open(seed, {
		signer: heir.signer,
		identity: heir.identity,
		store: heir.store
	});
	await next.link.start();
	return next;
}

describe('a copied profile', () => {
	it('[HEIR-2] [HEIR-3] goes on as two devices, and what both wrote is counted exactly once', async () => {
		const a = await open(1);
		await a.device.changeSettings({ currency: 'KES' });
		await addTea(a, 'Tea');
		const customer = await a.device.addCustomer({ name: 'Amina' });
		if (!customer.ok) throw new Error('no customer');
		const ledger = customer.value;
		await sell(a, 'Tea');
		const b = await open(2, { store: await copiedStore(a.store) });

		const receipts = [await sell(a, 'Tea', ledger), await sell(a, 'Tea')];
		// Under the same numbers: goods of its own, a due of its own, a return.
		await addTea(b, 'Coffee');
		receipts.push(await sell(b, 'Coffee'), await sell(b, 'Coffee', ledger), await sell(b, 'Tea'));
		const coffee = await b.book.receipt(receipts[2] ?? '');
		if (coffee === undefined) throw new Error('no receipt');
		const back = await b.device.takeBack({
			sale: coffee.fact.id,
			lines: [{ saleLine: 0, name: 'Coffee', quantity: 1_000, damaged: false }],
			refund: { kind: 'cash' }
		});
		expect(back.ok).toBe(true);

		await a.link.start();
		await atRest(a);
		await b.link.start();
		await forked(b);
		const c = await goOnAs(b, 3);
		await agree([a, c]);
		expect(c.device.identity).toMatchObject({ code: 'B', heirOf: 'A', member: 1 });

		expect(await stockOf(c)).toEqual({ Tea: 6_000n, Coffee: 9_000n });
		const [day] = await c.store.read(['days'], (rows) => rows.all('days'));
		expect(day).toMatchObject({
			salesCount: 6n,
			salesMinor: 1_800n,
			accountMinor: 600n,
			returnsMinor: 300n
		});
		expect((await c.book.customer(ledger))?.totalMinor).toBe(600n);
		const listed = (await c.book.recentReceipts(20)).map(({ receipt }) => receipt);
		expect(listed).toEqual(expect.arrayContaining(receipts));

		const next = await sell(c, 'Coffee');
		expect(next).toBe('B-000001');
		await sell(a, 'Tea');
		await agree([a, c]);
		expect(await isOldBookSpent(b.store, c.store)).toBe(true);
	});

	it('[HEIR-3] sends what both have and neither sent exactly once, whoever comes first', async () => {
		const a = await open(4);
		await a.device.changeSettings({ currency: 'KES' });
		await addTea(a, 'Tea');
		await a.link.start();
		await atRest(a);
		await a.link.stop();
		// Yesterday, in a journal of its own, before the copy was made.
		const before = a.clock.now;
		a.clock.now = before - 86_400_000;
		await sell(a, 'Tea');
		a.clock.now = before;
		const b = await open(5, { store: await copiedStore(a.store) });
		await sell(a, 'Tea');
		await sell(b, 'Tea');
		await sell(b, 'Tea');
		// The copy's heir comes first with what both have: the other finds it there under another name.
		const c = await goOnAs(b, 6);
		await atRest(c);
		await a.link.start();
		await forked(a);
		const d = await goOnAs(a, 7);
		await agree([c, d]);
		expect(await stockOf(d)).toEqual({ Tea: 6_000n });
		const sales = (await d.store.read(['facts'], (rows) => rows.all('facts'))).filter(
			({ kind }) => kind === 'sale'
		);
		expect(sales).toHaveLength(4);
	});

	it('[HEIR-3] is the same for a database that was put back from an old backup', async () => {
		const a = await open(8);
		await a.device.changeSettings({ currency: 'KES' });
		await addTea(a, 'Tea');
		const backup = await copiedStore(a.store);
		await sell(a, 'Tea');
		await sell(a, 'Tea');
		await a.link.start();
		await atRest(a);
		await a.link.stop();
		const restored = await open(9, { store: backup });
		await sell(restored, 'Tea');
		await restored.link.start();
		await forked(restored);
		const heir = await goOnAs(restored, 10);
		await agree([heir]);
		expect(await stockOf(heir)).toEqual({ Tea: 7_000n });
	});
});

describe('becoming an heir', () => {
	it('[HEIR-1] [HEIR-4] is begun again wherever it was cut, and takes in what was written meanwhile', async () => {
		const a = await open(11);
		await a.device.changeSettings({ currency: 'KES' });
		await addTea(a, 'Tea');
		const b = await open(12, { store: await copiedStore(a.store) });
		await sell(a, 'Tea');
		await sell(b, 'Tea');
		await a.link.start();
		await atRest(a);
		await b.link.start();
		await forked(b);
		await b.link.stop();
		const first = await heirOn(stand, b);
		// The page was gone before the new book was the current one: the till went on in the old.
		await sell(b, 'Tea');
		const again = await heirOn(stand, b, { openBook: () => first.store });
		expect(again.identity).toEqual(first.identity);
		expect([first.issued, again.issued]).toEqual([1, 1]);
		await sell(b, 'Tea');
		expect(await carryOver({ old: b.store, crypto: b.parts.crypto, store: first.store })).toBe(1);
		expect(await carryOver({ old: b.store, crypto: b.parts.crypto, store: first.store })).toBe(0);
		const c = await open(13, {
			signer: again.signer,
			identity: again.identity,
			store: first.store
		});
		await c.link.start();
		await agree([a, c]);
		expect(await stockOf(c)).toEqual({ Tea: 6_000n });
		const inheritance = await c.store.read(['meta'], (rows) => readMeta(rows, 'inheritance'));
		expect(inheritance?.names).toHaveLength(3);
	});
});

describe('what an heir brings along', () => {
	it('[HEIR-5] is also what others wrote and the relay forgot', async () => {
		const a = await open(14);
		await a.device.changeSettings({ currency: 'KES' });
		await addTea(a, 'Tea');
		const lost = '["Z-7","adjust",1795165200500,0,20777,1,[["A-2",5000]],"found"]';
		await a.device.receive([{ text: lost, branch: a.device.identity.branch }]);
		const heir = await heirOn(stand, a);
		const held = await heir.store.read(['facts'], (rows) => rows.get('facts', 'Z-7'));
		expect(held?.text).toBe(lost);
		const goods = await heir.store.read(['stock'], (rows) => rows.all('stock'));
		// Of the goods that the heir issued again, and of those that the other device meant.
		expect(goods.map(({ product, level }) => [product, level])).toEqual([
			['A-2', 5_000n],
			['B-2', 10_000n]
		]);
	});
});

interface LinkedPhone extends TestPhone {
	readonly link: RelayLink;
}

describe('a customer’s copied phone', () => {
	const links: RelayLink[] = [];
	afterEach(async () => {
		for (const link of links.splice(0)) await link.stop();
	});

	async function openCustomers(
		{ person }: StandCustomer,
		{
			signer,
			store,
			seed
		}: { readonly signer: Signer; readonly store?: DeviceStore; readonly seed: number }
	): Promise<LinkedPhone> {
		const test = await openTestPhone(person, {
			number: 1,
			signer,
			...(store !== undefined && { store })
		});
		test.clock.now = stand.clock.now + seed;
		const link = linkOn(stand, { device: test.phone.linked, parts: test.parts, signer, seed }).link;
		links.push(link);
		return { ...test, link };
	}

	/** A customer whose ledger is linked, and the two records in it. */
	async function owing(): Promise<{
		readonly customer: StandCustomer;
		readonly first: RecordHash;
		readonly second: RecordHash;
	}> {
		const customer = await stand.customer('juma');
		const ledger = mintLedger();
		const records = [
			await recordFact(shop, { ledger, minor: 500 }),
			await recordFact(shop, { ledger, minor: 700 })
		];
		await stand.put(shop, records);
		await stand.link(shop, ledger, customer);
		await stand.settled();
		const [first, second] = records.map(({ h }) => h);
		if (first === undefined || second === undefined) throw new Error('no record');
		return { customer, first, second };
	}

	async function told(phone: LinkedPhone): Promise<void> {
		await phone.link.start();
		await until(() => phone.link.status.state === 'online' && phone.link.status.unsent === 0);
		await until(() => phone.phone.view().shops.flatMap(({ toAnswer }) => toAnswer).length === 2);
	}

	it('[HEIR-6] [API-41] goes on as two phones, and each answer reaches the shop once', async () => {
		const { customer, first, second } = await owing();

		const a = await openCustomers(customer, { signer: customer.signer, seed: 20 });
		await told(a);
		await a.link.stop();
		const b = await openCustomers(customer, {
			signer: customer.signer,
			store: await copiedStore(a.store),
			seed: 21
		});
		expect((await a.phone.accept([first])).ok).toBe(true);
		expect((await b.phone.cancel(second, 'wrongAmount')).ok).toBe(true);
		await a.link.start();
		await until(() => a.link.status.unsent === 0 && a.link.status.state === 'online');
		await b.link.start();
		await until(() => b.link.status.halted === 'fork');
		await b.link.stop();

		const signers: Signer[] = [];
		const heir = await becomePhoneHeir({
			...b.parts,
			person: customer.person,
			old: b.store,
			oldName: 'old',
			oldSigner: customer.signer,
			openBook: () => createMemoryDeviceStore(),
			createKeys: createSigningKeys,
			signerOf: async (keys) => {
				const signer = await createSigner(keys);
				signers.push(signer);
				return signer;
			},
			api: createPhoneHeirApi({
				fetch: globalThis.fetch,
				base: baseOf(stand),
				clock: () => stand.clock.now
			})
		});
		const [signer] = signers;
		if (!heir.ok || signer === undefined) throw new Error('no heir');
		expect(heir.value).toMatchObject({ code: 'p2', issued: 1 });
		const c = await openCustomers(customer, { signer, store: heir.value.store, seed: 22 });
		await c.link.start();
		await until(async () => {
			await stand.settled();
			const answers = ofKind(await stand.feedOf(shop.business), 'answered');
			return answers.length === 2;
		});
		const answers = ofKind(await stand.feedOf(shop.business), 'answered');
		expect(new Map(answers.map(({ h, decision }) => [h, decision]))).toEqual(
			new Map([
				[first, 'accept'],
				[second, 'cancel']
			])
		);
		await until(() => c.phone.view().shops.flatMap(({ toAnswer }) => toAnswer).length === 0);
	});

	it('[CUSTOMER-12] that is let in no more is added again, and its answer reaches the shop', async () => {
		const { customer, first } = await owing();

		const a = await openCustomers(customer, { signer: customer.signer, seed: 23 });
		await told(a);
		await a.link.stop();
		expect((await a.phone.accept([first])).ok).toBe(true);
		const parts = {
			base: baseOf(stand),
			clock: () => stand.clock.now,
			fetch: (asked: string | URL | Request, given?: RequestInit) => {
				const headers = new Headers(given?.headers);
				headers.set('origin', baseOf(stand));
				for (const [name, value] of Object.entries(customer.session)) headers.set(name, value);
				return fetch(asked, { ...given, headers });
			}
		};
		const api = createCustomerApi(parts);
		const { person } = customer;
		expect(await api.dismissPhone({ person, code: 'p1' })).toEqual(ok(undefined));
		await a.link.start();
		await until(() => a.link.status.halted === 'rights');

		const signers: Signer[] = [];
		const store = createMemoryDeviceStore();
		const entered = await enterAnew({
			...a.parts,
			person,
			old: a.store,
			oldName: 'old',
			openBook: () => store,
			createKeys: createSigningKeys,
			signerOf: async (keys) => {
				const signer = await createSigner(keys);
				signers.push(signer);
				return signer;
			},
			api: { ...api, as: (name, signer) => createPhoneHeirApi(parts).as(name, signer) }
		});
		expect(entered).toEqual(ok('p2'));
		const [signer] = signers;
		if (signer === undefined) throw new Error('no key');
		const c = await openCustomers(customer, { signer, store, seed: 24 });
		await c.link.start();
		await until(async () => {
			await stand.settled();
			return ofKind(await stand.feedOf(shop.business), 'answered').length === 1;
		});
		const [answer] = ofKind(await stand.feedOf(shop.business), 'answered');
		expect(answer).toMatchObject({ h: first, decision: 'accept' });
		await until(() => c.link.status.unsent === 0);
		expect(c.link.status).toMatchObject({ refused: [], halted: undefined });
	});
});
