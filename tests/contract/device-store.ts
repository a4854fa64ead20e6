import {
	factId,
	parseBranchId,
	parseProductId,
	type BranchId,
	type ProductId
} from '#domain/ids.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import type {
	DeviceStore,
	FactRow,
	JournalRow,
	ProductRow,
	StockRow,
	TableName
} from '#storage/device-store.ts';
import { only, TABLES } from '#storage/device-store.ts';

export const ALL_TABLES: readonly TableName[] = Object.keys(TABLES) as TableName[];

const BRANCH = branch('9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d');

function branch(text: string): BranchId {
	const parsed = parseBranchId(text);
	if (!parsed.ok) throw new Error(`no branch: ${text}`);
	return parsed.value;
}

function product(text: string): ProductId {
	const parsed = parseProductId(text);
	if (!parsed.ok) throw new Error(`no product: ${text}`);
	return parsed.value;
}

function journalRow(n: number, sent: 0 | 1 = 0, document = 'j/x/y/20261120'): JournalRow {
	return {
		n,
		id: factId('A', n),
		document,
		text: `["A-${String(n)}"]`,
		digest: '00',
		sent,
		at: n,
		minor: BigInt(n)
	};
}

function factRow(n: number, on: string, refs: readonly string[] = []): FactRow {
	return {
		id: factId('A', n),
		code: 'A',
		n,
		kind: 'sale',
		branch: BRANCH,
		wall: n,
		counter: 0,
		on,
		by: 1,
		text: `["A-${String(n)}"]`,
		refs
	};
}

function productRow(id: string, codes: readonly string[]): ProductRow {
	const searchKey = id.toLowerCase();
	return {
		id: product(id),
		name: id,
		codes,
		tileKey: '',
		codeKeys: codes,
		searchKey,
		stamps: { name: [1, 0, factId('A', 1)] }
	};
}

/** What every device store promises; `open` gives one that is empty. */
export function deviceStoreContract(name: string, open: () => Promise<DeviceStore>): void {
	describe(`device store: ${name}`, () => {
		let store: DeviceStore;
		beforeEach(async () => {
			store = await open();
			return () => {
				store.close();
			};
		});

		it('[STORAGE-1] gives back what was written, by key and by keys in their order', async () => {
			const stock: StockRow = { branch: BRANCH, product: product('A-1'), level: -(2n ** 70n) };
			await store.write(['journal', 'stock'], async (rows) => {
				await rows.put('journal', [journalRow(2), journalRow(1), journalRow(10)]);
				await rows.put('stock', [stock]);
			});
			const seen = await store.read(['journal', 'stock'], async (rows) => ({
				one: await rows.get('journal', 2),
				none: await rows.get('journal', 3),
				many: await rows.getMany('journal', [10, 3, 1]),
				all: await rows.all('journal'),
				count: await rows.count('journal'),
				stock: await rows.get('stock', [BRANCH, 'A-1'])
			}));
			expect(seen).toEqual({
				one: journalRow(2),
				none: undefined,
				many: [journalRow(10), undefined, journalRow(1)],
				all: [journalRow(1), journalRow(2), journalRow(10)],
				count: 3,
				stock
			});
		});

		it('[STORAGE-1] puts a row in the place of one with its key, and its index entries too', async () => {
			await store.write(['products'], (rows) =>
				rows.put('products', [productRow('A-1', ['111', '222']), productRow('A-2', ['222'])])
			);
			await store.write(['products'], (rows) => rows.put('products', [productRow('A-1', ['333'])]));
			const byCode = (code: string): Promise<readonly string[]> =>
				store.read(['products'], async (rows) =>
					(await rows.find('products', only('codeKeys', code))).map(({ id }) => id)
				);
			expect(await byCode('111')).toEqual([]);
			expect(await byCode('222')).toEqual(['A-2']);
			expect(await byCode('333')).toEqual(['A-1']);
		});

		it('[STORAGE-2] finds spans of an index and of the primary key, in order, from either end', async () => {
			const days = ['2026-11-19', '2026-11-20', '2026-11-20', '2026-11-21'];
			await store.write(['facts', 'journal'], async (rows) => {
				await rows.put(
					'facts',
					days.map((on, place) => factRow(place + 1, on))
				);
				await rows.put(
					'journal',
					[9, 10, 11, 2].map((n) => journalRow(n, n === 10 ? 1 : 0))
				);
			});
			const found = await store.read(['facts', 'journal'], async (rows) => ({
				days: await rows.find('facts', {
					index: 'branch+on',
					from: [BRANCH, '2026-11-20'],
					to: [BRANCH, '2026-11-21']
				}),
				last: await rows.find('facts', {
					index: 'branch+on',
					from: [BRANCH, ''],
					to: [BRANCH, '\uffff'],
					isReverse: true,
					limit: 1
				}),
				numbers: await rows.find('journal', { from: 9, to: 10 }),
				count: await rows.countIn('journal', only('sent', 0)),
				none: await rows.countIn('journal', { index: 'refused', from: '', to: '\uffff' }),
				backwards: await rows.find('journal', { from: 0, to: 10, isReverse: true }),
				unsent: await rows.find('journal', only('sent', 0))
			}));
			expect(found.days.map(({ id }) => id)).toEqual(['A-2', 'A-3', 'A-4']);
			expect(found.last.map(({ id }) => id)).toEqual(['A-4']);
			expect(found.numbers.map(({ n }) => n)).toEqual([9, 10]);
			expect([found.count, found.none]).toEqual([3, 0]);
			expect(found.backwards.map(({ n }) => n)).toEqual([10, 9, 2]);
			expect(found.unsent.map(({ n }) => n)).toEqual([2, 9, 11]);
		});

		it('[STORAGE-2] finds each row once that bears any of several keys', async () => {
			await store.write(['facts'], (rows) =>
				rows.put('facts', [
					factRow(1, '2026-11-20', ['sale:A-9', 'receipt:A-000001']),
					factRow(2, '2026-11-20', ['sale:A-8']),
					factRow(3, '2026-11-20')
				])
			);
			const found = await store.read(['facts'], (rows) =>
				rows.findAny('facts', 'refs', ['sale:A-9', 'receipt:A-000001', 'sale:A-8', 'sale:A-7'])
			);
			expect(found.map(({ id }) => id).sort()).toEqual(['A-1', 'A-2']);
		});

		it('[STORAGE-3] keeps nothing of a write whose work throws', async () => {
			await store.write(['meta', 'journal'], async (rows) => {
				await rows.put('meta', [{ key: 'sequence', value: { n: 1, receipt: 1 } }]);
				await rows.put('journal', [journalRow(1), journalRow(2)]);
			});
			const thrown = new Error('stop');
			const broken = store.write(['meta', 'journal'], async (rows) => {
				for (const n of [2, 3])
					await rows.put('meta', [{ key: 'sequence', value: { n, receipt: n } }]);
				await rows.put('journal', [journalRow(1, 1), journalRow(3)]);
				await rows.remove('journal', [2]);
				throw thrown;
			});
			await expect(broken).rejects.toBe(thrown);
			const cleared = store.write(['journal'], async (rows) => {
				await rows.clear('journal');
				throw thrown;
			});
			await expect(cleared).rejects.toBe(thrown);

			const after = await store.read(['meta', 'journal'], async (rows) => ({
				meta: await rows.all('meta'),
				journal: await rows.all('journal')
			}));
			expect(after).toEqual({
				meta: [{ key: 'sequence', value: { n: 1, receipt: 1 } }],
				journal: [journalRow(1), journalRow(2)]
			});
		});

		it('[STORAGE-4] lets writers of one table stand in line, and shows a reader no half write', async () => {
			const raise = (): Promise<void> =>
				store.write(['meta'], async (rows) => {
					const before = Number((await rows.get('meta', 'x'))?.value ?? 0);
					await rows.put('meta', [{ key: 'y', value: before + 1 }]);
					await rows.put('meta', [{ key: 'x', value: before + 1 }]);
				});
			const look = (): Promise<boolean> =>
				store.read(['meta'], async (rows) => {
					const [x, y] = await rows.getMany('meta', ['x', 'y']);
					return x?.value === y?.value;
				});
			const looks = await Promise.all(
				Array.from({ length: 20 }, async () => (await Promise.all([raise(), look()]))[1])
			);
			expect(looks).not.toContain(false);
			expect(await store.read(['meta'], (rows) => rows.get('meta', 'x'))).toEqual({
				key: 'x',
				value: 20
			});
		});

		it('[STORAGE-5] does not let anyone change a stored row by what was handed in or out', async () => {
			const row = productRow('A-1', ['111']);
			await store.write(['products'], (rows) => rows.put('products', [row]));
			const out = await store.read(['products'], (rows) => rows.get('products', 'A-1'));
			for (const held of [row, out]) {
				try {
					Object.assign(held ?? {}, { name: 'changed' });
				} catch {
					// A frozen row refuses; a copy may be changed in peace.
				}
			}
			const name = await store.read(['products'], async (rows) => {
				return (await rows.get('products', 'A-1'))?.name;
			});
			expect(name).toBe('A-1');
		});

		it('[STORAGE-6] ends a write whose work waits for something else, and keeps nothing of it', async () => {
			const work = store.write(['meta'], async (rows) => {
				await rows.put('meta', [{ key: 'x', value: 1 }]);
				// Turns of the loop, and not a time: on a busy machine one turn may take all of that.
				for (let turns = 0; turns < 20; turns += 1)
					await new Promise((resolve) => setTimeout(resolve, 1));
				await rows.put('meta', [{ key: 'y', value: 1 }]);
			});
			await expect(work).rejects.toThrow();
			const y = await store.read(['meta'], (rows) => rows.get('meta', 'y'));
			expect(y).toBeUndefined();
		});

		it('[STORAGE-7] refuses a table that the transaction did not name', async () => {
			await expect(store.read(['meta'], (rows) => rows.all('journal'))).rejects.toThrow();
		});

		it('[STORAGE-1] knows every table', async () => {
			const sizes = await store.read(ALL_TABLES, (rows) =>
				Promise.all(ALL_TABLES.map((table) => rows.count(table)))
			);
			expect(sizes).toEqual(ALL_TABLES.map(() => 0));
		});
	});
}
