import { parseAmount } from '#domain/digits.ts';
import { FACT_LINES_MAX, NAME_LENGTH_MAX } from '#domain/fact/fact.ts';
import { AMOUNT_MINOR_MAX, timesQuantity } from '#domain/money.ts';
import { parseThousandths, pieces } from '#domain/quantity.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { cleanName, codeKey, type NameRefusal } from '#domain/text.ts';
import { LINES_BYTES_MAX } from '#state/sell.ts';
import type { TradeFields, TradeFileRow } from './trade-file.ts';

/** A code or a customer number; its key is the same in whatever case it is written. */
export interface Named {
	readonly key: string;
	readonly name: string;
}

export interface TradeLine {
	readonly code: Named;
	readonly name: string;
	/** Above zero: what went out in a sale, came in with a return, or was written off. */
	readonly quantityThousandths: number;
	readonly unitPriceMinor: number;
	/** Price × quantity. */
	readonly totalMinor: number;
}

/** One thing that the shop did at `atMs`, ms UTC. */
export interface Act {
	readonly kind: 'sale' | 'return' | 'adjust';
	readonly invoice: string;
	readonly atMs: number;
	/** Whose account it goes on; null for cash. */
	readonly customer: Named | null;
	readonly lines: readonly TradeLine[];
}

/** Why a row is no part of the trade, in the order in which it is asked. */
export type SkipReason =
	| 'wrongColumns'
	| 'missingInvoice'
	| 'missingCode'
	| 'codeTooLong'
	| 'unreadableCustomer'
	| 'unreadableDate'
	| 'unreadableQuantity'
	| 'unreadablePrice'
	| 'zeroQuantity'
	| 'positiveOnReturn'
	| 'otherInvoice'
	| 'negativePrice'
	| 'tooLarge';

export interface SkippedRow {
	readonly file: string;
	readonly number: number;
	readonly reason: SkipReason;
}

export interface Trade {
	/** In the order of time; what happened at one time in the order of the files. */
	readonly acts: readonly Act[];
	readonly skipped: readonly SkippedRow[];
}

/**
 * Reads rows as a shop's trade.
 *
 * An invoice of digits is a sale of its rows with a positive quantity, one of `C` and digits a
 * return of its rows with a negative one; a negative quantity elsewhere is a stock adjustment, which
 * takes away what it says. What is sold on a row with a CustomerID goes on that customer's account.
 * No invoice of the source has two customers, or one and none; one that had would become an act for
 * each of them, and so does an invoice too long for one fact. The file gives no zone: its times are
 * taken as UTC, where none is missing and none comes twice, and the shop's days are the file's.
 */
export function readTrade(rows: readonly TradeFileRow[]): Trade {
	const taken: TradeRow[] = [];
	const skipped: SkippedRow[] = [];
	for (const { file, number, fields } of rows) {
		const row = fields === null ? err<SkipReason>('wrongColumns') : readRow(fields);
		if (row.ok) taken.push(row.value);
		else skipped.push({ file, number, reason: row.error });
	}
	return { acts: actsOf(taken).sort((a, b) => a.atMs - b.atMs), skipped };
}

interface TradeRow {
	readonly kind: Act['kind'];
	readonly invoice: string;
	readonly atMs: number;
	readonly customer: Named | null;
	readonly line: TradeLine;
}

const CODE_LENGTH_MAX = 48;
const SALE_INVOICE = /^\d+$/;
const RETURN_INVOICE = /^C\d+$/;
const WHOLE = /^-?\d{1,15}$/;
const DECIMAL = /^-?\d{1,15}(\.\d{1,15})?$/;
const TIME = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;
const EARLIEST_MS = Date.UTC(1971, 0);
const LATEST_MS = Date.UTC(2100, 0);

function readRow(fields: TradeFields): Result<TradeRow, SkipReason> {
	const invoice = fields.InvoiceNo.trim();
	if (invoice === '') return err('missingInvoice');
	const code = readCode(fields.StockCode);
	if (!code.ok) return code;
	const customer = readCustomer(fields.CustomerID);
	if (!customer.ok) return customer;
	const atMs = readTime(fields.InvoiceDate.trim());
	if (atMs === null) return err('unreadableDate');

	const quantity = readQuantity(fields.Quantity.trim());
	if (!quantity.ok) return quantity;
	const price = readPrice(fields.UnitPrice.trim());
	if (!price.ok) return price;
	const kind = kindOf(invoice, quantity.value);
	if (!kind.ok) return kind;
	const line = lineOf({
		code: code.value,
		name: nameOf(fields.Description, code.value),
		quantityThousandths: Math.abs(quantity.value),
		// What is written off is neither sold nor bought, whatever its row says.
		unitPriceMinor: kind.value === 'adjust' ? 0 : price.value
	});
	if (!line.ok) return line;
	return ok({ kind: kind.value, invoice, atMs, customer: customer.value, line: line.value });
}

function readCode(text: string): Result<Named, 'missingCode' | 'codeTooLong'> {
	const code = readNamed(text.trim());
	if (code.ok) return code;
	return err(code.error === 'empty' ? 'missingCode' : 'codeTooLong');
}

function readCustomer(text: string): Result<Named | null, 'unreadableCustomer'> {
	const number = text.trim().replace(/\.0$/, '');
	if (number === '') return ok(null);
	const customer = readNamed(number);
	return customer.ok ? customer : err('unreadableCustomer');
}

function readNamed(text: string): Result<Named, NameRefusal> {
	// Two units at most for a code point.
	const name = cleanName(text, CODE_LENGTH_MAX / 2);
	return name.ok ? ok({ key: codeKey(text), name: name.value }) : name;
}

function readTime(text: string): number | null {
	if (!TIME.test(text)) return null;
	const atMs = Date.parse(`${text.replace(' ', 'T')}Z`);
	if (!(atMs >= EARLIEST_MS && atMs < LATEST_MS)) return null;
	// A calendar that has no 30 February gives the second of March.
	return new Date(atMs).toISOString().startsWith(text.replace(' ', 'T')) ? atMs : null;
}

/** Minor units; further decimals are rounded half away from zero, as the text has them. */
function readPrice(text: string): Result<number, SkipReason> {
	if (!DECIMAL.test(text)) return err('unreadablePrice');
	const price = parseAmount(text, { locale: 'en', exponent: 2, excess: 'round', signed: true });
	return price.ok ? price : err('tooLarge');
}

/** Thousandths, negative where goods came back or were written off. */
function readQuantity(text: string): Result<number, SkipReason> {
	if (!WHOLE.test(text)) return err('unreadableQuantity');
	const count = Number(text);
	if (count === 0) return err('zeroQuantity');
	const size = parseThousandths(Math.abs(count) * pieces(1));
	return size.ok ? ok(count < 0 ? -size.value : size.value) : err('tooLarge');
}

function kindOf(invoice: string, quantityThousandths: number): Result<Act['kind'], SkipReason> {
	if (RETURN_INVOICE.test(invoice)) {
		return quantityThousandths < 0 ? ok('return') : err('positiveOnReturn');
	}
	if (quantityThousandths < 0) return ok('adjust');
	return SALE_INVOICE.test(invoice) ? ok('sale') : err('otherInvoice');
}

function nameOf(description: string, code: Named): string {
	const name = cleanName(description, NAME_LENGTH_MAX / 2);
	return name.ok ? name.value : code.name;
}

function lineOf(line: Omit<TradeLine, 'totalMinor'>): Result<TradeLine, SkipReason> {
	if (line.unitPriceMinor < 0) return err('negativePrice');
	const total = timesQuantity(line.unitPriceMinor, line.quantityThousandths);
	return total.ok ? ok({ ...line, totalMinor: total.value }) : total;
}

function actsOf(rows: readonly TradeRow[]): Act[] {
	const rowsByInvoice = Map.groupBy(rows, ({ invoice }) => invoice);
	return Array.from(rowsByInvoice.values()).flatMap((ofInvoice) => {
		const atMs = ofInvoice[0]?.atMs ?? 0;
		const rowsByAct = Map.groupBy(
			ofInvoice,
			({ kind, customer }) => `${kind} ${customer?.key ?? ''}`
		);
		return Array.from(rowsByAct.values()).flatMap((ofAct) =>
			cut(ofAct.map(({ line }) => line)).flatMap((lines) =>
				ofAct.slice(0, 1).map(({ kind, invoice, customer }) => {
					return { kind, invoice, atMs, customer, lines };
				})
			)
		);
	});
}

/** A product's id of up to 14 characters, a returned line's last two numbers, and what stands between. */
const LINE_BYTES = 24;

/** Cuts lines into as many lists as need to be facts of their own: almost always one. */
function cut(lines: readonly TradeLine[]): readonly (readonly TradeLine[])[] {
	const parts: TradeLine[][] = [];
	let room = { bytes: 0, lines: 0, minor: 0 };
	for (const line of lines) {
		const needed = bytesOf(line);
		if (room.bytes < needed || room.lines === 0 || room.minor < line.totalMinor) {
			parts.push([]);
			room = {
				bytes: LINES_BYTES_MAX,
				lines: FACT_LINES_MAX,
				minor: AMOUNT_MINOR_MAX
			};
		}
		parts.at(-1)?.push(line);
		room = {
			bytes: room.bytes - needed,
			lines: room.lines - 1,
			minor: room.minor - line.totalMinor
		};
	}
	return parts;
}

function bytesOf({ name, quantityThousandths, unitPriceMinor, totalMinor }: TradeLine): number {
	const written = JSON.stringify([name, quantityThousandths, unitPriceMinor, totalMinor]);
	return LINE_BYTES + Buffer.byteLength(written);
}
