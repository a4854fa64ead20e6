import { expect, it } from 'vitest';
import { keepRefused } from './have.ts';
import { openTestDevice, TEST_NOW, type TestDevice } from '#tests/support/test-device.ts';

const DAY_MS = 86_400_000;

async function sell(test: TestDevice, minor: number): Promise<void> {
	const sold = await test.device.sell({
		lines: [{ name: '', quantityThousandths: 1_000, unitPriceMinor: minor }],
		tenders: [{ kind: 'cash', minor }]
	});
	if (!sold.ok) throw new Error(JSON.stringify(sold.error));
}

it('[BOOK-1] lists receipts newest first, over the end of a day', async () => {
	const test = await openTestDevice({ seed: 1 });
	for (const minor of [1, 2]) await sell(test, minor);
	test.clock.now += DAY_MS;
	for (const minor of [3, 4]) await sell(test, minor);
	const receipts = await test.book.recentReceipts(3);
	expect(receipts.map(({ receipt, toPayMinor }) => [receipt, toPayMinor])).toEqual([
		['A-000004', 4n],
		['A-000003', 3n],
		['A-000002', 2n]
	]);
	expect(await test.book.recentReceipts(99)).toHaveLength(4);
});

it('[BOOK-2] finds a receipt by its number or its fact, and none by neither', async () => {
	const { device, book } = await openTestDevice({ seed: 2 });
	await device.sell({
		lines: [{ name: 'x', quantityThousandths: 1_000, unitPriceMinor: 5 }],
		tenders: [{ kind: 'cash', minor: 5 }]
	});
	expect((await book.receipt('a-000001'))?.fact.id).toBe('A-1');
	expect((await book.receipt('A-1'))?.receipt).toBe('A-000001');
	expect(await book.receipt('A-2')).toBeUndefined();
	expect(await book.receipt('')).toBeUndefined();
});

it('[BOOK-3] gives a ledger’s records newest first, page by page, each once', async () => {
	const { device, book, clock } = await openTestDevice({ seed: 3 });
	const customer = await device.addCustomer({ name: 'Amina' });
	if (!customer.ok) throw new Error('refused');
	for (let minor = 1; minor <= 7; minor += 1) {
		// Two share a millisecond, so that the page may end between them.
		clock.now = TEST_NOW + Math.floor(minor / 2) * 1_000;
		await device.writeRecords(customer.value, [{ kind: 'due', minor }]);
	}
	const seen: number[] = [];
	let before: Awaited<ReturnType<typeof book.recordsOf>>['before'];
	do {
		const page = await book.recordsOf(customer.value, { limit: 3, ...(before && { before }) });
		seen.push(...page.records.map(({ at }) => at));
		expect(page.records.every(({ mark, by }) => mark === 'saved' && by === 1)).toBe(true);
		before = page.before;
	} while (before !== undefined);
	expect(seen).toHaveLength(7);
	expect(seen).toEqual(seen.toSorted((a, b) => b - a));
});

it('[BOOK-4] counts what waits, with its money and its oldest, and tells what was not taken apart', async () => {
	const test = await openTestDevice({ seed: 4 });
	await sell(test, 300);
	test.clock.now += 5_000;
	await sell(test, 200);
	expect(await test.book.unsent()).toEqual({
		count: 2,
		minorOnAccountOrCash: 500n,
		oldestAt: TEST_NOW,
		refused: []
	});
	await keepRefused(test.store, [['A-1', 'badBody']]);
	expect(await test.book.unsent()).toEqual({
		count: 1,
		minorOnAccountOrCash: 200n,
		oldestAt: TEST_NOW + 5_000,
		refused: [{ id: 'A-1', reason: 'badBody' }]
	});
});

it('[BOOK-5] shows products in use on tiles, favourites first, and all of them by name', async () => {
	const { device, book } = await openTestDevice({ seed: 5 });
	await device.addProducts([
		{ name: 'Tea' },
		{ name: 'bread' },
		{ name: 'Salt', favourite: true },
		{ name: 'Old', active: false }
	]);
	expect((await book.tiles([], 2)).map(({ name }) => name)).toEqual(['Salt', 'bread']);
	expect((await book.allProducts()).map(({ name }) => name)).toEqual([
		'bread',
		'Old',
		'Salt',
		'Tea'
	]);
});

it('[BOOK-6] has settings before anyone settled anything', async () => {
	const { book } = await openTestDevice({ seed: 6 });
	expect(await book.settings()).toMatchObject({
		name: '',
		zone: 'UTC',
		cutoff: 0,
		tax: 'none',
		money: { currency: 'USD', exponent: 2 }
	});
});
