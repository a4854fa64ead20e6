import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseProductId, type ProductId } from '#domain/ids.ts';
import {
	guessColumns,
	planImport,
	writeCsv,
	type ImportPlan,
	type KnownProduct,
	type RowRefusal
} from './import-rows.ts';
import { joinedCodes } from './joined-codes.ts';

const COLUMNS = { name: 0, price: 1, code: 2, category: 3, stock: 4 } as const;
const READING = { locale: 'en-KE', exponent: 2 } as const;

function id(text: string): ProductId {
	const parsed = parseProductId(text);
	if (!parsed.ok) throw new Error(text);
	return parsed.value;
}

function plan(
	rows: readonly (readonly string[])[],
	known: readonly KnownProduct[] = []
): ImportPlan {
	const { added, updated, doubles, refused, sameCount } = planImport(rows, {
		columns: COLUMNS,
		known,
		reading: READING
	});
	return {
		added: added.map(({ row, fields, openingThousandths }) => ({
			row,
			fields,
			openingThousandths
		})),
		updated: updated.map(({ row, product, fields }) => ({ row, product, fields })),
		sameCount,
		doubles: doubles.map(({ row, ofRow }) => ({ row, ofRow })),
		refused: refused.map(({ row, refusal, cells }) => ({ row, refusal, cells }))
	};
}

/** The book after the plan was carried out. */
function bookAfter(
	before: readonly KnownProduct[],
	{ added, updated }: ImportPlan
): KnownProduct[] {
	const changed = before.map((product) => {
		const fields = updated.find((row) => row.product === product.id)?.fields ?? {};
		const codes = joinedCodes(product.codes, fields.codes ?? []);
		return { ...product, ...fields, codes };
	});
	const made = added.map(({ fields, row }): KnownProduct => {
		const { name = '', price, codes = [], category } = fields;
		const sure = { id: id(`A-${String(1_000 + row)}`), name, codes };
		return {
			...sure,
			...(price !== undefined && { price }),
			...(category !== undefined && { category })
		};
	});
	return [...changed, ...made];
}

const BREAD: KnownProduct = {
	id: id('A-7'),
	name: 'Bread',
	price: 6_500,
	codes: ['616110'],
	category: 'Bakery'
};

describe('columns', () => {
	it.each([
		[['Name', 'Price', 'Barcode', 'Category', 'Stock'], COLUMNS],
		[['الاسم', 'السعر', 'الباركود', 'الفئة', 'الكمية'], COLUMNS],
		[
			['StockCode', 'Description', 'Quantity', 'InvoiceDate', 'Price'],
			{ code: 0, name: 1, stock: 2, price: 4 }
		],
		[['Item (short)', 'Selling price (KES)', 'Qty.'], { name: 0, price: 1, stock: 2 }],
		[['Product code', 'Product name', 'Unit price'], { code: 0, name: 1, price: 2 }],
		[['x', 'y'], {}]
	])('[IMPORT-1] %j', (headings, columns) => {
		expect(guessColumns(headings)).toEqual(columns);
	});

	it('[IMPORT-1] gives a column to one field only', () => {
		expect(guessColumns(['Price', 'Price'])).toEqual({ price: 0 });
	});
});

describe('rows', () => {
	it('[IMPORT-2] takes a whole row, names cleaned, amounts by the locale', () => {
		expect(plan([[' Milk\u0000  500 ml ', '1,060.50', ' 111 ; 222 ', 'Dairy', '24']])).toEqual({
			added: [
				{
					row: 2,
					fields: { name: 'Milk 500 ml', price: 106_050, codes: ['111', '222'], category: 'Dairy' },
					openingThousandths: 24_000
				}
			],
			updated: [],
			sameCount: 0,
			doubles: [],
			refused: []
		});
	});

	const REFUSED: readonly (readonly [readonly string[], RowRefusal])[] = [
		[['', '5'], { field: 'name', why: 'empty' }],
		[['\u0000\ud83d', '5'], { field: 'name', why: 'empty' }],
		[['x'.repeat(101), '5'], { field: 'name', why: 'tooLong' }],
		[['Milk', ''], { field: 'price', why: 'empty' }],
		[['Milk', '1e3'], { field: 'price', why: 'exponent' }],
		[['Milk', '-0'], { field: 'price', why: 'negative' }],
		[['Milk', 'sixty'], { field: 'price', why: 'notANumber' }],
		[['Milk', '1.234,50'], { field: 'price', why: 'ambiguous' }],
		[['Milk', '0.125'], { field: 'price', why: 'tooManyDecimals' }],
		[['Milk', '9'.repeat(20)], { field: 'price', why: 'tooLarge' }],
		[['Milk', '5', '6.1611E+12'], { field: 'code', why: 'rounded' }],
		[['Milk', '5', 'x'.repeat(49)], { field: 'code', why: 'tooLong' }],
		[
			['Milk', '5', Array.from({ length: 21 }, (_, code) => code).join(';')],
			{ field: 'code', why: 'tooMany' }
		],
		[['Milk', '5', '', 'x'.repeat(101)], { field: 'category', why: 'tooLong' }],
		[['Milk', '5', '', '', '-3'], { field: 'stock', why: 'negative' }]
	];
	it.each(REFUSED)('[IMPORT-2] refuses %j whole', (cells, refusal) => {
		expect(plan([['Tea', '10'], cells])).toEqual({
			...plan([['Tea', '10']]),
			refused: [{ row: 3, refusal, cells }]
		});
	});

	it('[IMPORT-2] counts blank rows in the numbers of those after them, and as nothing', () => {
		const { added, refused } = plan([
			['', ' '],
			['Milk', 'x'],
			['Tea', '5']
		]);
		expect([added.map(({ row }) => row), refused.map(({ row }) => row)]).toEqual([[4], [3]]);
	});

	it('[IMPORT-3] finds a product by its code, and takes its new name', () => {
		expect(plan([['White bread', '65', '616110']], [BREAD]).updated).toEqual([
			{ row: 2, product: BREAD.id, fields: { name: 'White bread' } }
		]);
	});

	it('[IMPORT-3] finds a product by its name where the row has no code', () => {
		expect(plan([[' BREAD ', '70']], [BREAD]).updated).toEqual([
			{ row: 2, product: BREAD.id, fields: { name: 'BREAD', price: 7_000 } }
		]);
	});

	it('[IMPORT-3] keeps goods of one name and two codes apart', () => {
		const { added, updated } = plan([['Bread', '80', '999']], [BREAD]);
		expect([added.length, updated.length]).toEqual([1, 0]);
	});

	it('[IMPORT-3] gives its first code to a product that has none', () => {
		const { updated } = plan([['Bread', '65', '999']], [{ ...BREAD, codes: [] }]);
		expect(updated).toEqual([{ row: 2, product: BREAD.id, fields: { codes: ['999'] } }]);
	});

	it('[IMPORT-4] changes nothing the second time', () => {
		const rows = [
			['White bread', '65', '616110', 'Bakery', '3'],
			['Milk', '60', '111;222', 'Dairy', '24'],
			['Tea', '5', '', '', ''],
			['Tea', '7', '333', '', ''],
			['milk', '61', '222', '', ''],
			['Bad', '', '', '', '']
		];
		const first = plan(rows, [BREAD]);
		const second = plan(rows, bookAfter([BREAD], first));
		expect([first.added.length, first.updated.length]).toEqual([2, 1]);
		expect({ ...second, refused: [] }).toEqual({
			added: [],
			updated: [],
			sameCount: 3,
			doubles: [
				{ row: 4, ofRow: 5 },
				{ row: 6, ofRow: 3 }
			],
			refused: []
		});
	});

	const word = fc.constantFrom('Tea', 'tea ', 'Milk', 'Bread', 'White bread');
	const code = fc.constantFrom('', '1', '2', '3', '1;2', '616110', '616110;3');
	const table = fc.array(fc.tuple(word, fc.constantFrom('5', '7', ''), code), { maxLength: 8 });

	it('[IMPORT-4] changes nothing the second time, whatever the file and the order of the book', () => {
		let changes = 0;
		fc.assert(
			fc.property(table, fc.boolean(), (rows, isTurned) => {
				const first = plan(rows, [BREAD]);
				changes += first.added.length + first.updated.length;
				const book = bookAfter([BREAD], first);
				const { added, updated } = plan(rows, isTurned ? book.toReversed() : book);
				expect({ added, updated }).toEqual({ added: [], updated: [] });
			}),
			{ numRuns: 2_000 }
		);
		expect(changes).toBeGreaterThan(1_000);
	});

	it('[IMPORT-3] refuses a bare name that several products bear', () => {
		const other = { ...BREAD, id: id('A-8'), codes: ['999'] };
		expect(plan([['Bread', '70']], [BREAD, other]).refused).toEqual([
			{ row: 2, refusal: { field: 'name', why: 'ofSeveral' }, cells: ['Bread', '70'] }
		]);
	});

	it('[IMPORT-5] lists the later of two rows for one product', () => {
		const { added, doubles } = plan([
			['Milk', '60', '111'],
			['Milk 2', '61', '111'],
			['milk', '62']
		]);
		expect([added.length, doubles]).toEqual([
			1,
			[
				{ row: 3, ofRow: 2 },
				{ row: 4, ofRow: 2 }
			]
		]);
	});

	it('[IMPORT-6] leaves the stock of a known product alone', () => {
		expect(plan([['Bread', '65', '616110', 'Bakery', '99']], [BREAD])).toEqual({
			added: [],
			updated: [],
			sameCount: 1,
			doubles: [],
			refused: []
		});
	});

	it('[IMPORT-7] refuses a row whose codes belong to two products', () => {
		const tea: KnownProduct = { id: id('A-8'), name: 'Tea', price: 500, codes: ['222'] };
		expect(plan([['Tea', '5', '616110;222']], [BREAD, tea]).refused).toEqual([
			{
				row: 2,
				refusal: { field: 'code', why: 'ofAnother' },
				cells: ['Tea', '5', '616110;222']
			}
		]);
	});
});

it('[IMPORT-8] writes formulas as words, and quotes what needs it', () => {
	expect(
		writeCsv([
			['=1+1', '@x', '-5', 'a "b", c'],
			['\tx', 'plain', '', '+1']
		])
	).toBe(`'=1+1,'@x,'-5,"a ""b"", c"\r\n'\tx,plain,,'+1\r\n`);
});
