import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import Papa from 'papaparse';
import { err, ok, type Result } from '#domain/result.ts';

/** One row of the file as it stands there, by column. */
export interface TradeFileRow {
	readonly file: string;
	/** Counted from 1 without the header; a quoted line break does not count. */
	readonly number: number;
	/** Null where the row has more or fewer fields than the header. */
	readonly fields: TradeFields | null;
}

export const TRADE_COLUMNS = [
	'InvoiceNo',
	'StockCode',
	'Description',
	'Quantity',
	'InvoiceDate',
	'UnitPrice',
	'CustomerID'
] as const;
export type TradeFields = Readonly<Record<(typeof TRADE_COLUMNS)[number], string>>;

/** The whole year that the source has is 46 MB; a till's month is far less. */
export const TRADE_FILE_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Reads a file of the Online Retail format: CSV in UTF-8 with a header that names its columns, in
 * any order, packed with gzip where its name ends in `.gz`.
 *
 * Refuses in one sentence a file that cannot be read, is too large, empty, in another encoding,
 * has not all columns or has a quote that never closes; a row of another length comes without fields.
 */
export async function readTradeFile(
	file: string
): Promise<Result<readonly TradeFileRow[], string>> {
	const bytes = await readBytes(file);
	if (!bytes.ok) return bytes;
	const text = decode(bytes.value);
	if (text === null) return err(`The file ${file} is not in UTF-8.`);
	return parseTradeRows(file, text);
}

/** The rows of a file's text; refuses as `readTradeFile` does. */
export function parseTradeRows(
	file: string,
	text: string
): Result<readonly TradeFileRow[], string> {
	if (text.trim() === '') return err(`The file ${file} is empty.`);
	const { data, errors } = Papa.parse<string[]>(text, { delimiter: ',', skipEmptyLines: true });
	const broken = errors.find(({ type }) => type === 'Quotes');
	if (broken !== undefined) {
		return err(
			`Row ${String(broken.row ?? 0)} of the file ${file} has a quote that does not close.`
		);
	}
	const [header = [], ...rows] = data;
	const columns = columnsOf(header);
	if (!columns.ok) return err(`The file ${file} has no column ${columns.error}.`);
	if (rows.length === 0) return err(`The file ${file} has a header and no rows.`);
	return ok(
		rows.map((row, index) => ({
			file,
			number: index + 1,
			fields: row.length === header.length ? fieldsOf(row, columns.value) : null
		}))
	);
}

async function readBytes(file: string): Promise<Result<Buffer, string>> {
	try {
		const packed = await readFile(file);
		const bytes = file.endsWith('.gz') ? await unpack(packed) : packed;
		if (bytes.byteLength <= TRADE_FILE_BYTES_MAX) return ok(bytes);
		return err(tooLarge(file));
	} catch (fault) {
		const code = codeOf(fault);
		if (code === 'ERR_BUFFER_TOO_LARGE') return err(tooLarge(file));
		return err(`The file ${file} cannot be read (${code}).`);
	}
}

/** Stops at the limit: a small file may unpack to a very large one. */
function unpack(packed: Buffer): Promise<Buffer> {
	return promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip)(packed, {
		maxOutputLength: TRADE_FILE_BYTES_MAX
	});
}

function tooLarge(file: string): string {
	const megabytes = TRADE_FILE_BYTES_MAX / 1024 / 1024;
	return `The file ${file} is larger than ${String(megabytes)} MB.`;
}

function decode(bytes: Buffer): string | null {
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
	} catch {
		return null;
	}
}

type Columns = Readonly<Record<keyof TradeFields, number>>;

function columnsOf(header: readonly string[]): Result<Columns, string> {
	const names = header.map((name) => name.trim());
	const missing = TRADE_COLUMNS.find((name) => !names.includes(name));
	if (missing !== undefined) return err(missing);
	const places = TRADE_COLUMNS.map((name) => [name, names.indexOf(name)]);
	return ok(Object.fromEntries(places) as Columns);
}

function fieldsOf(row: readonly string[], columns: Columns): TradeFields {
	const fields = TRADE_COLUMNS.map((name) => [name, row[columns[name]] ?? '']);
	return Object.fromEntries(fields) as TradeFields;
}

function codeOf(fault: unknown): string {
	return fault instanceof Error && 'code' in fault ? String(fault.code) : String(fault);
}
