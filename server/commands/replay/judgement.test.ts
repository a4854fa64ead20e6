import { describe, expect, it } from 'vitest';
import { DAY_ZERO } from '#domain/fact/effects.ts';
import { judge, type Testimony } from './judgement.ts';
import { shopRows, type RowParts, type ShopRows } from './shop-rows.ts';
import type { Act } from './trade-rules.ts';

const LINE = {
	code: { key: 'soap', name: 'SOAP' },
	name: 'Soap',
	quantityThousandths: 2_000,
	unitPriceMinor: 150,
	totalMinor: 300
};
const SALE: Act = {
	kind: 'sale',
	invoice: '1',
	atMs: 0,
	customer: { key: '17', name: '17' },
	lines: [LINE]
};
const PARTS: RowParts = {
	products: [{ key: 'A-2', fields: { name: 'Soap', price: 150 } }],
	customers: [{ key: 'L', fields: { name: '17' } }],
	stock: [{ product: 'A-2', level: -2_000n }],
	days: [
		{
			on: '2010-12-01',
			totals: { ...DAY_ZERO, salesCount: 1n, salesMinor: 300n, accountMinor: 300n }
		}
	],
	balances: [
		{
			ledger: 'L',
			sums: { confirmed: 0n, waiting: 300n, credited: 0n, disputed: 0n, total: 300n }
		}
	],
	records: [{ h: 'h', ledger: 'L', amount: 300 }]
};
const ROWS = shopRows(PARTS);
const LINES = { saleLines: 1, returnLines: 0, adjustments: 0 };

function testimony(changed: Partial<Testimony> = {}): Testimony {
	return {
		totals: {
			...{ sales: 1, returns: 0, ...LINES, salesMinor: 300n, returnsMinor: 0n },
			...{ products: 1, customers: 1, balanceMinor: 300n, stockUnits: -2n }
		},
		acts: [SALE],
		facts: ROWS,
		factLines: LINES,
		devices: [ROWS, ROWS],
		database: ROWS,
		databaseLines: LINES,
		...changed
	};
}

function without(part: keyof RowParts): ShopRows {
	return shopRows({ ...PARTS, [part]: [] });
}

describe('judge', () => {
	it('has nothing to say where all agree', () => {
		const agreed = { devicesAgree: true, databaseAgrees: true, complaints: [] };
		expect(judge(testimony())).toEqual(agreed);
		expect(judge(testimony({ databaseLines: null }))).toEqual(agreed);
	});

	it.each(['products', 'customers', 'stock', 'days', 'balances', 'records'] as const)(
		'misses %s in a device and in the database',
		(part) => {
			const device = judge(testimony({ devices: [ROWS, without(part)] }));
			expect(device).toMatchObject({ devicesAgree: false, databaseAgrees: true });
			expect(device.complaints.join()).toMatch(/the last device/);
			const database = judge(testimony({ database: without(part) }));
			expect(database).toMatchObject({ devicesAgree: true, databaseAgrees: false });
		}
	);

	it('sees what leaves every sum as it is', () => {
		const renamed = [{ key: 'A-2', fields: { name: 'Soup', price: 150 } }];
		const told = judge(testimony({ devices: [shopRows({ ...PARTS, products: renamed }), ROWS] }));
		expect(told.complaints).toEqual([
			'device 1 and the facts differ in product A-2: ' +
				'[["name","Soup"],["price",150]] and [["name","Soap"],["price",150]]'
		]);
		const order = [{ key: 'A-2', fields: { price: 150, name: 'Soap' } }];
		expect(judge(testimony({ database: shopRows({ ...PARTS, products: order }) }))).toMatchObject({
			databaseAgrees: true
		});
	});

	it('holds what all agree upon against the file', () => {
		const { totals } = testimony();
		const off = judge(testimony({ totals: { ...totals, salesMinor: 301n, saleLines: 2 } }));
		expect(off).toMatchObject({ devicesAgree: false, databaseAgrees: false });
		expect(off.complaints).toContain('salesMinor: the facts says 300, the file 301');
		expect(off.complaints).toContain('saleLines: the database says 1, the file 2');
	});

	it('asks for no record of what came to nothing, and for a receipt of every act', () => {
		const nothing: Act = { ...SALE, lines: [{ ...LINE, unitPriceMinor: 0, totalMinor: 0 }] };
		const told = judge(testimony({ acts: [SALE, nothing] }));
		expect(told.complaints).toContain('salesCount: device 1 says 1, the file 2');
		expect(told.complaints.join()).not.toMatch(/records/);
	});
});
