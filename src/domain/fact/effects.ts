import type { RecordKind } from '#domain/confirmation/record-kind.ts';
import type { Claim } from '#domain/confirmation/claim.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { Decision } from '#domain/confirmation/signatures.ts';
import type { VerdictResult } from '#domain/confirmation/verdict.ts';
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
import { firstName } from './issued-again.ts';
import type {
	AskFields,
	CancelReason,
	EntryRow,
	LinkFields,
	MergeFact,
	PersonFact,
	SheetFields,
	ShopAnswer
} from './ledger-fact.ts';

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
	/** What was said of records since they were written; confirmation.md section 7. */
	readonly sayings: readonly Saying[];
	/** What the statement among `records` lists. */
	readonly list: readonly RecordHash[];
	readonly entries: readonly EntryEffect[];
	readonly merges: readonly Pick<MergeFact, 'a' | 'b' | 'isJoined'>[];
	readonly links: readonly EntityChange<LedgerId, LinkFields>[];
	readonly asks: readonly EntityChange<string, AskFields>[];
	readonly sheets: readonly { readonly ledgerId: LedgerId; readonly fields: SheetFields }[];
	/** The customer's phone has everything of the ledger up to then. */
	readonly saw: { readonly ledgerId: LedgerId; readonly upToMs: number } | null;
	/** Rough slips and pending payments that this fact ends. */
	readonly ends: readonly FactId[];
}

/** Something said of one record. Its time is the stamp of the fact that says it. */
export type Saying =
	| {
			readonly kind: 'claimed';
			readonly h: RecordHash;
			readonly claimId: string;
			readonly way: Claim['way'];
			/** Of a one-time code that no record is written on: which one it is, within its ledger. */
			readonly codeKey?: string;
	  }
	| {
			readonly kind: 'verdict';
			readonly h: RecordHash;
			readonly ledgerId: LedgerId;
			readonly claimId: string;
			readonly result: VerdictResult;
			readonly al: number;
			readonly epoch: number;
			readonly seq: number;
			readonly at: number;
			/** Wrong codes of the claim's way so far (`VerdictFact`). */
			readonly wrong: number;
	  }
	| {
			readonly kind: 'reply';
			readonly h: RecordHash;
			readonly ledgerId: LedgerId;
			readonly decision: Decision;
			readonly n: number;
			/** By the relay's clock. */
			readonly at: number;
			readonly reason: CancelReason | 0;
			readonly note: string;
	  }
	| ({ readonly kind: 'shopAnswer'; readonly at: number } & ShopAnswer);

export interface EntryEffect {
	/** 0 for a rough slip. */
	readonly ledgerId: LedgerId | 0;
	readonly row: EntryRow;
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
	return {
		salesCount: a.salesCount + b.salesCount,
		salesMinor: a.salesMinor + b.salesMinor,
		returnsCount: a.returnsCount + b.returnsCount,
		returnsMinor: a.returnsMinor + b.returnsMinor,
		cashInMinor: a.cashInMinor + b.cashInMinor,
		cashOutMinor: a.cashOutMinor + b.cashOutMinor,
		accountMinor: a.accountMinor + b.accountMinor,
		accountBackMinor: a.accountBackMinor + b.accountBackMinor,
		gaveMinor: a.gaveMinor + b.gaveMinor,
		gotMinor: a.gotMinor + b.gotMinor
	};
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
	returnOf: null,
	sayings: [],
	list: [],
	entries: [],
	merges: [],
	links: [],
	asks: [],
	sheets: [],
	saw: null,
	ends: []
};

export function effectsOf(fact: Fact): Effects {
	// Each function is asked about facts of the kind under which it stands.
	const some = EFFECTS[fact.kind] as ((fact: Fact) => Partial<Effects>) | undefined;
	return some === undefined ? NONE : { ...NONE, ...some(fact) };
}

/** The records among the effects of a fact, where nothing else of them is asked for. */
export function recordsOf(fact: Fact): readonly FactRecord[] {
	switch (fact.kind) {
		case 'record':
			return fact.records;
		case 'sale':
		case 'return':
			return fact.record === undefined ? NONE.records : [fact.record];
		default:
			return NONE.records;
	}
}

type ShopFact = Exclude<Fact, PersonFact>;

/** A person's facts move nothing in a shop. */
const EFFECTS: {
	readonly [Kind in ShopFact['kind']]: (
		fact: Extract<ShopFact, { kind: Kind }>
	) => Partial<Effects>;
} & Partial<Readonly<Record<PersonFact['kind'], never>>> = {
	sale: effectsOfSale,
	return: effectsOfReturn,
	adjust: ({ rows }) => ({ stock: rows }),
	product: ({ id, rows }) => ({
		products: rows.map(({ productId, fields }, row) => ({
			key: productId ?? productIdOf(id, row),
			fields
		}))
	}),
	customer: ({ rows }) => ({
		customers: rows.map(({ ledgerId, fields }) => ({ key: ledgerId, fields }))
	}),
	setting: ({ fields }) => ({ settings: fields }),
	record: effectsOfRecords,
	member: ({ member, fields }) => ({ members: [{ key: member, fields }] }),
	device: ({ device, fields }) => ({ devices: [{ key: device, fields }] }),
	clock: () => NONE,
	claim: ({ claim }) => ({ sayings: [claimed(claim)] }),
	entry: ({ ledgerId, row }) => ({
		entries: [{ ledgerId, row }],
		ends: row[0] === 'bounced' || row[0] === 'slipDone' ? [row[1]] : []
	}),
	merge: ({ a, b, isJoined }) => ({ merges: [{ a, b, isJoined }] }),
	ask: ({ askId, fields }) => ({ asks: [{ key: askId, fields }] }),
	link: ({ ledgerId, fields }) => ({ links: [{ key: ledgerId, fields }] }),
	sheet: ({ ledgerId, fields }) => ({ sheets: [{ ledgerId, fields }] }),
	verdict: ({ ledgerId, claimId, wrong, verdict }) => {
		const { h, result, al, relayEpoch: epoch, seq, at } = verdict;
		return {
			sayings: [{ kind: 'verdict', h, ledgerId, claimId, result, al, epoch, seq, at, wrong }]
		};
	},
	answered: ({ h, ledgerId, decision, answerN: n, at, reason, note }) => ({
		sayings: [{ kind: 'reply', h, ledgerId, decision, n, at: at.wall, reason, note }]
	}),
	saw: ({ ledgerId, upToMs }) => ({ saw: { ledgerId, upToMs } })
};

function claimed({ h, id, way, counter, code }: Claim): Saying {
	const saying = { kind: 'claimed', h, claimId: id, way } as const;
	if (way !== 'sheet' && way !== 'app') return saying;
	return { ...saying, codeKey: [way, counter ?? '', code].join(' ') };
}

function effectsOfRecords(fact: RecordFact): Partial<Effects> {
	const { records, answer, list = [], slip, pending, at } = fact;
	return {
		records,
		day: dayOfRecords(fact),
		list,
		sayings: answer === undefined ? [] : [{ kind: 'shopAnswer', at: at.wall, ...answer }],
		ends: [slip, pending].filter((id) => id !== undefined)
	};
}

function effectsOfSale(fact: SaleFact): Partial<Effects> {
	return {
		stock: stockOf(fact.lines, -1),
		day: {
			...DAY_ZERO,
			salesCount: 1n,
			salesMinor: documentTotalMinor(fact),
			cashInMinor: sumOfKind(fact.tenders, 'cash') - changeMinor(fact),
			accountMinor: sumOfKind(fact.tenders, 'account')
		},
		records: recordsOf(fact),
		receipt: receiptNumber(firstName(fact).code, fact.receipt)
	};
}

function effectsOfReturn(fact: ReturnFact): Partial<Effects> {
	return {
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
		records: recordsOf(fact),
		receipt: receiptNumber(firstName(fact).code, fact.receipt),
		returnOf: fact.saleId
	};
}

/**
 * Totals are of one currency: what is apart moves none.
 * A due or payment that is taken back leaves the day on which it was taken back, not its own.
 */
function dayOfRecords(fact: RecordFact): DayTotals | null {
	const { tender, undoes, isApart } = fact;
	if (isApart === true) return null;
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
