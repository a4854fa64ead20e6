import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTradeRows, readTradeFile, TRADE_FILE_BYTES_MAX } from './trade-file.ts';

const HEADER = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';
const ROW = '536365,85123A,"HEART, ""WHITE""",6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom';
const FIELDS = {
	InvoiceNo: '536365',
	StockCode: '85123A',
	Description: 'HEART, "WHITE"',
	Quantity: '6',
	InvoiceDate: '2010-12-01 08:26:00',
	UnitPrice: '2.55',
	CustomerID: '17850.0'
};

describe('parseTradeRows', () => {
	it('reads rows by the names of their columns', () => {
		const rows = parseTradeRows('shop.csv', `${HEADER}\n${ROW}\n`);
		expect(rows).toEqual({ ok: true, value: [{ file: 'shop.csv', number: 1, fields: FIELDS }] });
		const moved = parseTradeRows(
			'shop.csv',
			'\uFEFFCustomerID,InvoiceNo,StockCode,Description,Quantity,InvoiceDate, UnitPrice \r\n' +
				'17850.0,536365,85123A,"HEART, ""WHITE""",6,2010-12-01 08:26:00,2.55\r\n'
		);
		expect(moved).toEqual(rows);
	});

	it('gives no fields of a row that is cut short or too long', () => {
		const rows = parseTradeRows('shop.csv', `${HEADER}\n536365,85123A\n${ROW}\n${ROW},more`);
		expect(rows.ok && rows.value.map(({ fields }) => fields !== null)).toEqual([
			false,
			true,
			false
		]);
	});

	it.each([
		['', 'The file shop.csv is empty.'],
		[' \n\n', 'The file shop.csv is empty.'],
		[`${HEADER}\n`, 'The file shop.csv has a header and no rows.'],
		['name;price\nsoap;3', 'The file shop.csv has no column InvoiceNo.'],
		[
			HEADER.replace('UnitPrice', 'Price') + `\n${ROW}`,
			'The file shop.csv has no column UnitPrice.'
		],
		[
			`${HEADER}\n${ROW}\n536366,1,"CUT`,
			'Row 2 of the file shop.csv has a quote that does not close.'
		]
	])('refuses %j', (text, sentence) => {
		expect(parseTradeRows('shop.csv', text)).toEqual({ ok: false, error: sentence });
	});
});

describe('readTradeFile', () => {
	let folder = '';
	beforeAll(async () => {
		folder = await mkdtemp(path.join(os.tmpdir(), 'daftar-trade-file-'));
	});
	afterAll(() => rm(folder, { recursive: true }));

	async function given(name: string, bytes: Uint8Array): Promise<string> {
		const file = path.join(folder, name);
		await writeFile(file, bytes);
		return file;
	}

	it('reads plain and packed files alike', async () => {
		const text = Buffer.from(`${HEADER}\n${ROW}\n`);
		for (const file of [await given('a.csv', text), await given('a.csv.gz', gzipSync(text))]) {
			expect(await readTradeFile(file)).toMatchObject({
				ok: true,
				value: [{ file, fields: FIELDS }]
			});
		}
	});

	it('refuses a file in another encoding', async () => {
		const latin = Buffer.from(`${HEADER}\n${ROW.replace('HEART', '\u00a3 HEART')}\n`, 'latin1');
		const file = await given('latin.csv', latin);
		expect(await readTradeFile(file)).toEqual({
			ok: false,
			error: `The file ${file} is not in UTF-8.`
		});
		const wide = await given('wide.csv', Buffer.from(`\uFEFF${HEADER}`, 'utf16le'));
		expect(await readTradeFile(wide)).toMatchObject({ ok: false });
	});

	it('refuses what is too large, unpacked, without unpacking it', async () => {
		const zeros = Buffer.alloc(TRADE_FILE_BYTES_MAX + 1, 'a');
		const packed = await given('zeros.csv.gz', gzipSync(zeros));
		const sentence = (file: string): unknown => ({
			ok: false,
			error: `The file ${file} is larger than 64 MB.`
		});
		expect(await readTradeFile(packed)).toEqual(sentence(packed));
		const plain = await given('zeros.csv', zeros);
		expect(await readTradeFile(plain)).toEqual(sentence(plain));
	});

	it('refuses what is not there, no file or not packed', async () => {
		const missing = path.join(folder, 'missing.csv');
		expect(await readTradeFile(missing)).toEqual({
			ok: false,
			error: `The file ${missing} cannot be read (ENOENT).`
		});
		expect(await readTradeFile(folder)).toMatchObject({ ok: false });
		const named = await given('plain.csv.gz', Buffer.from(HEADER));
		expect(await readTradeFile(named)).toMatchObject({
			ok: false,
			error: `The file ${named} cannot be read (Z_DATA_ERROR).`
		});
	});
});
