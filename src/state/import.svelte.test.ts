import { expect, it } from 'vitest';
import { openTestDevice } from '#tests/support/test-device.ts';
import { ProductImport } from './import.svelte.ts';

/** Rows as the preview holds them: goods with no code, which nothing but their names tells apart. */
function added(count: number): readonly ImportedRow[] {
	return Array.from({ length: count }, (_none, place) => ({
		row: place + 2,
		fields: { name: `Tea ${String(place)}`, price: 100 },
		openingThousandths: 5_000
	}));
}

interface ImportedRow {
	readonly row: number;
	readonly fields: { readonly name: string; readonly price: number };
	readonly openingThousandths: number;
}

it('[IMPORT-10] is over where its screen is left, once the piece that is being written is on disk', async () => {
	const { device, book } = await openTestDevice({ seed: 1, currency: 'KES' });
	let pieces = 0;
	const importing = new ProductImport(
		{
			...{ book, fault: undefined, money: { exponent: 2 } },
			keeping: (act) => act(),
			device: {
				keepProducts: (list) => {
					pieces += 1;
					// The person goes back, and means to begin anew.
					importing.close();
					return device.keepProducts(list);
				}
			}
		},
		() => 'en'
	);
	const table = { fileName: 'list.csv', headings: ['name'], sample: ['Tea'], rowCount: 600 };
	const plan = { added: added(600), updated: [], sameCount: 0, doubles: [], refused: [] };
	importing.stage = { kind: 'preview', table, plan };
	await importing.begin();
	expect(pieces).toBe(1);
	expect(importing.stage).toEqual({ kind: 'stopped', done: 250, count: 600, why: 'asked' });
	expect(await book.allProducts()).toHaveLength(250);
});
