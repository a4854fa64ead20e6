import { unreachable } from '#domain/assert.ts';
import type { RecordKind } from '#domain/confirmation/record-kind.ts';
import {
	productIdOf,
	receiptNumber,
	type DeviceCode,
	type FactId,
	type LedgerId,
	type ProductId
} from '#domain/ids.ts';
import { changeMinor, documentTotalMinor, sumOf, sumOfKind } from './document-total.ts';
import type {
	CustomerFields,
	DeviceFields,
	Fact,
	FactRecord,
	MemberFields,
	ProductFields,
	RecordFact,
	ReturnFact,
	SaleFact,
	SettingFields,
	SoldLine
} from './fact.ts';

/**
 * What a fact does to the shop's numbers (SPEC FACT-5). The device's read model, the tables in
 * PostgreSQL and the replay in memory all add up these and nothing else, so they cannot differ.
 */
export interface Effects {
	/** Adds to the level of each product, in the branch of the fact. A product may come twice. */
	readonly stock: readonly StockEffect[];
	/** Adds to the totals of the branch's business day; null where the fact moves none. */
	readonly day: DayTotals | null;
	readonly records: readonly FactRecord[];
	readonly products: readonly EntityChange<ProductId, ProductFields>[];
	readonly customers: readonly EntityChange<LedgerId, CustomerFields>[];
	readonly settings: SettingFields | null;
	readonly members: readonly EntityChange<number, MemberFields>[];
	readonly devices: readonly EntityChange<DeviceCode, DeviceFields>[];
	/** The number on the receipt that this fact issued. */
	readonly receipt: string | null;
	/** The sale whose goods came back. */
	readonly returnOf: FactId | null;
}

export interface StockEffect {
	readonly productId: ProductId;
	readonly deltaThousandths: number;
}

/** Each field wins by the stamp of its fact, then by its id. */
export interface EntityChange<Key, Fields> {
	readonly key: Key;
	readonly fields: Fields;
}

/** What a branch's business day came to. Minor units and counts; sums, so `bigint`. */
export interface DayTotals {
	readonly salesCount: bigint;
	readonly salesMinor: bigint;
	readonly returnsCount: bigint;
	readonly returnsMinor: bigint;
	/** Cash kept of sales, and cash payments of dues less those given back. */
	readonly cashInMinor: bigint;
	/** Cash paid back for returns. */
	readonly cashOutMinor: bigint;
	/** Sold on account. */
	readonly accountMinor: bigint;
	/** Returned on account. */
	readonly accountBackMinor: bigint;
	/** Dues written without a sale, less those taken back. */
	readonly gaveMinor: bigint;
	/** Payments of dues, less those taken back. */
	readonly gotMinor: bigint;
}

export const DAY_ZERO: DayTotals = {
	salesCount: 0n,
	salesMinor: 0n,
	returnsCount: 0n,
	returnsMinor: 0n,
	cashInMinor: 0n,
	cashOutMinor: 0n,
	accountMinor: 0n,
	accountBackMinor: 0n,
	gaveMinor: 0n,
	gotMinor: 0n
};

export const DAY_TOTAL_NAMES = Object.keys(DAY_ZERO) as readonly (keyof DayTotals)[];

export function addDayTotals(a: DayTotals, b: DayTotals): DayTotals {
	return Object.fromEntries(
		DAY_TOTAL_NAMES.map((name) => [name, a[name] + b[name]])
	) as unknown as DayTotals;
}

const NONE: Effects = {
	stock: [],
	day: null,
	records: [],
	products: [],
	customers: [],
	settings: null,
	members: [],
	devices: [],
	receipt: null,
	returnOf: null
};

export function effectsOf(fact: Fact): Effects {
	switch (fact.kind) {
		case 'sale':
			return effectsOfSale(fact);
		case 'return':
			return effectsOfReturn(fact);
		case 'adjust':
			return { ...NONE, stock: fact.rows };
		case 'product':
			return {
				...NONE,
				products: fact.rows.map(({ productId, fields }, row) => ({
					key: productId ?? productIdOf(fact.id, row),
					fields
				}))
			};
		case 'customer':
			return {
				...NONE,
				customers: fact.rows.map(({ ledgerId, fields }) => ({ key: ledgerId, fields }))
			};
		case 'setting':
			return { ...NONE, settings: fact.fields };
		case 'record':
			return { ...NONE, records: fact.records, day: dayOfRecords(fact) };
		case 'member':
			return { ...NONE, members: [{ key: fact.member, fields: fact.fields }] };
		case 'device':
			return { ...NONE, devices: [{ key: fact.device, fields: fact.fields }] };
		default:
			return unreachable(fact);
	}
}

function effectsOfSale(fact: SaleFact): Effects {
	return {
		...NONE,
		stock: stockOf(fact.lines, -1),
		day: {
			...DAY_ZERO,
			salesCount: 1n,
			salesMinor: documentTotalMinor(fact),
			cashInMinor: sumOfKind(fact.tenders, 'cash') - changeMinor(fact),
			accountMinor: sumOfKind(fact.tenders, 'account')
		},
		records: fact.record === undefined ? [] : [fact.record],
		receipt: receiptNumber(fact.code, fact.receipt)
	};
}

function effectsOfReturn(fact: ReturnFact): Effects {
	return {
		...NONE,
		stock: stockOf(
			fact.lines.filter(({ isDamaged }) => !isDamaged),
			1
		),
		day: {
			...DAY_ZERO,
			returnsCount: 1n,
			returnsMinor: documentTotalMinor(fact),
			cashOutMinor: sumOfKind(fact.refunds, 'cash'),
			accountBackMinor: sumOfKind(fact.refunds, 'account')
		},
		records: fact.record === undefined ? [] : [fact.record],
		receipt: receiptNumber(fact.code, fact.receipt),
		returnOf: fact.saleId
	};
}

/** A due or payment that is taken back leaves the day on which it was taken back, not its own. */
function dayOfRecords(fact: RecordFact): DayTotals {
	const { tender, undoes } = fact;
	const undoneDues = undoes === 'due' ? sumOfRecords(fact, 'reversalOfDebit') : 0n;
	const undonePayments = undoes === 'payment' ? sumOfRecords(fact, 'reversalOfCredit') : 0n;
	const gotMinor = sumOfRecords(fact, 'payment') - undonePayments;
	return {
		...DAY_ZERO,
		gaveMinor: sumOfRecords(fact, 'due') - undoneDues,
		gotMinor,
		cashInMinor: tender === 'cash' ? gotMinor : 0n
	};
}

function sumOfRecords({ records }: RecordFact, kind: RecordKind): bigint {
	return sumOf(
		records.filter(({ core }) => core.kind === kind),
		({ core }) => core.amount
	);
}

function stockOf(lines: readonly SoldLine[], sign: 1 | -1): readonly StockEffect[] {
	return lines.flatMap(({ productId, quantityThousandths }) =>
		productId === null ? [] : [{ productId, deltaThousandths: sign * quantityThousandths }]
	);
}
