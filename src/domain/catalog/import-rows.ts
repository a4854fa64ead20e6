import { parseAmount, parseQuantity, type AmountRefusal } from '#domain/digits.ts';
import { CODES_MAX } from '#domain/fact/fields.ts';
import type { ProductFields } from '#domain/fact/fact.ts';
import type { ProductId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { cleanName, codeKey, searchKey } from '#domain/text.ts';
import { joinedCodes } from './joined-codes.ts';

/** What a file of products may say of each; the first two it must. */
export const IMPORT_FIELDS = ['name', 'price', 'code', 'category', 'stock'] as const;
export type ImportField = (typeof IMPORT_FIELDS)[number];
export const NEEDED_FIELDS = ['name', 'price'] as const satisfies readonly ImportField[];

/** The place of each field's column, from 0. */
export type ImportColumns = Readonly<Partial<Record<ImportField, number>>>;

export const IMPORT_ROWS_MAX = 20_000;
const NAME_CODE_POINTS_MAX = 100;
const CODE_CODE_POINTS_MAX = 48;

/** Words of headings, folded as `searchKey` folds. The earlier field wins a heading that fits two. */
const HEADINGS: Readonly<Record<ImportField, readonly string[]>> = {
	price: [
		'selling price',
		'sale price',
		'retail price',
		'unit price',
		'price',
		'سعر البيع',
		'السعر',
		'سعر',
		'ثمن'
	],
	code: [
		'barcode',
		'bar code',
		'ean',
		'upc',
		'gtin',
		'sku',
		'stockcode',
		'code',
		'الباركود',
		'باركود',
		'كود',
		'رمز'
	],
	category: [
		'category',
		'department',
		'group',
		'type',
		'التصنيف',
		'الفئه',
		'القسم',
		'فئه',
		'تصنيف',
		'قسم'
	],
	stock: [
		'opening stock',
		'in stock',
		'on hand',
		'stock',
		'quantity',
		'qty',
		'المخزون',
		'الكميه',
		'كميه',
		'الرصيد'
	],
	name: [
		'product name',
		'item name',
		'description',
		'product',
		'item',
		'name',
		'title',
		'الاسم',
		'اسم',
		'المنتج',
		'الصنف',
		'صنف',
		'الوصف'
	]
};

/** Guesses the columns from the headings; a column serves one field. */
export function guessColumns(headings: readonly string[]): ImportColumns {
	const keys = headings.map(searchKey);
	const guessed: Partial<Record<ImportField, number>> = {};
	const taken = new Set<number>();
	for (const isFit of [isHeading, holdsHeading]) {
		for (const [field, words] of Object.entries(HEADINGS) as [ImportField, readonly string[]][]) {
			if (guessed[field] !== undefined) continue;
			const place = placeOf(keys, { words: words.map(searchKey), isFit, taken });
			if (place === undefined) continue;
			guessed[field] = place;
			taken.add(place);
		}
	}
	return guessed;
}

/** A product that the book has. */
export interface KnownProduct {
	readonly id: ProductId;
	readonly name: string;
	readonly price?: number;
	readonly codes: readonly string[];
	readonly category?: string;
}

export interface ImportReading {
	/** BCP 47 tag by whose separators numbers are read. */
	readonly locale: string;
	/** Decimals of the currency's minor unit. */
	readonly exponent: number;
}

/** Why a row is not taken, and in which column. */
export type RowRefusal =
	| { readonly field: 'name'; readonly why: 'empty' | 'tooLong' | 'ofSeveral' }
	| { readonly field: 'category'; readonly why: 'tooLong' }
	| { readonly field: 'code'; readonly why: 'tooLong' | 'tooMany' | 'rounded' | 'ofAnother' }
	| { readonly field: 'price' | 'stock'; readonly why: AmountRefusal };

export interface RefusedRow {
	/** As a spreadsheet counts: the headings are row 1. */
	readonly row: number;
	readonly refusal: RowRefusal;
	readonly cells: readonly string[];
}

/** What taking the file in would write. */
export interface ImportPlan {
	readonly added: readonly AddedRow[];
	readonly updated: readonly UpdatedRow[];
	/** Rows that say what the book says. */
	readonly sameCount: number;
	readonly doubles: readonly { readonly row: number; readonly ofRow: number }[];
	readonly refused: readonly RefusedRow[];
}

export interface AddedRow {
	readonly row: number;
	readonly fields: ProductFields;
	/** Thousandths; 0 where the file names none. */
	readonly openingThousandths: number;
}

export interface UpdatedRow {
	readonly row: number;
	readonly product: ProductId;
	/** What differs from the book; `codes` are those that come in addition. */
	readonly fields: ProductFields;
}

export interface ImportParts {
	readonly columns: ImportColumns;
	/** The products in use. */
	readonly known: readonly KnownProduct[];
	readonly reading: ImportReading;
}

/** Judges every row below the headings; blank rows are nothing. Writes nothing. */
export function planImport(
	rows: readonly (readonly string[])[],
	{ columns, known, reading }: ImportParts
): ImportPlan {
	const refused: RefusedRow[] = [];
	const whole: ReadRow[] = [];
	for (const [place, cells] of rows.entries()) {
		if (cells.every((cell) => cell.trim() === '')) continue;
		const at = { row: place + 2, cells };
		const read = readCells(cells, columns, reading);
		if (read.ok) whole.push({ ...at, ...read.value });
		else refused.push({ ...at, refusal: read.error });
	}
	const shelf = createShelf(known);
	// Codes are surer than names: what they name is settled before a bare name is asked for.
	const judged = [
		...whole.filter(({ codes }) => codes.length > 0),
		...whole.filter(({ codes }) => codes.length === 0)
	].map((read) => judge(read, shelf));
	return {
		added: judged.flatMap((one) => (one.kind === 'added' ? [one] : [])).toSorted(byRow),
		updated: judged.flatMap((one) => (one.kind === 'updated' ? [one] : [])).toSorted(byRow),
		sameCount: judged.filter(({ kind }) => kind === 'same').length,
		doubles: judged.flatMap((one) => (one.kind === 'double' ? [one] : [])).toSorted(byRow),
		refused: [
			...refused,
			...judged.flatMap((one) => (one.kind === 'refused' ? [one] : []))
		].toSorted(byRow)
	};
}

/** A table as CSV (RFC 4180), safe to open in a spreadsheet. */
export function writeCsv(rows: readonly (readonly string[])[]): string {
	return rows.map((cells) => `${cells.map(writeCell).join(',')}\r\n`).join('');
}

function writeCell(cell: string): string {
	// What begins so is run as a formula by spreadsheets; an apostrophe makes words of it.
	const words = /^[=+\-@\t\r\n|\uff0b\uff0d\uff1d\uff20]/.test(cell) ? `'${cell}` : cell;
	return /[",\r\n]/.test(words) ? `"${words.replaceAll('"', '""')}"` : words;
}

interface Columns {
	readonly words: readonly string[];
	readonly isFit: (heading: string, word: string) => boolean;
	readonly taken: ReadonlySet<number>;
}

function placeOf(keys: readonly string[], { words, isFit, taken }: Columns): number | undefined {
	for (const word of words) {
		const place = keys.findIndex((key, at) => !taken.has(at) && isFit(key, word));
		if (place !== -1) return place;
	}
	return undefined;
}

function isHeading(heading: string, word: string): boolean {
	return heading === word;
}

/** The word stands in the heading among others: `price (kes)`. */
function holdsHeading(heading: string, word: string): boolean {
	return ` ${heading.replace(/[^\p{L}\p{N}]+/gu, ' ')} `.includes(` ${word} `);
}

interface ReadCells {
	readonly name: string;
	readonly price: number;
	readonly codes: readonly string[];
	readonly category: string | undefined;
	readonly openingThousandths: number;
}

interface ReadRow extends ReadCells {
	readonly row: number;
	readonly cells: readonly string[];
}

type Judged =
	| (AddedRow & { readonly kind: 'added' })
	| (UpdatedRow & { readonly kind: 'updated' })
	| { readonly kind: 'same'; readonly row: number }
	| { readonly kind: 'double'; readonly row: number; readonly ofRow: number }
	| (RefusedRow & { readonly kind: 'refused' });

function byRow(a: { readonly row: number }, b: { readonly row: number }): number {
	return a.row - b.row;
}

/** Where a code or a name leads: to a product of the book, to an earlier row of the file, or both. */
interface Place {
	readonly known?: KnownProduct;
	row?: number;
	hasCodes: boolean;
}

type Named = Pick<ReadCells, 'name' | 'codes'>;

/** The products by what names them, as the rows before have left them. */
interface Shelf {
	/** The product that the row speaks of; a new place where nobody is called so. */
	find(named: Named): Result<Place, RowRefusal>;
	/** Keeps that the row has spoken of `place`, and what it is called from now on. */
	take(place: Place, row: number, named: Named): void;
}

function createShelf(known: readonly KnownProduct[]): Shelf {
	const byCode = new Map<string, Place>();
	const byName = new Map<string, Set<Place>>();

	function put(place: Place, { name, codes }: Named): void {
		place.hasCodes ||= codes.length > 0;
		for (const code of codes) byCode.set(codeKey(code), place);
		const namesakes = byName.get(codeKey(name)) ?? new Set();
		byName.set(codeKey(name), namesakes.add(place));
	}
	for (const product of known) put({ known: product, hasCodes: false }, product);

	return {
		find({ name, codes }) {
			const byItsCode = new Set(codes.flatMap((code) => byCode.get(codeKey(code)) ?? []));
			if (byItsCode.size > 1) return err({ field: 'code', why: 'ofAnother' });
			const [found] = byItsCode;
			if (found !== undefined) return ok(found);
			// Goods of one name are told apart by their codes; the one without any is meant by the name.
			const namesakes = [...(byName.get(codeKey(name)) ?? [])];
			const codeless = namesakes.find(({ hasCodes }) => !hasCodes);
			if (codeless !== undefined) return ok(codeless);
			const [first, second] = codes.length > 0 ? [] : namesakes;
			if (second !== undefined) return err({ field: 'name', why: 'ofSeveral' });
			return ok(first ?? { hasCodes: false });
		},
		take(place, row, named) {
			const oldName = place.row === undefined ? place.known?.name : undefined;
			if (oldName !== undefined) byName.get(codeKey(oldName))?.delete(place);
			place.row ??= row;
			put(place, named);
		}
	};
}

function judge(read: ReadRow, shelf: Shelf): Judged {
	const { row, cells } = read;
	const place = shelf.find(read);
	if (!place.ok) return { kind: 'refused', row, cells, refusal: place.error };
	const { row: ofRow, known } = place.value;
	shelf.take(place.value, row, read);
	if (ofRow !== undefined) return { kind: 'double', row, ofRow };
	if (known === undefined) return { kind: 'added', row, ...newProduct(read) };

	const codes = joinedCodes(known.codes, read.codes);
	if (codes.length > CODES_MAX)
		return { kind: 'refused', row, cells, refusal: { field: 'code', why: 'tooMany' } };
	const fields: ProductFields = {
		...changed('name', read.name, known.name),
		...changed('price', read.price, known.price),
		...changed('category', read.category ?? known.category, known.category),
		...(codes.length > known.codes.length && { codes: codes.slice(known.codes.length) })
	};
	if (Object.keys(fields).length === 0) return { kind: 'same', row };
	return { kind: 'updated', row, product: known.id, fields };
}

function newProduct(read: ReadRow): Pick<AddedRow, 'fields' | 'openingThousandths'> {
	const { name, price, codes, category, openingThousandths } = read;
	const fields: ProductFields = {
		name,
		price,
		...(codes.length > 0 && { codes }),
		...(category !== undefined && { category })
	};
	return { fields, openingThousandths };
}

function changed<Name extends 'name' | 'price' | 'category'>(
	field: Name,
	said: ProductFields[Name],
	held: ProductFields[Name]
): ProductFields {
	return said === held ? {} : { [field]: said };
}

/** Reads a row's cells from left to right of `IMPORT_FIELDS`; the first that is wrong refuses it. */
function readCells(
	cells: readonly string[],
	columns: ImportColumns,
	{ locale, exponent }: ImportReading
): Result<ReadCells, RowRefusal> {
	const cell = (field: ImportField): string => cells[columns[field] ?? -1] ?? '';
	const name = cleanName(cell('name'), NAME_CODE_POINTS_MAX);
	if (!name.ok) return err({ field: 'name', why: name.error });
	const price = parseAmount(cell('price'), { locale, exponent });
	if (!price.ok) return err({ field: 'price', why: price.error });
	const codes = readCodes(cell('code'));
	if (!codes.ok) return codes;
	const category = cleanName(cell('category'), NAME_CODE_POINTS_MAX);
	if (!category.ok && category.error === 'tooLong')
		return err({ field: 'category', why: 'tooLong' });
	const stock = parseQuantity(cell('stock'), { locale });
	if (!stock.ok && stock.error !== 'empty') return err({ field: 'stock', why: stock.error });
	return ok({
		name: name.value,
		price: price.value,
		codes: codes.value,
		category: category.ok ? category.value : undefined,
		openingThousandths: stock.ok ? stock.value : 0
	});
}

function readCodes(cell: string): Result<readonly string[], RowRefusal> {
	const codes = new Map<string, string>();
	for (const typed of cell.split(/[;,|\n]/)) {
		const code = cleanName(typed, CODE_CODE_POINTS_MAX);
		if (!code.ok && code.error === 'tooLong') return err({ field: 'code', why: 'tooLong' });
		if (!code.ok) continue;
		// 6.16110E+12: the digits are lost, and two products would share what is left.
		if (/^\d+([.,]\d+)?e\+\d+$/i.test(code.value)) return err({ field: 'code', why: 'rounded' });
		codes.set(codeKey(code.value), code.value);
	}
	if (codes.size > CODES_MAX) return err({ field: 'code', why: 'tooMany' });
	return ok([...codes.values()]);
}
