import { describe, expect, it } from 'vitest';
import { dayNumber } from '#domain/calendar.ts';
import type { Result } from '#domain/result.ts';
import { foldedNumbers, checkpointOf, storedNumbers } from '#tests/support/shop-numbers.ts';
import { openTestDevice, TEST_NOW, type TestDevice } from '#tests/support/test-device.ts';
import { UNKNOWN_REF, type FactText } from './arrived-fact.ts';
import { readMeta } from './meta.ts';
import { countKept } from './receive.ts';

const DAY_MS = 86_400_000;
const TODAY = '2026-11-20';
const LATER = '2026-11-23';

function value<T>(result: Result<T, unknown>): T {
	if (!result.ok) throw new Error(JSON.stringify(result.error));
	return result.value;
}

/** A phone whose date is three days ahead, which nobody told it. */
async function ahead(seed: number): Promise<TestDevice> {
	const test = await openTestDevice({ seed });
	test.clock.now = TEST_NOW + 3 * DAY_MS;
	return test;
}

let said = 0;
/** What the relay says of a fact. */
function clock({ device }: TestDevice, of: string, { wall = TEST_NOW, id = '' } = {}): FactText {
	said += 1;
	const name = id === '' ? `0.4-${String(said)}` : id;
	const day = dayNumber(TODAY);
	const text = JSON.stringify([name, 'clock', wall, 0, day, 0, of, wall, 0, day]);
	return { text, branch: device.identity.branch };
}

async function sellOne({ device }: TestDevice, minor = 100): Promise<string> {
	const line = { name: 'Tea', quantityThousandths: 1_000, unitPriceMinor: minor };
	const sold = await device.sell({ lines: [line], tenders: [{ kind: 'cash', minor }] });
	return value(sold).fact.id;
}

async function texts({ store, device }: TestDevice): Promise<readonly FactText[]> {
	const rows = await store.read(['facts'], (read) => read.all('facts'));
	return rows.map(({ text }) => ({ text, branch: device.identity.branch }));
}

async function days({ store }: TestDevice): Promise<Readonly<Record<string, bigint>>> {
	const rows = await store.read(['days'], (read) => read.all('days'));
	return Object.fromEntries(rows.map(({ on, salesMinor }) => [on, salesMinor]));
}

describe('a clock fact', () => {
	it('[DEVICE-60] brings its own sale back to the day that it was', async () => {
		const test = await ahead(1);
		const first = await sellOne(test, 100);
		const second = await sellOne(test, 30);
		expect(await days(test)).toEqual({ [LATER]: 130n });
		await test.device.receive([clock(test, first)]);
		expect(await days(test)).toEqual({ [TODAY]: 100n, [LATER]: 30n });
		await test.device.receive([clock(test, second, { wall: TEST_NOW + 5 })]);
		// Nothing happened on that day after all, so there is none.
		expect(await days(test)).toEqual({ [TODAY]: 130n });
		const receipts = await test.book.recentReceipts(5);
		expect(receipts.map(({ fact: { id, on, at } }) => [id, on, at.wall])).toEqual([
			[second, TODAY, TEST_NOW + 5],
			[first, TODAY, TEST_NOW]
		]);
		expect((await test.book.receipt(first))?.fact.at.wall).toBe(TEST_NOW);
		expect(await storedNumbers(test.store)).toEqual(await foldedNumbers(test.store));
	});

	it('[DEVICE-60] lets a later price win that was changed by a device in time', async () => {
		const test = await ahead(2);
		const [tea] = value(await test.device.addProducts([{ name: 'Tea', price: 100 }]));
		if (tea === undefined) throw new Error('a product was made');
		value(await test.device.changeProduct(tea, { price: 200 }));
		const other = await openTestDevice({
			seed: 3,
			joins: { identity: test.device.identity, code: 'B' }
		});
		await other.device.receive(await texts(test));
		other.clock.now = TEST_NOW + 60_000;
		value(await other.device.changeProduct(tea, { price: 300 }));
		await test.device.receive(await texts(other));
		const price = async (of: TestDevice): Promise<number | undefined> =>
			(await of.book.product(tea))?.price;
		expect([await price(test), await price(other)]).toEqual([200, 200]);
		const facts = await test.store.read(['facts'], (read) => read.all('facts'));
		const clocks = facts.filter(({ code }) => code === 'A').map(({ id }) => clock(test, id));
		for (const of of [test, other]) await of.device.receive(clocks);
		expect([await price(test), await price(other)]).toEqual([300, 300]);
		expect((await test.book.product(tea))?.name).toBe('Tea');
		expect(await storedNumbers(other.store)).toEqual(await storedNumbers(test.store));
	});

	it('[DEVICE-60] of several the lowest counts, whichever comes first', async () => {
		const test = await ahead(4);
		const id = await sellOne(test);
		const at = async (): Promise<number | undefined> => (await test.book.receipt(id))?.fact.at.wall;
		await test.device.receive([clock(test, id, { wall: TEST_NOW + 7, id: '0.9-1' })]);
		expect(await at()).toBe(TEST_NOW + 7);
		await test.device.receive([clock(test, id, { wall: TEST_NOW - 9, id: '0.8-20' })]);
		expect(await at()).toBe(TEST_NOW - 9);
		await test.device.receive([clock(test, id, { wall: TEST_NOW - 99, id: '0.8-21' })]);
		expect(await at()).toBe(TEST_NOW - 9);
	});

	it('[DEVICE-60] counts once a program has learned what it is', async () => {
		const test = await ahead(5);
		const id = await sellOne(test);
		const told = clock(test, id);
		const helper = await openTestDevice({ seed: 6 });
		await helper.device.receive([told]);
		const rows = await helper.store.read(['facts'], (read) =>
			read.findAny('facts', 'kind', ['clock'])
		);
		// As an older program keeps it: the row, and nothing done.
		await test.store.write(['facts'], (write) =>
			write.put(
				'facts',
				rows.map((row) => ({ ...row, refs: [UNKNOWN_REF] }))
			)
		);
		expect(await days(test)).toEqual({ [LATER]: 100n });
		await countKept(test.parts, test.device.identity);
		expect(await days(test)).toEqual({ [TODAY]: 100n });
		expect(await storedNumbers(test.store)).toEqual(await foldedNumbers(test.store));
	});

	it('[DEVICE-61] takes the next stamp back to now', async () => {
		const test = await ahead(7);
		await sellOne(test);
		const last = await sellOne(test);
		// The relay taught it the time.
		test.clock.now = TEST_NOW + 60_000;
		value(await test.device.changeSettings({ name: 'still ahead' }));
		const stamps = async (): Promise<readonly number[]> =>
			(await test.store.read(['facts'], (read) => read.all('facts')))
				.filter(({ code }) => code === 'A')
				.toSorted((a, b) => a.n - b.n)
				.map(({ wall }) => wall - TEST_NOW);
		expect(await stamps()).toEqual([3 * DAY_MS, 3 * DAY_MS, 3 * DAY_MS]);
		// Of an earlier one alone nothing follows: a later one still stands ahead.
		await test.device.receive([clock(test, last, { wall: TEST_NOW + 1 })]);
		await test.device.receive([clock(test, 'A-1', { wall: TEST_NOW })]);
		await sellOne(test);
		expect((await stamps()).at(-1)).toBe(3 * DAY_MS);
		await test.device.receive([clock(test, 'A-3', { wall: TEST_NOW + 2 })]);
		await test.device.receive([clock(test, 'A-4', { wall: TEST_NOW + 60_003 })]);
		await sellOne(test);
		expect(await stamps()).toEqual([0, 1, 2, 60_003, 60_003]);
		const rows = await test.store.read(['facts'], (read) => read.all('facts'));
		expect(rows.find(({ id }) => id === 'A-5')).toMatchObject({ counter: 1, on: TODAY });
	});

	it('[DEVICE-62] of what a checkpoint counted without it begins anew with the relay’s', async () => {
		const test = await ahead(8);
		const id = await sellOne(test);
		const early = await texts(test);
		const other = await openTestDevice({
			seed: 9,
			joins: { identity: test.device.identity, code: 'B' }
		});
		await other.device.takeCheckpoint(await checkpointOf(test.store, 1));
		expect(await days(other)).toEqual({ [LATER]: 100n });
		const isLost = (): Promise<boolean | undefined> =>
			other.store.read(['meta'], (rows) => readMeta(rows, 'isCheckpointLost'));
		const told = clock(test, id);
		await other.device.receive([told]);
		expect(await isLost()).toBe(true);
		await test.device.receive([told]);
		await other.device.takeCheckpoint(await checkpointOf(test.store, 2));
		expect(await days(other)).toEqual({ [TODAY]: 100n });
		// What comes later is what it counted.
		await other.device.receive([...early, told]);
		expect(await days(other)).toEqual({ [TODAY]: 100n });
		expect(await storedNumbers(other.store)).toEqual(await foldedNumbers(other.store));
	});

	it('[DEVICE-62] forgets with the first checkpoint what only that made of it', async () => {
		const test = await ahead(12);
		const { identity } = test.device;
		const [a, b] = ['0192f0c1-7a00-4000-8000-0000000000c4', '0192f0c1-7a00-4000-8000-0000000000c5'];
		const merge = (n: number, wall: number, isJoined: boolean): FactText => {
			const head = [`C-${String(n)}`, 'merge', wall, 0, dayNumber(TODAY), 1];
			return { text: JSON.stringify([...head, a, b, isJoined]), branch: identity.branch };
		};
		const merges = [merge(1, TEST_NOW + 3 * DAY_MS, true), merge(2, TEST_NOW + 60_000, false)];
		await test.device.receive(merges);
		const other = await openTestDevice({ seed: 13, joins: { identity, code: 'B' } });
		const joined = async (): Promise<readonly boolean[]> =>
			(await other.store.read(['edges'], (rows) => rows.all('edges'))).map(
				({ isJoined }) => isJoined
			);
		await other.device.takeCheckpoint(await checkpointOf(test.store, 2));
		expect(await joined()).toEqual([true]);
		const told = clock(test, 'C-1');
		for (const of of [test, other]) await of.device.receive([told]);
		await other.device.takeCheckpoint(await checkpointOf(test.store, 3));
		expect(await joined()).toEqual([false]);
	});

	it('[DEVICE-62] in a checkpoint moves what was counted here before it', async () => {
		const test = await ahead(10);
		const id = await sellOne(test);
		const other = await openTestDevice({
			seed: 11,
			joins: { identity: test.device.identity, code: 'B' }
		});
		await other.device.receive(await texts(test));
		const own = await sellOne(other, 7);
		await test.device.receive([clock(test, id)]);
		await other.device.takeCheckpoint(await checkpointOf(test.store, 2));
		expect(await days(other)).toEqual({ [TODAY]: 107n });
		await other.device.receive(await texts(test));
		expect(await days(other)).toEqual({ [TODAY]: 107n });
		expect((await other.book.receipt(id))?.fact.at.wall).toBe(TEST_NOW);
		expect((await other.book.receipt(own))?.fact.on).toBe(TODAY);
	});

	it('[DEVICE-60] leaves no day empty whose last fact a checkpoint counted elsewhere', async () => {
		const test = await ahead(14);
		const first = await sellOne(test, 100);
		const other = await openTestDevice({
			seed: 15,
			joins: { identity: test.device.identity, code: 'B' }
		});
		await other.device.receive(await texts(test));
		const told = clock(test, first);
		await test.device.receive([told]);
		const checkpoint = await checkpointOf(test.store, 2);
		// What the relay says of when sales count comes with them, in idle time.
		await other.device.takeCheckpoint({ ...checkpoint, ledgerFacts: [] });
		expect(await days(other)).toEqual({ [TODAY]: 100n });
		const second = await sellOne(test, 30);
		const toldToo = clock(test, second, { wall: TEST_NOW + 5 });
		const later = (await texts(test)).filter(({ text }) => text.includes(second));
		await other.device.receive(later);
		await other.device.receive([toldToo]);
		await other.device.receive([told]);
		expect(await days(other)).toEqual({ [TODAY]: 130n });
		await test.device.receive([toldToo]);
		expect(await storedNumbers(other.store)).toEqual(await storedNumbers(test.store));
	});
});
