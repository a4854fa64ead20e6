import papa from 'papaparse';
import { IMPORT_ROWS_MAX } from '#domain/catalog/import-rows.ts';
import { err, ok, type Result } from '#domain/result.ts';

/** 20 MB: ten times the longest list that is taken in. */
export const IMPORT_BYTES_MAX = 20 * 1024 * 1024;
const IMPORT_COLUMNS_MAX = 100;

/** Why a file is no list of products, in the order in which it is asked. */
export type FileRefusal =
	| 'tooLarge'
	| 'empty'
	| 'spreadsheet'
	| 'utf16'
	| 'notUtf8'
	| 'notText'
	| 'openQuote'
	| 'headingsOnly'
	| 'tooManyColumns'
	| 'tooManyRows';

/** The headings, and the rows below them; rows may be shorter. */
export interface Table {
	readonly headings: readonly string[];
	readonly rows: readonly (readonly string[])[];
}

/** Reads a CSV file, whole: UTF-8, with commas, semicolons, tabs or bars between its cells. */
export function readTable(bytes: Uint8Array): Result<Table, FileRefusal> {
	const text = readText(bytes);
	if (!text.ok) return text;
	const { data, errors } = papa.parse<string[]>(text.value, {
		skipEmptyLines: false,
		delimiter: delimiterOf(text.value)
	});
	if (errors.some(({ type }) => type === 'Quotes')) return err('openQuote');
	const [headings = [], ...rows] = withoutBlankEnd(data);
	if (headings.length > IMPORT_COLUMNS_MAX) return err('tooManyColumns');
	if (rows.length === 0) return err('headingsOnly');
	if (rows.length > IMPORT_ROWS_MAX) return err('tooManyRows');
	return ok({ headings: headings.map((heading) => heading.trim()), rows });
}

function readText(bytes: Uint8Array): Result<string, FileRefusal> {
	if (bytes.length > IMPORT_BYTES_MAX) return err('tooLarge');
	if (bytes.length === 0) return err('empty');
	const mark = MARKS.find(([begin]) => begin.every((byte, place) => bytes[place] === byte));
	if (mark !== undefined) return err(mark[1]);
	const text = decode(bytes);
	if (text === undefined) return err('notUtf8');
	// UTF-16 without its mark reads as UTF-8 with a NUL beside each letter.
	if (/^(?:[^\0]\0){2}|^(?:\0[^\0]){2}/.test(text)) return err('utf16');
	if (text.slice(0, SAMPLE_UNITS).includes('\0\0')) return err('notText');
	return text.trim() === '' ? err('empty') : ok(text);
}

/** The first bytes of what people take for a list: a zipped or an old spreadsheet, UTF-16. */
const MARKS: readonly (readonly [readonly number[], FileRefusal])[] = [
	[[0x50, 0x4b, 0x03, 0x04], 'spreadsheet'],
	[[0xd0, 0xcf, 0x11, 0xe0], 'spreadsheet'],
	[[0xff, 0xfe], 'utf16'],
	[[0xfe, 0xff], 'utf16']
];
const SAMPLE_UNITS = 4_096;

/** Undefined where a byte is not UTF-8's; its mark is taken off. */
function decode(bytes: Uint8Array): string | undefined {
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
	} catch (cause) {
		if (cause instanceof TypeError) return undefined;
		throw cause;
	}
}

/**
 * IMPORT-9. Of the signs that part cells, the one that the headings have most of. Sign by sign: they may be as long as
 * the file, and a pattern that goes over so much has no room.
 */
function delimiterOf(text: string): string {
	const counts = new Map(DELIMITERS.map((sign) => [sign, 0]));
	let isQuoted = false;
	for (const sign of text.trimStart()) {
		if (sign === '"') isQuoted = !isQuoted;
		if (isQuoted) continue;
		if (sign === '\r' || sign === '\n') break;
		const count = counts.get(sign);
		if (count !== undefined) counts.set(sign, count + 1);
	}
	const most = Math.max(...counts.values());
	return DELIMITERS.find((sign) => counts.get(sign) === most) ?? ',';
}

const DELIMITERS = [',', ';', '\t', '|'];

function withoutBlankEnd(rows: readonly string[][]): readonly string[][] {
	const last = rows.findLastIndex((cells) => cells.some((cell) => cell.trim() !== ''));
	return rows.slice(0, last + 1);
}
