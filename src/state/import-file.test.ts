import { describe, expect, it } from 'vitest';
import { IMPORT_ROWS_MAX } from '#domain/catalog/import-rows.ts';
import { err, ok } from '#domain/result.ts';
import { IMPORT_BYTES_MAX, readTable } from './import-file.ts';

function bytesOf(text: string): Uint8Array {
	return new TextEncoder().encode(text);
}

describe('a file of products', () => {
	it.each([
		['Name,Price\r\nTea,5\r\n', ','],
		['Name;Price\nTea;5\n\n\n', ';'],
		['\ufeffName\tPrice\nTea\t5', 'tab and mark']
	])('reads %j', (text) => {
		expect(readTable(bytesOf(text))).toEqual(
			ok({ headings: ['Name', 'Price'], rows: [['Tea', '5']] })
		);
	});

	it('keeps blank rows in between, so that numbers are those of the spreadsheet', () => {
		expect(readTable(bytesOf('Name,Price\n\n"Tea, black\nleaf",5'))).toEqual(
			ok({ headings: ['Name', 'Price'], rows: [[''], ['Tea, black\nleaf', '5']] })
		);
	});

	it.each([
		['nothing', new Uint8Array(), 'empty'],
		['blanks', bytesOf(' \r\n\n'), 'empty'],
		['a spreadsheet', Uint8Array.of(0x50, 0x4b, 3, 4, 20), 'spreadsheet'],
		['an old spreadsheet', Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1), 'spreadsheet'],
		['UTF-16', Uint8Array.of(0xff, 0xfe, 0x4e, 0), 'utf16'],
		['UTF-16 without a mark', Uint8Array.of(0x4e, 0, 0x61, 0, 0x6d, 0), 'utf16'],
		['Windows-1252', Uint8Array.of(0x43, 0x61, 0x66, 0xe9, 0x2c, 0x35), 'notUtf8'],
		['a picture', Uint8Array.of(0x41, 0x42, 0, 0, 0, 1), 'notText'],
		['an open quote', bytesOf('Name,Price\n"Tea,5\nMilk,6'), 'openQuote'],
		['headings alone', bytesOf('Name,Price\n'), 'headingsOnly'],
		['too many columns', bytesOf(`${'x,'.repeat(101)}\n1,2`), 'tooManyColumns'],
		['too many rows', bytesOf(`a,b\n${'1,2\n'.repeat(IMPORT_ROWS_MAX + 1)}`), 'tooManyRows'],
		['a large file', new Uint8Array(IMPORT_BYTES_MAX + 1), 'tooLarge']
	] as const)('refuses %s', (_what, bytes, refusal) => {
		expect(readTable(bytes)).toEqual(err(refusal));
	});

	it('takes as many rows as are allowed', () => {
		const read = readTable(bytesOf(`a,b\n${'1,2\n'.repeat(IMPORT_ROWS_MAX)}`));
		expect(read.ok && read.value.rows.length).toBe(IMPORT_ROWS_MAX);
	});
});

it('[IMPORT-9] reads a file whose first line is of many megabytes, or never ends, as it reads any', () => {
	const LENGTH = 14_000_000;
	const read = (text: string) => readTable(new TextEncoder().encode(text));
	expect(read('a'.repeat(LENGTH))).toEqual({ ok: false, error: 'headingsOnly' });
	expect(read(`"${'a'.repeat(LENGTH)}`)).toEqual({ ok: false, error: 'openQuote' });
	const long = read(`"${'a\n'.repeat(LENGTH / 2)}";price\nsalt;1\n`);
	expect(long.ok && [long.value.headings.length, long.value.rows]).toEqual([2, [['salt', '1']]]);
});
