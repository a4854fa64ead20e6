import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RelayLink } from '#state/relay-link.ts';
import { openOnRelay, type DeviceOnRelay } from '#tests/support/device-on-relay.ts';
import { createRelayStand, until, type RelayStand } from '#tests/support/relay-stand.ts';
import { foldedNumbers, storedNumbers } from '#tests/support/shop-numbers.ts';
import { TEST_NOW, type TestDevice } from '#tests/support/test-device.ts';
import { TRADE_BUSINESS } from '#tests/support/trade.ts';

const DAY_MS = 86_400_000;

let stand: RelayStand;
const links: RelayLink[] = [];
beforeEach(async () => {
	stand = await createRelayStand();
	stand.clock.now = TEST_NOW;
	return async () => {
		await stand.close();
	};
});
afterEach(async () => {
	for (const link of links.splice(0)) await link.stop();
});

async function linked(code: string, seed: number): Promise<DeviceOnRelay> {
	const device = await openOnRelay(stand, { code, seed });
	links.push(device.link);
	return device;
}

async function trade(test: TestDevice, sales: number): Promise<void> {
	const { device } = test;
	const made = await device.addProducts([{ name: `Tea of ${device.identity.code}`, price: 250 }]);
	const customer = await device.addCustomer({ name: `Amina of ${device.identity.code}` });
	if (!made.ok || !customer.ok) throw new Error('refused');
	const [productId] = made.value;
	if (productId === undefined) throw new Error('a product was made');
	for (let n = 0; n < sales; n += 1) {
		const line = { productId, name: 'Tea', quantityThousandths: 1_000 + n, unitPriceMinor: 1_000 };
		const minor = 1_000 + n;
		const sold = await device.sell({
			lines: [line],
			tenders: [
				n % 2 === 0 ? { kind: 'cash', minor } : { kind: 'account', minor, ledger: customer.value }
			]
		});
		if (!sold.ok) throw new Error(JSON.stringify(sold.error));
	}
	await device.writeRecords(customer.value, [{ kind: 'payment', minor: 700 }]);
}

function isQuiet({ link }: DeviceOnRelay): boolean {
	const { state, unsent, feedBehind } = link.status;
	return state === 'online' && unsent === 0 && feedBehind === 0;
}

async function agree(devices: readonly DeviceOnRelay[]): Promise<void> {
	const held = (device: DeviceOnRelay): Promise<number> =>
		device.store.read(['facts'], (rows) => rows.count('facts'));
	const [first] = devices;
	if (first === undefined) throw new Error('no device');
	// A device tells what is unsent a turn after it was written, so quiet alone says nothing of that.
	await until(async () => {
		const counts = await Promise.all(devices.map(held));
		const [count] = await stand.database.sql<{ facts: string }[]>`
			select count(*) as facts from fact where business = ${TRADE_BUSINESS}`;
		return devices.every(isQuiet) && counts.every((of) => of === Number(count?.facts));
	});
	const numbers = await storedNumbers(first.store);
	expect(Object.keys(numbers).length).toBeGreaterThan(4);
	for (const device of devices) {
		expect(await storedNumbers(device.store)).toEqual(numbers);
		expect(device.faults).toEqual([]);
	}
	expect(await foldedNumbers(first.store)).toEqual(numbers);
	expect(stand.faults).toEqual([]);
}

describe('a device and the real relay', () => {
	it('[LINK-2] two devices that sold apart, one of them days ago, agree once both were online', async () => {
		const a = await linked('A', 1);
		const b = await linked('B', 2);
		a.clock.now = TEST_NOW - 5 * DAY_MS;
		await trade(a, 6);
		a.clock.now = TEST_NOW;
		await trade(b, 5);
		await a.link.start();
		await until(() => isQuiet(a));
		await b.link.start();
		await agree([a, b]);
		expect((await a.book.recentReceipts(1))[0]?.mark).toBe('sent');
	});

	it('[RELAY-75] [DEVICE-61] a phone that was days ahead agrees once it is online, and is ahead no more', async () => {
		const a = await linked('A', 7);
		const b = await linked('B', 8);
		a.clock.now = TEST_NOW + 3 * DAY_MS;
		await trade(a, 6);
		await b.link.start();
		await trade(b, 4);
		// Somebody mends its date, and it hears the others.
		a.clock.now = TEST_NOW;
		await a.link.start();
		await agree([a, b]);
		const days = await a.store.read(['days'], (rows) => rows.all('days'));
		expect(days.map(({ on }) => on)).toEqual(['2026-11-20']);
		const { sql } = stand.database;
		const count = async (): Promise<number> => (await sql`select from clock`).length;
		const before = await count();
		expect(before).toBe((await sql`select from fact where code = 'A'`).length);
		const sold = await a.device.sell({
			lines: [{ name: 'Tea', quantityThousandths: 1_000, unitPriceMinor: 100 }],
			tenders: [{ kind: 'cash', minor: 100 }]
		});
		expect(sold.ok && sold.value.fact.at.wall - TEST_NOW).toBeLessThan(60_000);
		await agree([a, b]);
		expect(await count()).toBe(before);
	});

	it('[LINK-12] loses and doubles nothing when the relay ends in the middle', async () => {
		const a = await linked('A', 3);
		const b = await linked('B', 4);
		await a.link.start();
		await b.link.start();
		for (let round = 0; round < 3; round += 1) {
			const trading = Promise.all([trade(a, 4), trade(b, 4)]);
			await stand.restart();
			await trading;
			a.link.wake();
			b.link.wake();
		}
		await agree([a, b]);
		const rows = await a.store.read(['journal'], (read) => read.all('journal'));
		expect(rows.every(({ sent }) => sent === 1)).toBe(true);
	});

	it('[LINK-11] a device that joins last begins with the relay’s checkpoint', async () => {
		const a = await linked('A', 5);
		await trade(a, 230);
		await a.link.start();
		await until(() => isQuiet(a), 20_000);
		const c = await linked('C', 6);
		await c.link.start();
		await until(() => isQuiet(c), 20_000);
		expect(await storedNumbers(c.store)).toEqual(await storedNumbers(a.store));
		expect(
			(await c.store.read(['meta'], (rows) => rows.get('meta', 'checkpoint')))?.value
		).toBeDefined();
		await agree([a, c]);
	});
});
