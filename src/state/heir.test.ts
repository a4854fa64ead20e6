import { describe, expect, it } from 'vitest';
import { effectsOf } from '#domain/fact/effects.ts';
import { firstText } from '#domain/fact/issued-again.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { parseDeviceCode, type DeviceCode } from '#domain/ids.ts';
import { err, ok } from '#domain/result.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import { only, type DeviceStore } from '#storage/device-store.ts';
import { ALL_TABLES } from '#tests/contract/device-store.ts';
import { createInterruptedStore } from '#tests/support/interrupted-store.ts';
import { checkpointOf } from '#tests/support/shop-numbers.ts';
import { openTestDevice, type TestDevice } from '#tests/support/test-device.ts';
import type { Checkpoint } from './checkpoint.ts';
import { enterEpoch } from './enter-epoch.ts';
import { unmarkSent } from './have.ts';
import {
	askLacking,
	becomeHeir,
	carryOver,
	endOldBook,
	isOldBookSpent,
	type AskedFact,
	type HeirParts
} from './heir.ts';
import { readMeta, writeMeta } from './meta.ts';
import type { RelayHttp } from './relay-http.ts';
import { createSigner, createSigningKeys } from './web-crypto.ts';

function letter(text: string): DeviceCode {
	const parsed = parseDeviceCode(text);
	if (!parsed.ok) throw new Error('no device code');
	return parsed.value;
}

async function sell({ device, clock }: TestDevice, minor: number): Promise<void> {
	clock.now += 10;
	const sold = await device.sell({
		lines: [{ name: '', quantityThousandths: 1_000, unitPriceMinor: minor }],
		tenders: [{ kind: 'cash', minor }]
	});
	expect(sold.ok).toBe(true);
}

interface Relay {
	readonly lacking: (ids: readonly string[]) => Promise<readonly string[]>;
	readonly epoch?: number;
	/** The database of the heir's book, where it was begun before. */
	readonly heir?: DeviceStore;
	/** What it begins with where the feed is long. */
	readonly checkpoint?: Checkpoint | undefined;
}

async function forked(): Promise<TestDevice> {
	const test = await openTestDevice({ seed: 3, currency: 'INR' });
	await test.device.markClaimed({ code: test.device.identity.code, member: 1 });
	await test.store.write(['meta'], (rows) => writeMeta(rows, 'epoch', 1));
	return test;
}

/** Makes the heir's book over a relay that has an empty feed and lacks what it is told to. */
async function heirOf(
	test: TestDevice,
	{ lacking, epoch = 1, heir: store = createMemoryDeviceStore(), checkpoint }: Relay
): Promise<DeviceStore> {
	const { business, branch, person } = test.device.identity;
	const joined = { business, branch, person };
	const http: Pick<RelayHttp, 'feed' | 'checkpoint'> = {
		feed: (place) =>
			Promise.resolve(
				place.epoch === epoch
					? ok({ kind: 'page', rows: [], last: checkpoint?.s ?? 0, isOver: true })
					: ok({ kind: 'epochEnded', epoch, survivedTo: 0 })
			),
		checkpoint: () =>
			Promise.resolve(checkpoint === undefined ? err('unreachable') : ok(checkpoint))
	};
	const parts: HeirParts = {
		...test.parts,
		old: test.store,
		oldName: 'old',
		oldSigner: test.parts.signer,
		openBook: () => store,
		createKeys: createSigningKeys,
		signerOf: createSigner,
		api: {
			takePlace: () =>
				Promise.resolve(
					ok({ ...joined, member: 1, code: letter('B'), sight: 'office', epoch, name: '' })
				),
			as: () => ({
				http: http as RelayHttp,
				lacking: async (facts: readonly AskedFact[]) => ok(await lacking(facts.map(([id]) => id)))
			})
		}
	};
	expect((await becomeHeir(parts)).ok).toBe(true);
	return store;
}

const FOUR_DAYS_MS = 4 * 86_400_000;

async function firstTexts(store: DeviceStore): Promise<readonly string[]> {
	const rows = await store.read(['journal'], (read) => read.all('journal'));
	return rows.map(({ text }) => firstText(text));
}

async function markAllSent(store: DeviceStore): Promise<void> {
	await store.write(['journal'], async (rows) => {
		const held = await rows.all('journal');
		await rows.put(
			'journal',
			held.map((row) => ({ ...row, sent: 1 as const }))
		);
	});
}

it('[HEIR-1] asks what the relay lacks in lots that a slow line carries, though all was issued again', async () => {
	const test = await forked();
	const names = Array.from({ length: 6_000 }, (_, place) => String(100_000 + place));
	await test.store.write(['journal'], async (rows) => {
		const [first] = await rows.all('journal');
		if (first === undefined) throw new Error('a shop begins with its settings');
		const again = names.map((n) => {
			const text = `[["AB-${n}","AA-${n}"],"sale"]`;
			return {
				...first,
				n: Number(n),
				id: `AB-${n}` as typeof first.id,
				text,
				digest: '0'.repeat(16)
			};
		});
		await rows.put('journal', again);
	});
	const sizes: number[] = [];
	const ask = (facts: readonly AskedFact[]): Promise<ReturnType<typeof ok<readonly string[]>>> => {
		sizes.push(JSON.stringify({ facts }).length);
		return Promise.resolve(ok([]));
	};
	const answered = await askLacking({ ...test.parts, old: test.store }, { ask, epoch: 1 });
	expect(answered.ok && answered.value.size).toBe(6_001);
	// Half of the thirty seconds that an answer is waited for.
	expect(Math.max(...sizes)).toBeLessThanOrEqual(15 * 10_000);
});

describe('what is written while the heir’s book is made', () => {
	it('[HEIR-8] is issued again, though the relay was not asked for it', async () => {
		const test = await forked();
		await sell(test, 100);
		const heir = await heirOf(test, {
			lacking: async (ids) => {
				await sell(test, 900);
				return ids;
			}
		});
		expect(await firstTexts(heir)).toEqual(await firstTexts(test.store));
		expect(await carryOver({ old: test.store, crypto: test.parts.crypto, store: heir })).toBe(0);
		await sell(test, 700);
		expect(await carryOver({ old: test.store, crypto: test.parts.crypto, store: heir })).toBe(1);
		expect(await firstTexts(heir)).toEqual(await firstTexts(test.store));
	});

	it('[HEIR-8] takes no number that the heir took for a sale of its own meanwhile, in another tab', async () => {
		const test = await forked();
		const heir = await heirOf(test, { lacking: (ids) => Promise.resolve(ids) });
		const tab = await openTestDevice({ seed: 4, store: heir });
		const { store, beforeWrite } = createInterruptedStore(heir);
		await sell(test, 700);
		beforeWrite(() => sell(tab, 300));
		expect(await carryOver({ old: test.store, crypto: test.parts.crypto, store })).toBe(1);
		const rows = await heir.read(['journal'], (read) => read.all('journal'));
		expect(rows.map(({ id, minor }) => [id, minor])).toEqual([
			['B-1', 0n],
			['B-2', 300n],
			['B-3', 700n]
		]);
	});

	it('[HEIR-8] stays in the old book until each of it stands in the heir’s, or was found at the relay', async () => {
		const test = await forked();
		await sell(test, 100);
		const heir = await heirOf(test, {
			lacking: async (ids) => {
				await sell(test, 900);
				return ids.slice(1);
			}
		});
		expect(await isOldBookSpent(test.store, heir)).toBe(false);
		await markAllSent(heir);
		expect(await isOldBookSpent(test.store, heir)).toBe(true);
		await heir.write(['meta'], async (rows) => {
			const held = await rows.get('meta', 'inheritance');
			await rows.put('meta', [
				{ key: 'inheritance', value: { ...Object(held?.value), known: [] } }
			]);
		});
		expect(await isOldBookSpent(test.store, heir)).toBe(false);
	});
});

it('[HEIR-5] has what its device sent in the last days, which a restored relay may forget', async () => {
	const test = await forked();
	await sell(test, 100);
	test.clock.now += 4 * 86_400_000;
	await sell(test, 200);
	await markAllSent(test.store);
	const checkpoint = await checkpointOf(test.store, 500);
	await sell(test, 400);
	const heir = await heirOf(test, { lacking: (ids) => Promise.resolve(ids), checkpoint });
	const held = await heir.read(['facts'], (rows) => rows.all('facts'));
	expect(held.map(({ id }) => id)).toEqual(['A-3', 'B-1']);
	const days = await heir.read(['days'], (rows) => rows.all('days'));
	expect(days.map(({ salesMinor }) => salesMinor)).toEqual([100n, 600n]);
});

describe('what others wrote', () => {
	const placesOf = (store: DeviceStore) =>
		store.read(['meta', 'facts', 'days'], async (rows) => ({
			carry: await readMeta(rows, 'carry'),
			facts: (await rows.all('facts')).map(({ id }) => id),
			sales: (await rows.all('days')).map(({ salesMinor }) => salesMinor)
		}));

	async function besideAnother(): Promise<TestDevice> {
		const test = await forked();
		const other = await openTestDevice({
			seed: 5,
			joins: { identity: test.device.identity, code: 'Q' }
		});
		await sell(other, 40);
		const [fact] = await other.store.read(['facts'], (rows) =>
			rows.find('facts', only('kind', 'sale'))
		);
		await test.device.receive([{ text: fact?.text ?? '', branch: test.device.identity.branch }]);
		return test;
	}

	it('[HEIR-5] is handed in where the relay was restored since the book of before heard it', async () => {
		const test = await besideAnother();
		const heir = await heirOf(test, { lacking: () => Promise.resolve([]), epoch: 2 });
		expect(await placesOf(heir)).toMatchObject({
			carry: { epoch: 2, code: '', n: 0, isDone: false },
			sales: [40n]
		});
	});

	it('[HEIR-5] is handed in where it was restored since the heir’s book was begun, whose sums are begun anew', async () => {
		const test = await besideAnother();
		const empty = await checkpointOf((await openTestDevice({ seed: 6 })).store, 400);
		const checkpoint = await checkpointOf(test.store, 500);
		const heir = createMemoryDeviceStore();
		const killed = (): Promise<readonly string[]> => Promise.reject(new Error('killed'));
		await expect(heirOf(test, { lacking: killed, heir, checkpoint })).rejects.toThrow('killed');
		expect(await placesOf(heir)).toMatchObject({ sales: [40n] });
		const lacking = (): Promise<readonly string[]> => Promise.resolve([]);
		await heirOf(test, { lacking, heir, checkpoint: { ...empty, epoch: 2 }, epoch: 2 });
		expect(await placesOf(heir)).toMatchObject({
			carry: { epoch: 2, code: '', n: 0, isDone: false },
			sales: [40n]
		});
		const { checkpoint: counted, isLost } = await heir.read(['meta'], async (rows) => ({
			checkpoint: await readMeta(rows, 'checkpoint'),
			isLost: await readMeta(rows, 'isCheckpointLost')
		}));
		expect([counted?.epoch, isLost]).toEqual([2, false]);
	});
});

describe('the open cart', () => {
	const cartOf = (store: DeviceStore): Promise<unknown> =>
		store.read(['meta'], (rows) => readMeta(rows, 'cart'));
	const ring = (store: DeviceStore, ...names: readonly string[]): Promise<void> =>
		store.write(['meta'], (rows) =>
			writeMeta(
				rows,
				'cart',
				names.map((name) => ({ name }))
			)
		);

	it('[HEIR-14] goes along as it stands when the page goes over, and is left alone once it was touched', async () => {
		const test = await forked();
		await ring(test.store, 'tea');
		const heir = await heirOf(test, { lacking: (ids) => Promise.resolve(ids) });
		const old = { old: test.store, crypto: test.parts.crypto, store: heir };
		expect(await cartOf(heir)).toEqual([{ name: 'tea' }]);
		// Sold, and another begun, until the page is loaded anew.
		await ring(test.store, 'rice');
		await carryOver(old);
		expect(await cartOf(heir)).toEqual([{ name: 'rice' }]);
		await ring(test.store);
		await carryOver(old);
		expect(await cartOf(heir)).toEqual([]);
		await ring(heir, 'milk');
		await ring(test.store, 'bread');
		await carryOver(old);
		expect(await cartOf(heir)).toEqual([{ name: 'milk' }]);
	});

	it('[HEIR-14] is not taken again from a book that nothing was written in', async () => {
		const test = await openTestDevice({ seed: 3 });
		await test.device.markClaimed({ code: test.device.identity.code, member: 1 });
		await ring(test.store, 'tea');
		const heir = await heirOf(test, { lacking: (ids) => Promise.resolve(ids) });
		await ring(heir);
		await carryOver({ old: test.store, crypto: test.parts.crypto, store: heir });
		expect(await cartOf(heir)).toEqual([]);
	});
});

describe('the end of the old book', () => {
	it('[HEIR-13] nothing is written there once the heir’s has all of it, and it does not end before', async () => {
		const test = await forked();
		await sell(test, 100);
		const heir = await heirOf(test, { lacking: (ids) => Promise.resolve(ids) });
		await markAllSent(heir);
		await sell(test, 300);
		expect(await endOldBook(test.store, heir)).toBe(false);
		expect(await carryOver({ old: test.store, crypto: test.parts.crypto, store: heir })).toBe(1);
		await markAllSent(heir);
		const { store, beforeWrite } = createInterruptedStore(test.store);
		beforeWrite(() => sell(test, 400));
		expect(await endOldBook(store, heir)).toBe(false);
		expect(await carryOver({ old: test.store, crypto: test.parts.crypto, store: heir })).toBe(1);
		await markAllSent(heir);
		expect(await endOldBook(test.store, heir)).toBe(true);
		await expect(sell(test, 500)).rejects.toThrow('goes on in another');
		expect(await endOldBook(test.store, heir)).toBe(true);
		expect(await firstTexts(heir)).toEqual(await firstTexts(test.store));
	});

	it('[HEIR-13] nothing is written into a new database under the name of a book that was removed', async () => {
		const test = await forked();
		await test.store.write(ALL_TABLES, async (rows) => {
			for (const table of ALL_TABLES) await rows.clear(table);
		});
		await expect(sell(test, 100)).rejects.toThrow('was removed');
		expect(await test.store.read(['journal'], (rows) => rows.count('journal'))).toBe(0);
	});
});

describe('what another database of the relay said to have', () => {
	it('[HEIR-8] is asked for again, and issued where this one lacks it', async () => {
		const test = await forked();
		await sell(test, 100);
		await markAllSent(test.store);
		await sell(test, 200);
		const asked: string[] = [];
		const all = async (ids: readonly string[]): Promise<readonly string[]> => {
			asked.push(...ids);
			return Promise.resolve(ids);
		};
		expect(await firstTexts(await heirOf(test, { lacking: all }))).toHaveLength(1);
		expect(asked).toEqual(['A-3']);
		expect(await firstTexts(await heirOf(test, { lacking: all, epoch: 2 }))).toHaveLength(3);
		expect(asked).toEqual(['A-3', 'A-1', 'A-2', 'A-3']);
	});

	/** Killed before the book of before says that its heir's is whole; then the relay is restored. */
	async function cutOff(test: TestDevice, checkpoint?: Checkpoint): Promise<DeviceStore> {
		const { store: old, beforeWrite } = createInterruptedStore(test.store);
		const lacking = (ids: readonly string[]): Promise<readonly string[]> => {
			beforeWrite(() => Promise.reject(new Error('killed')));
			return Promise.resolve(ids);
		};
		const heir = createMemoryDeviceStore();
		const book = { ...test, store: old };
		await expect(heirOf(book, { lacking, heir, checkpoint })).rejects.toThrow('killed');
		return heir;
	}

	const all = (ids: readonly string[]): Promise<readonly string[]> => Promise.resolve(ids);

	it('[HEIR-8] is handed in though the heir’s book was begun before that one was restored', async () => {
		const test = await forked();
		await sell(test, 100);
		await markAllSent(test.store);
		await sell(test, 200);
		const heir = await cutOff(test);
		await heirOf(test, { lacking: all, epoch: 2, heir });
		const [unsent, ...more] = await firstTexts(heir);
		expect(more).toEqual([]);
		const { facts, carry, inheritance } = await heir.read(['facts', 'meta'], async (rows) => ({
			facts: await rows.all('facts'),
			carry: await readMeta(rows, 'carry'),
			inheritance: await readMeta(rows, 'inheritance')
		}));
		const others = facts.filter(({ code }) => code === 'A').map(({ text }) => text);
		expect([...others, unsent]).toEqual(await firstTexts(test.store));
		expect(carry).toMatchObject({ epoch: 2, code: '', n: 0, isDone: false });
		expect(inheritance?.known).toEqual([1, 2]);
		const sums = await heir.read(['days'], (rows) => rows.all('days'));
		expect(sums.map(({ salesMinor }) => salesMinor)).toEqual([300n]);
		expect(await heirOf(test, { lacking: all, epoch: 2, heir })).toBe(heir);
		expect(await firstTexts(heir)).toHaveLength(1);
	});

	it('[HEIR-8] is handed in though the book of before heard first that that one was restored', async () => {
		const test = await forked();
		await sell(test, 100);
		await markAllSent(test.store);
		const checkpoint = await checkpointOf(test.store, 500);
		test.clock.now += FOUR_DAYS_MS;
		await sell(test, 200);
		const heir = await cutOff(test, checkpoint);
		await unmarkSent(test.store);
		await test.store.write(['meta'], async (rows) => {
			await writeMeta(rows, 'epoch', 2);
			await enterEpoch(rows, { epoch: 2, ends: [] });
		});
		const empty = await checkpointOf((await openTestDevice({ seed: 6 })).store, 400);
		await heirOf(test, { lacking: all, epoch: 2, heir, checkpoint: { ...empty, epoch: 2 } });
		const [unsent, ...more] = await firstTexts(heir);
		expect(more).toEqual([]);
		const { facts, carry, days } = await heir.read(['facts', 'meta', 'days'], async (rows) => ({
			facts: await rows.all('facts'),
			carry: await readMeta(rows, 'carry'),
			days: await rows.all('days')
		}));
		const others = facts.filter(({ code }) => code === 'A').map(({ text }) => text);
		expect([...others, unsent]).toEqual(await firstTexts(test.store));
		expect(carry).toMatchObject({ epoch: 2, code: '', n: 0, isDone: false });
		expect(days.map(({ salesMinor }) => salesMinor)).toEqual([100n, 200n]);
		await markAllSent(heir);
		expect(await isOldBookSpent(test.store, heir)).toBe(true);
	});

	it('[HEIR-8] is issued where that one has what a copy wrote under its name', async () => {
		const test = await forked();
		await sell(test, 100);
		await markAllSent(test.store);
		await sell(test, 200);
		const heir = await cutOff(test);
		await heir.write(['facts'], async (rows) => {
			const row = await rows.get('facts', 'A-2');
			if (row === undefined) throw new Error('nothing came along');
			await rows.put('facts', [{ ...row, text: row.text.replaceAll('100', '500') }]);
		});
		await heirOf(test, { lacking: (ids) => all(ids.slice(1)), epoch: 2, heir });
		const [, lost, unsent] = await firstTexts(test.store);
		expect(await firstTexts(heir)).toEqual([unsent, lost]);
	});

	it('[HEIR-8] keeps the names by which what was issued before calls it', async () => {
		const test = await forked();
		const added = await test.device.addProducts([{ name: 'Tea', price: 100 }]);
		if (!added.ok) throw new Error('refused');
		const [productId] = added.value;
		if (productId === undefined) throw new Error('no product');
		await markAllSent(test.store);
		test.clock.now += 10;
		const line = { productId, name: 'Tea', quantityThousandths: 1_000, unitPriceMinor: 100 };
		const tenders = [{ kind: 'cash' as const, minor: 100 }];
		expect((await test.device.sell({ lines: [line], tenders })).ok).toBe(true);
		const heir = await cutOff(test);
		await heirOf(test, { lacking: all, epoch: 2, heir });
		// What the heir tells, as its own or as what others wrote: each act under one name.
		const rows = await heir.read(['facts', 'journal'], async (read) => [
			...(await read.all('facts')),
			...(await read.all('journal'))
		]);
		const told = new Map(rows.map(({ id, text }) => [id, text]));
		expect(new Set([...told.values()].map(firstText)).size).toBe(told.size);
		const facts = [...told.values()].flatMap((text) => {
			const fact = parseFact(text);
			return fact.ok ? [effectsOf(fact.value)] : [];
		});
		const products = facts.flatMap((effects) => effects.products.map(({ key }) => key));
		const sold = facts.flatMap(({ stock }) => stock.map((moved) => moved.productId));
		expect(sold).toEqual(products);
	});
});

it('[UNSENT-6] what a device of before left behind is told in its heir’s book too', async () => {
	const test = await forked();
	const alone = [{ code: 'Q', from: 1, to: 2, reason: 'notLeft', book: 'before' }];
	await test.store.write(['meta'], async (rows) => {
		await writeMeta(rows, 'leftBehind', 'before');
		await writeMeta(rows, 'alone', alone);
	});
	const heir = await heirOf(test, { lacking: (ids) => Promise.resolve(ids) });
	const held = await heir.read(['meta'], async (rows) => [
		await readMeta(rows, 'leftBehind'),
		await readMeta(rows, 'alone')
	]);
	expect(held).toEqual(['before', alone]);
});
