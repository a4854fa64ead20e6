import { afterEach, beforeEach, expect, it } from 'vitest';
import { addDays } from '#domain/calendar.ts';
import { createDeviceAsk } from '#state/connections.ts';
import { createOldSales, type OldSales } from '#state/old-sales.ts';
import { only } from '#storage/device-store.ts';
import {
	createHostileStand,
	type HostileStand,
	type StandShop
} from '#tests/support/hostile-stand.ts';
import { until } from '#tests/support/relay-stand.ts';
import { foldedNumbers, storedNumbers } from '#tests/support/shop-numbers.ts';
import {
	baseOf,
	identityOf,
	openOnStand,
	type WayBackDevice
} from '#tests/support/way-back-stand.ts';

const DAY_MS = 86_400_000;

let stand: HostileStand;
const open: WayBackDevice[] = [];
beforeEach(async () => {
	stand = await createHostileStand();
});
afterEach(async () => {
	for (const { link } of open.splice(0)) await link.stop();
	await stand.close();
});

/** Ten teas, sold 401 days ago and sent today; what is old is let go. */
async function oldShop(shop: StandShop): Promise<WayBackDevice & { readonly old: OldSales }> {
	const { signer } = shop;
	const device = await openOnStand(stand, { seed: 1, signer, identity: identityOf(shop) });
	open.push(device);
	device.clock.now -= 401 * DAY_MS;
	await device.device.changeSettings({ currency: 'KES' });
	const line = { name: 'Tea', quantityThousandths: 10_000, unitPriceMinor: 300 };
	const tenders = [{ kind: 'cash' as const, minor: 3_000 }];
	const sold = await device.device.sell({ lines: [line], tenders });
	if (!sold.ok) throw new Error(JSON.stringify(sold.error));
	device.clock.now = stand.clock.now;
	await device.link.start();
	await sent(device);
	while (await device.device.prune());
	const ask = createDeviceAsk({
		fetch: globalThis.fetch,
		base: baseOf(stand),
		identity: () => device.device.identity,
		signer,
		clock: () => stand.clock.now
	});
	const { store, parts } = device;
	const old = createOldSales({
		ask,
		store,
		crypto: parts.crypto,
		identity: () => identityOf(shop)
	});
	return { ...device, old };
}

async function sent({ store, link }: WayBackDevice): Promise<void> {
	await until(async () => {
		const unsent = await store.read(['journal'], (rows) =>
			rows.countIn('journal', only('sent', 0))
		);
		return link.status.state === 'online' && unsent === 0;
	}, 15_000);
}

it('[FEED-12] [BOOK-17] an old sale is fetched, comes back in part, and what is left is known to the next', async () => {
	const shop = await stand.shop('asha');
	const { old, ...a } = await oldShop(shop);
	const { device, book } = a;
	expect(await book.receipt('A-000001')).toBeUndefined();
	for (const pieces of [4, 5]) {
		const fetched = await old.receipt('A-000001');
		if (!fetched.ok || fetched.value.sale === undefined) throw new Error('no sale');
		const { sale } = fetched.value;
		const line = { saleLine: 0, name: 'Tea', quantity: pieces * 1_000, damaged: false };
		const draft = { sale: sale.sale.id, fetched: sale, refund: { kind: 'cash' as const } };
		const taken = await device.takeBack({ ...draft, lines: [line] });
		expect(taken).toMatchObject({ ok: true, value: { cashMinor: pieces * 300 } });
		await sent(a);
		const again = await device.takeBack({ ...draft, lines: [{ ...line, quantity: 7_000 }] });
		expect(again).toMatchObject({ ok: false, error: { kind: 'moreThanLeft' } });
	}
	const last = await old.receipt('A-2');
	expect(last.ok && last.value.returns.map(({ receipt }) => receipt)).toEqual([2, 3]);
	expect(await old.receipt('A-000009')).toEqual({ ok: false, error: 'noReceipt' });
	const on = addDays('2026-11-20', -401);
	const [day] = await a.store.read(['days'], (rows) => rows.all('days'));
	expect(await old.day(day?.on ?? on)).toMatchObject({
		ok: true,
		value: { isFetched: true, receipts: [{ receipt: 'A-000001', toPayMinor: 3_000n }] }
	});
	expect((await storedNumbers(a.store))['records']).toEqual(
		(await foldedNumbers(a.store))['records']
	);
	expect([...a.faults, ...stand.faults]).toEqual([]);
});

it('[FEED-12] tells nobody of another business or branch, and of the office’s only the office', async () => {
	const shop = await stand.shop('asha');
	const stranger = await stand.shop('bela');
	const { sql } = stand.database;
	await oldShop(shop);
	const texts = async (query: string, by: StandShop): Promise<readonly unknown[]> => {
		const { status, body } = await stand.ask(`/receipts?${query}`, { by });
		expect(status).toBe(200);
		return body['facts'] as readonly unknown[];
	};
	const [row] = await sql<{ on: string }[]>`select on_day::text as on from sale`;
	const day = `branch=${shop.branch}&on=${row?.on ?? ''}`;
	for (const query of ['name=A-000001', 'name=A-2', day]) {
		expect(await texts(query, shop)).toHaveLength(1);
	}
	for (const query of ['name=A-000001', 'name=A-2'])
		expect(await texts(query, stranger)).toEqual([]);
	const refused = await Promise.all(
		['name=', 'name=x', 'name=A-000001%27', 'on=2026-02-30', '', `branch=${shop.branch}`].map(
			async (query) => (await stand.ask(`/receipts?${query}`, { by: shop })).body['code']
		)
	);
	expect(refused).toEqual(refused.map(() => 'queryInvalid'));
	expect((await stand.ask(`/receipts?${day}`, { by: stranger })).body['code']).toBe(
		'branchUnknown'
	);

	await sql`update fact set document = 'o/' || substr(document, 3) where kind = 'sale'`;
	expect(await texts('name=A-000001', shop)).toHaveLength(1);
	await sql`update device set sight = 'counter' where business = ${shop.business}`;
	for (const query of ['name=A-000001', day]) expect(await texts(query, shop)).toEqual([]);
});

it('[FEED-12] of texts that no till writes tells as many as fit into one answer, the latest of a day', async () => {
	const shop = await stand.shop('asha');
	const { sql } = stand.database;
	const { business, branch } = shop;
	// A sale and 199 returns of it, each of 60 kB, on one day.
	await sql`
		insert into fact (business, code, n, kind, branch, wall, counter, on_day, member, text, digest, s)
		select ${business}::uuid, 'A', n, 'sale', ${branch}::uuid, n, 0, '2026-11-20', 1,
			n || repeat('x', 60000), 0, 1000 + n
		from generate_series(1, 200) as n`;
	const columns = sql`business, code, n, branch, on_day, happened_at, member, receipt, total_minor,
		rounding_minor`;
	const values = sql`${business}::uuid, 'A', n, ${branch}::uuid, '2026-11-20', n, 1,
		'A-' || lpad(n::text, 6, '0'), 0, 0`;
	await sql`insert into sale (${columns}, change_minor) select ${values}, 0
		from generate_series(1, 1) as n`;
	await sql`insert into sale_return (${columns}, sale_code, sale_n) select ${values}, 'A', 1
		from generate_series(2, 200) as n`;
	const numbers = async (query: string): Promise<readonly number[]> => {
		const { body } = await stand.ask(`/receipts?${query}`, { by: shop });
		const facts = body['facts'] as readonly (readonly [string, string])[];
		return facts.map(([, text]) => Number(text.replaceAll('x', '')));
	};
	const fitting = Math.floor((4 * 1024 * 1024) / 60_003);
	const first = Array.from({ length: fitting }, (_none, at) => at + 1);
	expect(await numbers('name=A-000001')).toEqual(first);
	expect(await numbers(`branch=${branch}&on=2026-11-20`)).toEqual(first.map((n) => 201 - n));
});
