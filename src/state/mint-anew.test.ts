import { describe, expect, it } from 'vitest';
import { readRecord, verifyRecord } from '#domain/confirmation/signed-record.ts';
import { effectsOf } from '#domain/fact/effects.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { isListOf } from '#domain/confirmation/statement-list.ts';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import { createInterruptedStore } from '#tests/support/interrupted-store.ts';
import { foldedNumbers, storedNumbers } from '#tests/support/shop-numbers.ts';
import { openTestDevice, type TestDevice } from '#tests/support/test-device.ts';
import { forgetMinted, handOver, mintAnew, type MintedBook } from './mint-anew.ts';
import { readMeta } from './meta.ts';
import { createSigner, createSigningKeys, createWebCrypto } from './web-crypto.ts';

const crypto = createWebCrypto();

async function tradedBook(): Promise<TestDevice> {
	const test = await openTestDevice({ seed: 5, currency: 'KES' });
	const { device } = test;
	const made = await device.addProducts([{ name: 'Tea', price: 300 }]);
	const customer = await device.addCustomer({ name: 'Amina' });
	if (!made.ok || !customer.ok) throw new Error('refused');
	const [productId] = made.value;
	if (productId === undefined) throw new Error('no product');
	const ledger = customer.value;
	const line = { productId, name: 'Tea', quantityThousandths: 2_000, unitPriceMinor: 300 };
	const sold = await device.sell({
		lines: [line],
		tenders: [{ kind: 'account', minor: 600, ledger }]
	});
	if (!sold.ok) throw new Error(JSON.stringify(sold.error));
	await device.takeBack({
		sale: sold.value.fact.id,
		lines: [{ saleLine: 0, name: 'Tea', quantity: 1_000, damaged: false }],
		refund: { kind: 'account', ledger }
	});
	await device.writeRecords(ledger, [{ kind: 'due', minor: 5_000 }]);
	const page = await test.book.recordsOf(ledger, { limit: 10 });
	const due = page.records.find(({ kind, amount }) => kind === 'due' && amount === 5_000);
	if (due === undefined) throw new Error('no due');
	const corrected = await device.correct({ h: due.h, toMinor: 4_000, reason: 'it was less' });
	if (!corrected.ok) throw new Error(JSON.stringify(corrected.error));
	await device.addEntry(ledger, ['dueMove', due.h, test.clock.now + 86_400_000, 'next market day']);
	await device.fileStatement(
		ledger,
		page.records.filter(({ kind }) => kind === 'due').map(({ h }) => h)
	);
	return test;
}

async function minted(
	test: TestDevice,
	store: DeviceStore = createMemoryDeviceStore()
): Promise<MintedBook> {
	return mintAnew({
		old: test.store,
		openBook: () => store,
		createKeys: createSigningKeys,
		signerOf: createSigner,
		crypto,
		uuid: test.parts.uuid
	});
}

describe('a book whose business is somebody else’s', () => {
	it('[HEIR-7] becomes another’s with the same numbers and sums', async () => {
		const test = await tradedBook();
		const { store, identity } = await minted(test);
		expect(identity.business).not.toBe(test.device.identity.business);
		const [before, after] = await Promise.all(
			[test.store, store].map((one) => one.read(['journal'], (rows) => rows.all('journal')))
		);
		expect(after?.map(({ id }) => id)).toEqual(before?.map(({ id }) => id));
		expect(after?.every(({ document }) => document.includes(identity.business))).toBe(true);
		const levels = async (of: typeof store): Promise<readonly bigint[]> =>
			(await of.read(['stock'], (rows) => rows.all('stock'))).map(({ level }) => level);
		expect(await levels(store)).toEqual(await levels(test.store));
		const totals = async (of: typeof store): Promise<readonly unknown[]> => {
			const balances = await of.read(['balances'], (rows) => rows.all('balances'));
			return balances.map(({ ledger, total, lastAt }) => [ledger, total, lastAt]);
		};
		expect(await totals(store)).toEqual(await totals(test.store));
		expect(await storedNumbers(store)).toEqual(await foldedNumbers(store));
		expect(await store.read(['meta'], (rows) => readMeta(rows, 'sequence'))).toEqual(
			await test.store.read(['meta'], (rows) => readMeta(rows, 'sequence'))
		);
	});

	it('[HEIR-7] signs every record anew, and names none of the old ones', async () => {
		const test = await tradedBook();
		const { store, identity, signer } = await minted(test);
		const old = await test.store.read(['records'], (rows) => rows.all('records'));
		const texts = await store.read(['journal'], (rows) => rows.all('journal'));
		let signed = 0;
		for (const { text } of texts) {
			for (const { h } of old) expect(text).not.toContain(h);
			const parsed = parseFact(text);
			if (!parsed.ok) throw new Error(parsed.error);
			const { records, list } = effectsOf(parsed.value);
			for (const record of records) {
				const verified = await verifyRecord(record.signed, signer.publicKey, crypto);
				expect(verified.ok && verified.value.core.businessId).toBe(identity.business);
				const read = await readRecord(record.signed, crypto);
				const listed = record.core.kind === 'statement' ? list : [];
				expect(read.ok && (await isListOf(read.value.rest, listed, crypto))).toBe(true);
				signed += 1;
			}
		}
		expect(signed).toBe(old.length);
		expect(signed).toBeGreaterThan(3);
	});

	it('[HEIR-12] is the same after a lost answer, with what was sold meanwhile, until the old one ends', async () => {
		const test = await tradedBook();
		const store = createMemoryDeviceStore();
		const first = await minted(test, store);
		const due = (await test.store.read(['records'], (rows) => rows.all('records'))).find(
			({ kind, amount }) => kind === 'due' && amount === 5_000
		);
		if (due === undefined) throw new Error('no due');
		// It names a record that was signed anew in the try before.
		const paid = await test.device.markPaid(due.h, 'cash');
		expect(paid.ok).toBe(true);
		const book = await minted(test, store);
		expect(book.identity).toEqual(first.identity);
		const sale = {
			lines: [{ name: '', quantityThousandths: 1_000, unitPriceMinor: 700 }],
			tenders: [{ kind: 'cash' as const, minor: 700 }]
		};
		expect((await test.device.sell(sale)).ok).toBe(true);
		await handOver({ old: test.store, crypto }, book);

		const [before, after] = await Promise.all(
			[test.store, store].map((one) => one.read(['journal'], (rows) => rows.all('journal')))
		);
		expect(after?.map(({ id }) => id)).toEqual(before?.map(({ id }) => id));
		expect(await storedNumbers(store)).toEqual(await foldedNumbers(store));
		const old = await test.store.read(['records'], (rows) => rows.all('records'));
		for (const { text } of after ?? []) for (const { h } of old) expect(text).not.toContain(h);
		await expect(test.device.sell(sale)).rejects.toThrow('this book goes on in another one');
		expect(await test.store.read(['journal'], (rows) => rows.count('journal'))).toBe(
			before?.length
		);
	});

	it('[HEIR-12] keeps the texts that another tab wrote again while this one signed its own', async () => {
		const test = await tradedBook();
		const disk = createMemoryDeviceStore();
		const textsOf = async (): Promise<readonly string[]> =>
			(await disk.read(['journal'], (rows) => rows.all('journal'))).map(({ text }) => text);
		let there: readonly string[] = [];
		const { store, beforeWrite } = createInterruptedStore(disk);
		// The first write says whose book it is.
		beforeWrite(() => {
			beforeWrite(async () => {
				await minted(test, disk);
				there = await textsOf();
			});
			return Promise.resolve();
		});
		await minted(test, store);
		expect(there.length).toBeGreaterThan(5);
		expect(await textsOf()).toEqual(there);
	});

	it('[HEIR-12] has what another tab sold in the moment in which the old one ends', async () => {
		const disk = createMemoryDeviceStore();
		const test = await openTestDevice({ seed: 5, currency: 'KES', store: disk });
		const book = await minted(test);
		const { store: old, beforeWrite } = createInterruptedStore(disk);
		const sale = {
			lines: [{ name: '', quantityThousandths: 1_000, unitPriceMinor: 700 }],
			tenders: [{ kind: 'cash' as const, minor: 700 }]
		};
		beforeWrite(() => test.device.sell(sale));
		await handOver({ old, crypto }, book);
		const rows = await book.store.read(['journal'], (read) => read.all('journal'));
		expect(rows.map(({ minor }) => minor)).toEqual([0n, 700n]);
		await expect(test.device.sell(sale)).rejects.toThrow('this book goes on in another one');
	});

	it('[HEIR-12] stays the one that the old book ended in, though a tab is told late that another has it', async () => {
		const test = await tradedBook();
		const book = await minted(test);
		await handOver({ old: test.store, crypto }, book);
		// Somebody else signed in here meanwhile, and this tab asked in his name.
		await forgetMinted(test.store);
		await expect(test.device.addCustomer({ name: 'Ben' })).rejects.toThrow(
			'this book goes on in another one'
		);
	});

	it('[HEIR-12] is another one where a copy of the old book came first', async () => {
		const test = await tradedBook();
		const first = await minted(test);
		await forgetMinted(test.store);
		expect((await minted(test)).identity.business).not.toBe(first.identity.business);
	});
});
