import type { Sql } from 'postgres';
import type { BusinessId } from '#domain/ids.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { packRows, type PackedRows } from '#domain/packed-rows.ts';
import { NO_LEDGER } from '#server/database/journal.ts';
import { asRecord, readDays, readPeople, settingRows, type RecordColumns } from './checkpoint.ts';
import type { FieldStamp, LatestFields } from './latest-fields.ts';
import { clockFacts } from './ledger-facts.ts';
import type { FactRanges } from './fact-ranges.ts';

/** The pieces of a checkpoint in the order in which a till needs them. */
export const CHECKPOINT_PARTS = [
	'first',
	'products',
	'customers',
	'days',
	'retired',
	'said',
	'ledgers'
] as const;
export type CheckpointPart = (typeof CHECKPOINT_PARTS)[number] | 'ledger';

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

/** How the last key of each part is written. */
const PLACES: Readonly<Record<CheckpointPart, RegExp>> = {
	first: /^$/,
	products: /^.{0,40}$/,
	customers: new RegExp(`^(?:${UUID})?$`),
	days: new RegExp(`^(?:${UUID}/\\d{4}-\\d\\d-\\d\\d)?$`),
	retired: /^.{0,40}$/,
	said: /^(?:[0-9A-Za-z.]{1,20}\/\d{1,15})?$/,
	ledgers: new RegExp(`^(?:${UUID}/[\\w-]{43})?$`),
	ledger: new RegExp(`^${UUID}/(?:[\\w-]{43})?$`)
};

export function isCheckpointPart(part: string): part is CheckpointPart {
	return Object.hasOwn(PLACES, part);
}

export function isPlaceOf(part: CheckpointPart, after: string): boolean {
	return PLACES[part].test(after);
}

/** Where to go on: the part, and the last key of it that was sent; empty for its beginning. */
export interface PageAsked {
	readonly part: CheckpointPart;
	readonly after: string;
}

/**
 * FEED-4. A piece of the checkpoint. All of it is of the facts up to `s`, read at one moment; other
 * pieces are of other moments. Rows are packed, stamps are places in the list of stamps.
 */
export interface CheckpointPage {
	readonly epoch: number;
	readonly s: number;
	readonly ranges: FactRanges;
	/** Null after the last. */
	readonly next: PageAsked | null;
	readonly stamps?: readonly FieldStamp[];
	readonly often?: readonly string[];
	readonly settings?: readonly object[];
	readonly members?: readonly object[];
	readonly devices?: readonly object[];
	readonly stock?: PackedRows;
	readonly products?: PackedRows;
	readonly customers?: PackedRows;
	/** What the ledgers come to, for a device that has not their records yet. */
	readonly bases?: PackedRows;
	readonly days?: PackedRows;
	readonly records?: PackedRows;
	readonly ledgerFacts?: readonly (readonly [branch: string | null, text: string])[];
	/** The ledgers of which everything is here with this page. */
	readonly whole?: readonly string[];
}

export interface PageParts {
	readonly sql: Sql;
	readonly business: BusinessId;
	readonly epoch: number;
	/** The numbers that the facts up to `s` have, read in the transaction. */
	readonly sizes?: PageSizes;
	readonly readRanges: (tx: Sql, business: BusinessId, s: number) => Promise<FactRanges>;
}

type PageBody = Omit<CheckpointPage, 'epoch' | 's' | 'ranges'>;

export async function readCheckpointPage(
	{ sql, business, epoch, readRanges, sizes = SIZES }: PageParts,
	asked: PageAsked
): Promise<CheckpointPage> {
	return sql.begin('isolation level repeatable read read only', async (transaction) => {
		const tx = transaction as unknown as Sql;
		const [head] = await tx<{ s: string }[]>`select s from feed_head where business = ${business}`;
		const s = Number(head?.s ?? 0);
		const ranges = await readRanges(tx, business, s);
		const body = await READERS[asked.part]({ tx, business, sizes }, asked.after);
		return { epoch, s, ranges, ...body };
	});
}

interface Reading {
	readonly tx: Sql;
	readonly business: BusinessId;
	readonly sizes: PageSizes;
}

type ReadPart = (reading: Reading, after: string) => Promise<PageBody>;

/** How many rows a piece has at the most. */
export type PageSizes = Readonly<
	Record<'products' | 'customers' | 'days' | 'said' | 'records', number>
>;

/** Each so small that a line of 20 kB/s brings it in a few seconds. */
const SIZES: PageSizes = {
	products: 1_500,
	customers: 1_000,
	days: 600,
	said: 500,
	records: 1_000
};
/** What is sold most is found in so many of the last facts. */
const OFTEN_FACTS = 600;
const OFTEN_MAX = 600;
const FIRST_DAYS = 40;

const READERS: Readonly<Record<CheckpointPart, ReadPart>> = {
	first: readFirst,
	products: (reading, after) => readProducts(reading, after, { part: 'products', isUsed: true }),
	customers: readCustomers,
	days: readDayPage,
	retired: (reading, after) => readProducts(reading, after, { part: 'retired', isUsed: false }),
	said: readSaid,
	ledgers: readLedgers,
	ledger: readLedger
};

function nextOf(part: CheckpointPart, last: string | undefined): PageAsked | null {
	if (last !== undefined) return { part, after: last };
	const place = CHECKPOINT_PARTS.findIndex((one) => one === part);
	const next = place < 0 ? undefined : CHECKPOINT_PARTS[place + 1];
	return next === undefined ? null : { part: next, after: '' };
}

/** What a till opens with: what the shop is, and the things it sells most. */
async function readFirst({ tx, business, sizes }: Reading): Promise<PageBody> {
	const often = await readOften({ tx, business });
	const [people, ledgerFacts, settings, products, days] = await Promise.all([
		readPeople(tx, business),
		readClocks(tx, business),
		tx<LatestFields[]>`select fields, stamps from setting where business = ${business}`,
		tx<ProductColumns[]>`
			select product, fields, stamps from product where business = ${business}
				and (product = any(${[...often]}::text[]) or fields @> '{"favourite": true}')
			order by product limit ${sizes.products}`,
		readDays(tx, business, { latest: FIRST_DAYS })
	]);
	const goods = await goodsOf({ tx, business }, products);
	return {
		...goods,
		...people,
		often,
		settings: settings.flatMap(settingRows),
		days: packRows(days),
		ledgerFacts,
		next: nextOf('first', undefined)
	};
}

/** The products of the last sales, what was sold most often first. */
async function readOften({
	tx,
	business
}: Pick<Reading, 'tx' | 'business'>): Promise<readonly string[]> {
	const rows = await tx<{ text: string }[]>`
		select text from (
			select kind, text from fact where business = ${business}
			order by s desc limit ${OFTEN_FACTS}
		) as latest where kind = 'sale'`;
	const counts = new Map<string, number>();
	for (const { text } of rows) {
		const fact = parseFact(text);
		if (!fact.ok || fact.value.kind !== 'sale') continue;
		for (const { productId } of fact.value.lines)
			if (productId !== null) counts.set(productId, (counts.get(productId) ?? 0) + 1);
	}
	return [...counts]
		.toSorted(([a, times], [b, others]) => others - times || (a < b ? -1 : 1))
		.slice(0, OFTEN_MAX)
		.map(([product]) => product);
}

interface ProductColumns extends LatestFields {
	readonly product: string;
}

async function readProducts(
	{ tx, business, sizes }: Reading,
	after: string,
	{ part, isUsed }: { readonly part: CheckpointPart; readonly isUsed: boolean }
): Promise<PageBody> {
	const rows = await tx<ProductColumns[]>`
		select product, fields, stamps from product
		where business = ${business} and product > ${after}
			and (fields @> '{"active": false}') = ${!isUsed}
		order by product limit ${sizes.products}`;
	const last = rows.length < sizes.products ? undefined : rows.at(-1)?.product;
	return { ...(await goodsOf({ tx, business }, rows)), next: nextOf(part, last) };
}

/** Products with what is left of them: the levels stand before the names, near the ids they repeat. */
async function goodsOf(
	{ tx, business }: Pick<Reading, 'tx' | 'business'>,
	products: readonly ProductColumns[]
): Promise<Pick<PageBody, 'stamps' | 'stock' | 'products'>> {
	const stock = await tx<{ branch: string; product: string; level: string }[]>`
		select branch, product, thousandths as level from stock
		where business = ${business} and product = any(${products.map((row) => row.product)}::text[])
		order by branch, product`;
	const book = createStampBook();
	const rows = products.map(({ product, fields, stamps }) => ({
		id: product,
		stamps: book.place(stamps),
		...fields
	}));
	return { stamps: book.all, stock: packRows([...stock]), products: packRows(rows) };
}

async function readCustomers({ tx, business, sizes }: Reading, after: string): Promise<PageBody> {
	const customers = await tx<(LatestFields & { ledger: string })[]>`
		select ledger, fields, stamps from customer
		where business = ${business} and ledger > ${after === '' ? NO_LEDGER : after}
		order by ledger limit ${sizes.customers}`;
	const book = createStampBook();
	const rows = customers.map(({ ledger, fields, stamps }) => ({
		ledger,
		stamps: book.place(stamps),
		...fields
	}));
	const balances = await tx<Readonly<Record<string, string>>[]>`
		select ledger, currency, exponent, confirmed, waiting, credited, disputed,
			last_at as "lastAt"
		from balance
		where business = ${business} and ledger = any(${customers.map((row) => row.ledger)}::uuid[])
		order by ledger, currency, exponent`;
	const last = rows.length < sizes.customers ? undefined : rows.at(-1)?.ledger;
	return {
		stamps: book.all,
		bases: packRows([...balances]),
		customers: packRows(rows),
		next: nextOf('customers', last)
	};
}

async function readDayPage({ tx, business, sizes }: Reading, after: string): Promise<PageBody> {
	const [branch = '', on = ''] = after.split('/');
	const days = await readDays(tx, business, {
		after: branch === '' ? undefined : { branch, on },
		limit: sizes.days
	});
	const last = days.at(-1);
	const more = days.length === sizes.days && last !== undefined;
	return {
		days: packRows([...days]),
		next: nextOf('days', more ? `${last.branch}/${last.on}` : undefined)
	};
}

/** What is said of no one ledger. */
async function readSaid({ tx, business, sizes }: Reading, after: string): Promise<PageBody> {
	const [code = '', n = '0'] = after.split('/');
	const rows = await tx<SaidColumns[]>`
		select fact.branch, fact.text, code, n from ledger_fact join fact using (business, code, n)
		where ledger_fact.business = ${business} and ledger = ${NO_LEDGER}
			and (code, n) > (${code}, ${n}::bigint)
		order by code, n limit ${sizes.said}`;
	const last = rows.length < sizes.said ? undefined : rows.at(-1);
	return {
		ledgerFacts: rows.map(({ branch, text }) => [branch, text]),
		next: nextOf('said', last === undefined ? undefined : `${last.code}/${last.n}`)
	};
}

interface SaidColumns {
	readonly branch: string | null;
	readonly text: string;
	readonly code: string;
	readonly n: string;
}

/**
 * The records of ledger after ledger, in the order of their keys. A ledger may be cut; it is whole with
 * the page in which a later one begins, and what is said of it comes with that page.
 */
async function readLedgers({ tx, business, sizes }: Reading, after: string): Promise<PageBody> {
	const [ledger = '', h = ''] = after.split('/');
	const from = ledger === '' ? NO_LEDGER : ledger;
	const rows = await tx<RecordColumns[]>`
		select ${recordColumns(tx)} from record
		where business = ${business} and (ledger, h) > (${from}, ${h})
		order by ledger, h limit ${sizes.records}`;
	const last = rows.length < sizes.records ? undefined : rows.at(-1);
	const until = last?.ledger;
	const ledgerFacts = await tx<{ branch: string | null; text: string }[]>`
		select fact.branch, fact.text from ledger_fact join fact using (business, code, n)
		where ledger_fact.business = ${business} and ledger >= ${from} and ledger <> ${NO_LEDGER}
			${until === undefined ? tx`` : tx`and ledger < ${until}`}`;
	const whole = new Set([...(ledger === '' ? [] : [ledger]), ...rows.map((row) => row.ledger)]);
	if (until !== undefined) whole.delete(until);
	return {
		...recordsOf(rows),
		ledgerFacts: ledgerFacts.map(({ branch, text }) => [branch, text]),
		whole: [...whole],
		next: nextOf('ledgers', last === undefined ? undefined : `${last.ledger}/${last.h}`)
	};
}

/** One ledger, before its turn: `after` names it, and the last record that came of it. */
async function readLedger({ tx, business, sizes }: Reading, after: string): Promise<PageBody> {
	const [ledger = NO_LEDGER, h = ''] = after.split('/');
	const rows = await tx<RecordColumns[]>`
		select ${recordColumns(tx)} from record
		where business = ${business} and ledger = ${ledger} and h > ${h}
		order by h limit ${sizes.records}`;
	const last = rows.length < sizes.records ? undefined : rows.at(-1);
	if (last !== undefined) {
		return { ...recordsOf(rows), next: { part: 'ledger', after: `${ledger}/${last.h}` } };
	}
	const ledgerFacts = await tx<{ branch: string | null; text: string }[]>`
		select fact.branch, fact.text from ledger_fact join fact using (business, code, n)
		where ledger_fact.business = ${business} and ledger = ${ledger}`;
	return {
		...recordsOf(rows),
		ledgerFacts: ledgerFacts.map(({ branch, text }) => [branch, text]),
		whole: [ledger],
		next: null
	};
}

/**
 * What the relay said of when the facts count that later pieces bring whole: known before the first of
 * them is folded.
 */
async function readClocks(
	tx: Sql,
	business: BusinessId
): Promise<readonly (readonly [branch: string | null, text: string])[]> {
	const rows = await tx<{ branch: string | null; text: string }[]>`
		select distinct clock_fact.branch, clock_fact.text, clock_fact.s ${clockFacts(tx)}
		where ledger_fact.business = ${business} order by clock_fact.s`;
	return rows.map(({ branch, text }) => [branch, text]);
}

function recordColumns(tx: Sql): ReturnType<Sql> {
	return tx`h, ledger, code, n, kind, amount, currency, exponent, occurred_at as at,
		on_day as on, record, ref, note, due_at as "dueAt", receipt`;
}

/** In the order in which they happened, so that times and numbers are near their like. */
function recordsOf(rows: readonly RecordColumns[]): Pick<PageBody, 'records'> {
	const inTime = rows.toSorted(
		(a, b) =>
			(a.ledger < b.ledger ? -1 : a.ledger > b.ledger ? 1 : 0) || Number(a.at) - Number(b.at)
	);
	return { records: packRows(inTime.map(asRecord)) };
}

/** Stamps by their places: rows of one fact name it once. */
function createStampBook(): {
	readonly all: readonly FieldStamp[];
	place(stamps: LatestFields['stamps']): number | Readonly<Record<string, number>>;
} {
	const all: FieldStamp[] = [];
	const places = new Map<string, number>();
	const placeOf = (stamp: FieldStamp): number => {
		const key = stamp[2];
		const known = places.get(key);
		if (known !== undefined) return known;
		places.set(key, all.length);
		return all.push(stamp) - 1;
	};
	return {
		all,
		place: (stamps) => {
			const named = Object.entries(stamps).map(
				([field, stamp]) => [field, placeOf(stamp)] as const
			);
			const [first] = named;
			const isOne = first !== undefined && named.every(([, place]) => place === first[1]);
			return isOne ? first[1] : Object.fromEntries(named);
		}
	};
}
