import { codeKey } from '#domain/text.ts';
import type { Totals } from './totals.ts';
import type { TradeFields, TradeFileRow } from './trade-file.ts';

/**
 * What the trade of these rows must come to: a plain sum over them that uses nothing of the shop's
 * rules but what makes two codes one, so that the replay is held against a second reading of the
 * file. Takes only rows that were not skipped.
 */
export function expectedTotals(rows: readonly TradeFileRow[]): Totals {
	const read = rows.flatMap(({ fields }) => (fields === null ? [] : [readPlainly(fields)]));
	const sold = read.filter(({ isReturn, units }) => !isReturn && units > 0n);
	const returned = read.filter(({ isReturn }) => isReturn);
	const writtenOff = read.filter(({ isReturn, units }) => !isReturn && units < 0n);
	const onAccount = (row: PlainRow): boolean => row.customer !== '';
	return {
		sales: distinct(sold.map(({ invoice }) => invoice)),
		returns: distinct(returned.map(({ invoice }) => invoice)),
		adjustments: writtenOff.length,
		saleLines: sold.length,
		returnLines: returned.length,
		salesMinor: valueOf(sold),
		returnsMinor: -valueOf(returned),
		products: distinct(read.map(({ code }) => code)),
		customers: distinct(read.filter(onAccount).map(({ customer }) => customer)),
		balanceMinor: valueOf([...sold, ...returned].filter(onAccount)),
		// A sale takes what it counts from stock; a write-off says by its sign what it takes.
		stockUnits: unitsOf(writtenOff) - unitsOf([...sold, ...returned])
	};
}

interface PlainRow {
	readonly invoice: string;
	readonly isReturn: boolean;
	readonly code: string;
	readonly customer: string;
	/** As the file has it: negative where goods came back or were written off. */
	readonly units: bigint;
	readonly priceMinor: bigint;
}

function readPlainly(fields: TradeFields): PlainRow {
	const invoice = fields.InvoiceNo.trim();
	return {
		invoice,
		isReturn: invoice.startsWith('C'),
		code: codeKey(fields.StockCode),
		customer: codeKey(fields.CustomerID.trim().replace(/\.0$/, '')),
		units: BigInt(fields.Quantity.trim()),
		priceMinor: penceOf(fields.UnitPrice.trim())
	};
}

/** Pounds as pence: the decimals as they stand, and half a penny or more is one more. */
function penceOf(pounds: string): bigint {
	const [whole = '', decimals = ''] = pounds.split('.');
	const thousandths = BigInt(whole + decimals.slice(0, 3).padEnd(3, '0'));
	return (thousandths + 5n) / 10n;
}

function valueOf(rows: readonly PlainRow[]): bigint {
	return rows.reduce((sum, { units, priceMinor }) => sum + units * priceMinor, 0n);
}

function unitsOf(rows: readonly PlainRow[]): bigint {
	return rows.reduce((sum, { units }) => sum + units, 0n);
}

function distinct(keys: readonly string[]): number {
	return new Set(keys).size;
}
