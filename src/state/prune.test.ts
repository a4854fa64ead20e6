import { expect, it } from 'vitest';
import { issueAgain } from '#domain/fact/issued-again.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { factId, parseDeviceCode, type LedgerId } from '#domain/ids.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import { createInterruptedStore } from '#tests/support/interrupted-store.ts';
import { foldedNumbers, foundFact, storedNumbers } from '#tests/support/shop-numbers.ts';
import { openTestDevice, TEST_NOW, type TestDevice } from '#tests/support/test-device.ts';
import { enterEpoch } from './enter-epoch.ts';
import { readMeta, writeMeta } from './meta.ts';
import { countKept } from './receive.ts';
import { UNKNOWN_REF, type FactText } from './arrived-fact.ts';

const DAY_MS = 86_400_000;
const code = parseDeviceCode('B');
if (!code.ok) throw new Error('no device code');
const B = code.value;

async function shop(
	seed: number,
	store: DeviceStore = createMemoryDeviceStore()
): Promise<TestDevice & { readonly amina: LedgerId }> {
	const test = await openTestDevice({ seed, store, currency: 'KES' });
	test.clock.now = TEST_NOW - 402 * DAY_MS;
	const added = await test.device.addCustomer({ name: 'Amina' });
	if (!added.ok) throw new Error('refused');
	for (let day = 402; day >= 398; day -= 1) {
		test.clock.now = TEST_NOW - day * DAY_MS;
		await sell(test, added.value);
	}
	test.clock.now = TEST_NOW;
	await test.store.write(['meta'], (rows) => writeMeta(rows, 'contactAt', TEST_NOW));
	return { ...test, amina: added.value };
}

async function sell({ device }: TestDevice, ledger: LedgerId): Promise<void> {
	const line = { name: 'Tea', quantityThousandths: 1_000, unitPriceMinor: 700 };
	for (const kind of ['cash', 'account'] as const) {
		const tenders = kind === 'cash' ? [{ kind, minor: 700 }] : [{ kind, minor: 700, ledger }];
		const sold = await device.sell({ lines: [line], tenders });
		if (!sold.ok) throw new Error(JSON.stringify(sold.error));
	}
}

async function sendAll({ store }: TestDevice): Promise<void> {
	await store.write(['journal'], async (rows) => {
		const all = await rows.all('journal');
		await rows.put(
			'journal',
			all.map((row) => ({ ...row, sent: 1 }))
		);
	});
}

async function textsOf({ store }: TestDevice): Promise<readonly FactText[]> {
	const rows = await store.read(['facts'], (read) => read.all('facts'));
	return rows.map(({ text, branch }) => ({ text, branch: branch === '' ? null : branch }));
}

async function salesOf({ store }: TestDevice): Promise<number> {
	return store.read(['facts'], (rows) => rows.countIn('facts', { index: 'kind', ...SALES }));
}

const SALES = { from: 'sale', to: 'sale' };

it('[DEVICE-46] lets old sales go: what they came to and their records stay, and they count once', async () => {
	const test = await shop(1);
	const { device, store } = test;
	await sendAll(test);
	const before = await storedNumbers(store);
	const records = await store.read(['records'], (rows) => rows.count('records'));
	const all = await textsOf(test);
	while (await device.prune());
	expect(await salesOf(test)).toBe(6);
	expect(await storedNumbers(store)).toEqual(before);
	expect(await store.read(['records'], (rows) => rows.count('records'))).toBe(records);
	expect(await store.read(['meta'], (rows) => readMeta(rows, 'pruned'))).toEqual({ A: [[3, 6]] });

	expect((await device.receive(all)).fresh).toBe(0);
	expect(await salesOf(test)).toBe(6);
	expect(await storedNumbers(store)).toEqual(before);
	expect(await device.prune()).toBe(false);
});

it('[DEVICE-46] keeps an old sale that the relay has not got', async () => {
	const test = await shop(2);
	while (await test.device.prune());
	expect(await salesOf(test)).toBe(10);
	expect(await storedNumbers(test.store)).toEqual(await foldedNumbers(test.store));
});

it('[DEVICE-46] lets nothing go by a clock that jumped ahead since the relay was heard', async () => {
	const test = await shop(6);
	await sendAll(test);
	test.clock.now = TEST_NOW + 365 * DAY_MS;
	while (await test.device.prune());
	expect(await salesOf(test)).toBe(6);
	await test.store.write(['meta'], (rows) => rows.remove('meta', ['contactAt']));
	expect(await test.device.prune()).toBe(false);
	await test.store.write(['meta'], (rows) => writeMeta(rows, 'contactAt', test.clock.now));
	while (await test.device.prune());
	expect(await salesOf(test)).toBe(0);
});

it('[DEVICE-46] lets nothing go that a restored relay may have forgotten, until it was told', async () => {
	const test = await shop(5);
	await sendAll(test);
	const carry = { epoch: 2, code: '', n: 0, left: 0 };
	await test.store.write(['meta'], (rows) => writeMeta(rows, 'carry', { ...carry, isDone: false }));
	expect(await test.device.prune()).toBe(false);
	expect(await salesOf(test)).toBe(10);
	await test.store.write(['meta'], (rows) => writeMeta(rows, 'carry', { ...carry, isDone: true }));
	while (await test.device.prune());
	expect(await salesOf(test)).toBe(6);
});

it('[DEVICE-46] keeps an old sale that the relay would not have, since it is here alone', async () => {
	const test = await shop(14);
	await sendAll(test);
	const late = await openTestDevice({
		seed: 15,
		joins: { identity: test.device.identity, code: 'B' }
	});
	late.clock.now = TEST_NOW - 402 * DAY_MS;
	await late.device.receive(await textsOf(test));
	await sell(late, test.amina);
	await test.device.receive(await textsOf(late));
	// A restored relay does not know who B was, and has not got what it wrote; all was handed in.
	await test.store.write(['meta'], async (rows) => {
		await writeMeta(rows, 'carry', { epoch: 2, code: 'B', n: 2, left: 2, isDone: true });
		const reason = 'authorUnknown';
		await writeMeta(rows, 'alone', [{ code: 'B', from: 1, to: 2, reason }]);
	});
	while (await test.device.prune());
	const left = await test.store.read(['facts'], (rows) => rows.getMany('facts', ['B-1', 'B-2']));
	expect(left.map((row) => row?.id)).toEqual(['B-1', 'B-2']);
	expect(await salesOf(test)).toBe(8);
	expect(await test.store.read(['meta'], (rows) => readMeta(rows, 'pruned'))).toEqual({
		A: [[3, 6]]
	});
});

it('[DEVICE-46] lets nothing go where a restore is heard of while the day is looked through', async () => {
	const disk = createMemoryDeviceStore();
	const { store, beforeWrite } = createInterruptedStore(disk);
	const test = await shop(16, store);
	await sendAll(test);
	beforeWrite(() => disk.write(['meta'], (rows) => enterEpoch(rows, { epoch: 2, ends: [[1, 0]] })));
	expect(await test.device.prune()).toBe(false);
	expect(await salesOf(test)).toBe(10);
});

it('[DEVICE-46] tells what was let go from what never came', async () => {
	const test = await shop(3);
	await sendAll(test);
	const late = await openTestDevice({
		seed: 4,
		joins: { identity: test.device.identity, code: 'B' }
	});
	late.clock.now = TEST_NOW - 402 * DAY_MS;
	await late.device.receive(await textsOf(test));
	await sell(late, test.amina);
	while (await test.device.prune());
	const fresh = (await textsOf(late)).filter(({ text }) => text.startsWith('["B-'));
	expect((await test.device.receive(fresh)).fresh).toBe(2);
	expect(await storedNumbers(test.store)).toEqual(await storedNumbers(late.store));
});

it('[DEVICE-66] counts once what was let go and comes again under the name of its device’s heir', async () => {
	const test = await shop(17);
	const { device, store } = test;
	await sendAll(test);
	const before = await storedNumbers(store);
	const old = (await textsOf(test)).find(({ text }) => text.startsWith('["A-3"'));
	if (old === undefined) throw new Error('nothing was sold');
	while (await device.prune());
	const parsed = parseFact(old.text);
	const renaming = { id: factId(B, 1), renamed: new Map() };
	const text = issueAgain(old.text, parsed.ok ? parsed.value : null, renaming);
	await device.receive([{ ...old, text }]);
	expect(await storedNumbers(store)).toEqual(before);
	// Whether it is the same act, and under which name it counts, is the relay's to say.
	const isLost = await store.read(['meta'], (rows) => readMeta(rows, 'isCheckpointLost'));
	expect(isLost).toBe(true);
	while (await device.prune());
	const kept = await store.read(['facts'], (rows) => rows.get('facts', 'B-1'));
	expect(kept?.text).toBe(text);
});

it('[DEVICE-46] keeps an old sale that is not counted yet', async () => {
	const test = await shop(9);
	await sendAll(test);
	const first = await test.store.read(['facts'], (rows) => rows.get('facts', 'A-3'));
	if (first?.kind !== 'sale') throw new Error('nothing was sold');
	await test.store.write(['facts'], (rows) =>
		rows.put('facts', [{ ...first, refs: [UNKNOWN_REF] }])
	);
	while (await test.device.prune());
	const row = await test.store.read(['facts'], (rows) => rows.get('facts', first.id));
	expect(row?.refs).toEqual([UNKNOWN_REF]);
});

it('[DEVICE-25] counts what was kept uncounted among sales that were let go', async () => {
	const test = await shop(11);
	await sendAll(test);
	const row = await test.store.read(['facts'], (rows) => rows.get('facts', 'A-4'));
	if (row === undefined) throw new Error('nothing was sold');
	const late = await openTestDevice({
		seed: 12,
		joins: { identity: test.device.identity, code: 'A' }
	});
	const text = foundFact('A-4', row.wall);
	await late.device.receive([{ text, branch: test.device.identity.branch }]);
	const found = await late.store.read(['facts'], (rows) => rows.get('facts', 'A-4'));
	if (found === undefined) throw new Error('nothing was found');
	// As an older program keeps it.
	await test.store.write(['facts'], (rows) =>
		rows.put('facts', [{ ...found, refs: [UNKNOWN_REF] }])
	);
	while (await test.device.prune());
	await countKept(test.parts, test.device.identity);
	const levels = await test.store.read(['stock'], (rows) => rows.all('stock'));
	expect(levels.map(({ level }) => level)).toContain(3_000n);
});

it('[DEVICE-46] what was let go counts again where a checkpoint that begins all anew does not hold it', async () => {
	const test = await shop(13);
	const { device, store } = test;
	await sendAll(test);
	const before = await storedNumbers(store);
	const all = await textsOf(test);
	while (await device.prune());
	expect(await salesOf(test)).toBe(6);
	// FEED-15. The relay gives that of the feed's beginning.
	await store.write(['meta'], (rows) => writeMeta(rows, 'isCheckpointLost', true));
	await device.takeCheckpoint({ epoch: 1, s: 0, ranges: {}, next: null, ...NO_ROWS });
	await device.receive(all.map((fact, place) => ({ ...fact, s: place + 1 })));
	expect(await storedNumbers(store)).toEqual(before);
	while (await device.prune());
	expect(await salesOf(test)).toBe(6);
	expect(await storedNumbers(store)).toEqual(before);
});

const NO_ROWS = {
	...{ settings: [], members: [], devices: [], products: [], customers: [] },
	...{ records: [], stock: [], days: [], ledgerFacts: [] }
};
