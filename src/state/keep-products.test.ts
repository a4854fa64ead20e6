import { describe, expect, it } from 'vitest';
import { createMemoryDeviceStore } from '#storage/device-store.memory.ts';
import { isStorageFull, storageFull, type DeviceStore } from '#storage/device-store.ts';
import { openTestDevice } from '#tests/support/test-device.ts';

const LIST = Array.from({ length: 3_000 }, (_, row) => ({
	fields: { name: `Thing number ${String(row)}`, price: row, codes: [`9${String(row)}`] },
	openingThousandths: (row % 3) * 1_000
}));

async function journalKinds(store: DeviceStore): Promise<readonly string[]> {
	const facts = await store.read(['facts'], (rows) => rows.all('facts'));
	return facts.map(({ kind }) => kind);
}

describe('a list of products', () => {
	it('[DEVICE-8] becomes facts of at most 64 kB, with the opening stock of what is new', async () => {
		const { device, book, store } = await openTestDevice({ seed: 1 });
		const kept = await device.keepProducts({ added: LIST, updated: [] });
		expect(kept.ok).toBe(true);
		const products = await book.allProducts();
		expect(products.length).toBe(3_000);
		expect(products.reduce((sum, { level }) => sum + level, 0n)).toBe(3_000_000n);
		const facts = await store.read(['facts'], (rows) => rows.all('facts'));
		expect(Math.max(...facts.map(({ text }) => text.length))).toBeLessThanOrEqual(65_536);
		expect(facts.filter(({ kind }) => kind === 'adjust').length).toBeGreaterThan(1);
	});

	it('[DEVICE-9] writes only what differs of a known product, and no stock', async () => {
		const { device, book, store } = await openTestDevice({ seed: 1 });
		await device.keepProducts({ added: LIST.slice(0, 2), updated: [] });
		const [first, second] = await book.allProducts();
		if (first === undefined || second === undefined) throw new Error('two products were made');
		const before = (await journalKinds(store)).length;
		const fields = { name: 'Thing number 0', price: 77, codes: ['90'] };
		await device.keepProducts({
			added: [],
			updated: [
				{ product: first.id, fields },
				{ product: second.id, fields: { name: 'Thing number 1', price: 1 } }
			]
		});
		const facts = await store.read(['facts'], (rows) => rows.all('facts'));
		expect(facts.length).toBe(before + 1);
		expect(facts.find(({ text }) => text.includes(':77}'))?.text).toMatch(
			/,\[\["A-\d+",\{"price":77\}\]\]\]$/
		);
	});

	it('[IMPORT-11] adds codes to those that came while its list was looked at', async () => {
		const { device, book } = await openTestDevice({ seed: 1 });
		await device.keepProducts({ added: LIST.slice(0, 1), updated: [] });
		const [read] = await book.allProducts();
		if (read === undefined) throw new Error('a product was made');
		await device.changeProduct(read.id, { codes: [...(read.codes ?? []), '4444'] });
		const list = { added: [], updated: [{ product: read.id, fields: { codes: ['5555'] } }] };
		expect((await device.keepProducts(list)).ok).toBe(true);
		const [now] = await book.allProducts();
		expect(now?.codes).toEqual([...(read.codes ?? []), '4444', '5555']);
	});

	it('[DEVICE-8] is refused whole where one code is another product’s', async () => {
		const { device, book } = await openTestDevice({ seed: 1 });
		await device.addProducts([{ name: 'Tea', price: 5, codes: ['91'] }]);
		expect(await device.keepProducts({ added: LIST.slice(0, 5), updated: [] })).toEqual({
			ok: false,
			error: { kind: 'codeTaken', row: 1, code: '91' }
		});
		expect((await book.allProducts()).length).toBe(1);
	});

	it('[DEVICE-13] leaves no product without its stock where the disk is full', async () => {
		const memory = createMemoryDeviceStore();
		let isFull = false;
		const store: DeviceStore = {
			...memory,
			write: (tables, work) =>
				memory.write(tables, async (rows) => {
					const worked = await work(rows);
					if (isFull) throw storageFull(new Error('quota'));
					return worked;
				})
		};
		const { device, book } = await openTestDevice({ seed: 1, store });
		isFull = true;
		await expect(device.keepProducts({ added: LIST, updated: [] })).rejects.toSatisfy(
			isStorageFull
		);
		expect((await book.allProducts()).length).toBe(0);
		isFull = false;
		expect((await device.keepProducts({ added: LIST, updated: [] })).ok).toBe(true);
	});
});
