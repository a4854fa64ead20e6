import type { Sql } from 'postgres';
import type { BusinessId } from '#domain/ids.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { packRows, type PackedRows } from '#domain/packed-rows.ts';
import { NO_LEDGER } from '#server/database/journal.ts';
import {
	asRecord,
	readDays,
	readPeople,
	recordColumns,
	settingRows,
	type RecordColumns
} from './checkpoint.ts';
import { readEarlyClocks } from './clocks.ts';
import { readCut, type Cut } from './cut-rows.ts';
import type { FactRanges, ReadRanges } from './fact-ranges.ts';
import type { FieldStamp, LatestFields } from './latest-fields.ts';
import { beforeSaid, factTexts, readSaidPage, type SaidPlace } from './said-pages.ts';

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
const FACT = '[0-9A-Za-z.]{1,20}/\\d{1,16}';

/**
 * How the last key of each part is written. Of ledgers it is the last record, and behind that, where the
 * piece was full, the last fact that was said of the ledgers up to it.
 */
const PLACES: Readonly<Record<CheckpointPart, RegExp>> = {
	first: /^$/,
	products: /^.{0,40}$/,
	customers: new RegExp(`^(?:${UUID})?$`),
	days: new RegExp(`^(?:${UUID}/\\d{4}-\\d\\d-\\d\\d)?$`),
	retired: /^.{0,40}$/,
	said: new RegExp(`^(?:${FACT})?$`),
	ledgers: new RegExp(`^(?:${UUID}/[\\w-]{43})?(?:/${UUID}/${FACT})?$`),
	ledger: new RegExp(`^${UUID}/(?:[\\w-]{43})?$|^${UUID}//${FACT}$`)
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
	/** Of the first piece alone: what is in a later one is that, and the feed since. */
	readonly ranges?: FactRanges;
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
	readonly readRanges: ReadRanges;
}

type PageBody = Omit<CheckpointPage, 'epoch' | 's' | 'ranges'>;

/** A checkpoint of no fact at all, which is right for every business. */
const NOTHING = { s: 0, ranges: {}, next: null } as const;

/**
 * FEED-15. Where the numbers of the facts are in too many ranges, the checkpoint is that of the feed's
 * beginning, and all facts follow by the feed.
 */
export async function readCheckpointPage(
	{ sql, business, epoch, readRanges, sizes = SIZES }: PageParts,
	asked: PageAsked
): Promise<CheckpointPage> {
	return sql.begin('isolation level repeatable read read only', async (transaction) => {
		const tx = transaction as unknown as Sql;
		const [head] = await tx<{ s: string }[]>`select s from feed_head where business = ${business}`;
		const s = Number(head?.s ?? 0);
		const reading = { tx, business, sizes };
		if (asked.part !== 'first')
			return { epoch, s, ...(await READERS[asked.part](reading, asked.after)) };
		const ranges = await readRanges(tx, business, s);
		return ranges === undefined
			? { epoch, ...NOTHING }
			: { epoch, s, ranges, ...(await readFirst(reading)) };
	});
}

interface Reading {
	readonly tx: Sql;
	readonly business: BusinessId;
	readonly sizes: PageSizes;
}

type ReadPart = (reading: Reading, after: string) => Promise<PageBody>;

/** How many rows a piece has at the most, and bytes of them. */
export type PageSizes = Readonly<
	Record<'products' | 'customers' | 'days' | 'said' | 'records', number>
> & { readonly bytes?: number };

/** Each so small that a line of 20 kB/s brings it in a few seconds. */
const SIZES: PageSizes = {
	products: 1_500,
	customers: 1_000,
	days: 600,
	said: 500,
	records: 1_000
};
/** What is sold most is found in so many of the last facts, and so many bytes of them: each is read through. */
const OFTEN_FACTS = 600;
const OFTEN_BYTES = 1024 * 1024;
const OFTEN_MAX = 600;
const FIRST_DAYS = 40;
/** Currencies of one ledger whose balances stand beside its customer; of more they come with its records. */
const BALANCES_MAX = 100;
const BALANCE_BYTES = 150;
/** What a record weighs beside its note, and beside its fact where that is read. */
const RECORD_BYTES = 400;

const READERS: Readonly<Record<CheckpointPart, ReadPart>> = {
	first: readFirst,
	products: (reading, after) => readProducts(reading, after, 'products'),
	customers: readCustomers,
	days: readDayPage,
	retired: (reading, after) => readProducts(reading, after, 'retired'),
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
	const [people, settings, { rows: products }, days, ledgerFacts] = await Promise.all([
		readPeople(tx, business),
		tx<LatestFields[]>`select fields, stamps from setting where business = ${business}`,
		cutProducts(
			{ tx, sizes },
			tx`business = ${business}
			and (product = any(${[...often]}::text[]) or fields @> '{"favourite": true}')`
		),
		readDays(tx, business, { latest: FIRST_DAYS }),
		readEarlyClocks(tx, business)
	]);
	const goods = await goodsOf({ tx, business }, products, await readNameless({ tx, business }));
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
			select text, sum(octet_length(text)) over (order by s desc) as held from (
				select s, kind, text from fact where business = ${business}
				order by s desc limit ${OFTEN_FACTS}
			) as latest where kind = 'sale'
		) as sales where held <= ${OFTEN_BYTES}`;
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

/**
 * FEED-9. Those in use, and in later pieces all that ever were out of use: one that is taken up again
 * between the two would else be in none of them.
 */
async function readProducts(
	{ tx, business, sizes }: Reading,
	after: string,
	part: 'products' | 'retired'
): Promise<PageBody> {
	const isOfPart =
		part === 'products' ? tx`not fields @> '{"active": false}'` : tx`fields ? 'active'`;
	const { rows, last } = await cutProducts(
		{ tx, sizes },
		tx`business = ${business} and product > ${after} and ${isOfPart}`
	);
	return { ...(await goodsOf({ tx, business }, rows)), next: nextOf(part, last?.product) };
}

function cutProducts(
	{ tx, sizes }: Pick<Reading, 'tx' | 'sizes'>,
	which: ReturnType<Sql>
): Promise<Cut<ProductColumns>> {
	return readCut<ProductColumns>(tx, {
		rows: tx`select product, fields, stamps from product where ${which}
			order by product limit ${sizes.products}`,
		order: tx`product`,
		bytes: tx`octet_length(fields::text)`,
		limit: sizes.products,
		bytesMax: sizes.bytes
	});
}

interface StockColumns {
	readonly branch: string;
	readonly product: string;
	readonly level: string;
}

/** An honest shop has few of them. */
const NAMELESS_MAX = 2_000;

/**
 * FEED-9. What is left of products of which nothing is known but what moved: the fact that names them may come
 * later, and no piece of products brings them.
 */
async function readNameless({
	tx,
	business
}: Pick<Reading, 'tx' | 'business'>): Promise<readonly StockColumns[]> {
	return tx<StockColumns[]>`
		select branch, product, thousandths as level from stock
		where business = ${business} and not exists (
			select from product
			where product.business = stock.business and product.product = stock.product
		)
		order by branch, product limit ${NAMELESS_MAX}`;
}

/** Products with what is left of them: the levels stand before the names, near the ids they repeat. */
async function goodsOf(
	{ tx, business }: Pick<Reading, 'tx' | 'business'>,
	products: readonly ProductColumns[],
	others: readonly StockColumns[] = []
): Promise<Pick<PageBody, 'stamps' | 'stock' | 'products'>> {
	const stock = await tx<StockColumns[]>`
		select branch, product, thousandths as level from stock
		where business = ${business} and product = any(${products.map((row) => row.product)}::text[])
		order by branch, product`;
	const book = createStampBook();
	const rows = products.map(({ product, fields, stamps }) => ({
		id: product,
		stamps: book.place(stamps),
		...fields
	}));
	return { stamps: book.all, stock: packRows([...stock, ...others]), products: packRows(rows) };
}

async function readCustomers({ tx, business, sizes }: Reading, after: string): Promise<PageBody> {
	const { rows: customers, last } = await readCut<LatestFields & { ledger: string }>(tx, {
		rows: tx`
			select ledger, fields, stamps from customer
			where business = ${business} and ledger > ${after === '' ? NO_LEDGER : after}
			order by ledger limit ${sizes.customers}`,
		order: tx`ledger`,
		bytes: tx`octet_length(fields::text) + ${BALANCE_BYTES} * (
			select count(*) from (
				select from balance where business = ${business} and balance.ledger = found.ledger
				limit ${BALANCES_MAX}
			) as of_ledger
		)`,
		limit: sizes.customers,
		bytesMax: sizes.bytes
	});
	const book = createStampBook();
	const rows = customers.map(({ ledger, fields, stamps }) => ({
		ledger,
		stamps: book.place(stamps),
		...fields
	}));
	return {
		stamps: book.all,
		bases: packRows([...(await readBases({ tx, business }, customers))]),
		customers: packRows(rows),
		next: nextOf('customers', last?.ledger)
	};
}

async function readBases(
	{ tx, business }: Pick<Reading, 'tx' | 'business'>,
	customers: readonly { readonly ledger: string }[]
): Promise<readonly object[]> {
	return tx`
		select asked.ledger, of_ledger.* from unnest(
			${customers.map(({ ledger }) => ledger)}::uuid[]
		) as asked (ledger), lateral (
			select currency, exponent, confirmed, waiting, credited, disputed, last_at as "lastAt"
			from balance where business = ${business} and balance.ledger = asked.ledger
			order by currency, exponent limit ${BALANCES_MAX}
		) as of_ledger
		order by asked.ledger, currency, exponent`;
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
	const { rows, last } = await readSaidPage(tx, {
		...{ business, after: { ledger: NO_LEDGER, code, n }, isAlone: true },
		...{ limit: sizes.said, bytesMax: sizes.bytes }
	});
	return {
		ledgerFacts: factTexts(rows),
		next: nextOf('said', last === undefined ? undefined : `${last.code}/${last.n}`)
	};
}

/** The last record that came, and the last fact that was said of the ledgers before. */
interface LedgersPlace {
	readonly record: RecordPlace | undefined;
	readonly said: SaidPlace | undefined;
}

type RecordPlace = Pick<RecordColumns, 'ledger' | 'h'>;

function placeOf(after: string): LedgersPlace {
	const parts = after.split('/');
	const [ledger = '', code = '', n = ''] = parts.splice(parts.length > 3 ? -3 : parts.length);
	const [record = '', h = ''] = parts;
	return {
		record: h === '' ? undefined : { ledger: record, h },
		said: ledger === '' ? undefined : { ledger, code, n }
	};
}

function writePlace({ record, said }: LedgersPlace): string {
	const records = record === undefined ? '' : `${record.ledger}/${record.h}`;
	return said === undefined ? records : `${records}/${said.ledger}/${said.code}/${said.n}`;
}

/**
 * The records of ledger after ledger, in the order of their keys, as many as a piece has; then what is
 * said of the ledgers whose records are all there. A ledger is whole with the page that says the last of it.
 */
async function readLedgers(reading: Reading, after: string): Promise<PageBody> {
	const { tx, business, sizes } = reading;
	const { record: held, said } = placeOf(after);
	const { rows, last } =
		said === undefined ? await readRecordPage(reading, held) : { rows: [], last: held };
	const from = said ?? beforeSaid(held?.ledger ?? NO_LEDGER);
	const page = await readSaidPage(tx, {
		...{ business, after: from, below: last?.ledger },
		...{ limit: sizes.said, bytesMax: sizes.bytes }
	});
	const until = page.last ?? last;
	return {
		...recordsOf(rows),
		ledgerFacts: factTexts(page.rows),
		whole: await ledgersBetween(reading, from.ledger, until?.ledger),
		next: nextOf('ledgers', until && writePlace({ record: last, said: page.last }))
	};
}

function readRecordPage(
	{ tx, business, sizes }: Reading,
	after: RecordPlace = { ledger: NO_LEDGER, h: '' }
): Promise<Cut<RecordColumns>> {
	return cutRecords(
		{ tx, sizes },
		tx`business = ${business} and (ledger, h) > (${after.ledger}, ${after.h})`
	);
}

function cutRecords(
	{ tx, sizes }: Pick<Reading, 'tx' | 'sizes'>,
	which: ReturnType<Sql>
): Promise<Cut<RecordColumns>> {
	return readCut<RecordColumns>(tx, {
		rows: tx`select ${recordColumns(tx)} from record where ${which}
			order by ledger, h limit ${sizes.records}`,
		order: tx`ledger, h`,
		bytes: tx`octet_length(coalesce(note, '')) + octet_length(coalesce(text, '')) + ${RECORD_BYTES}`,
		limit: sizes.records,
		bytesMax: sizes.bytes
	});
}

/** Those that have records, from one on and before another. */
async function ledgersBetween(
	{ tx, business }: Reading,
	from: string,
	below: string | undefined
): Promise<readonly string[]> {
	const rows = await tx<{ ledger: string }[]>`
		select distinct ledger from record
		where business = ${business} and ledger > ${from}
			${below === undefined ? tx`` : tx`and ledger < ${below}`}
		order by ledger`;
	const isFirst = from !== NO_LEDGER && (below === undefined || from < below);
	return [...(isFirst ? [from] : []), ...rows.map(({ ledger }) => ledger)];
}

/** One ledger, before its turn: `after` names it, and the last record or fact that came of it. */
async function readLedger({ tx, business, sizes }: Reading, after: string): Promise<PageBody> {
	const [ledger = NO_LEDGER, h = '', code, n = '0'] = after.split('/');
	const { rows, last } =
		code === undefined
			? await cutRecords(
					{ tx, sizes },
					tx`business = ${business} and ledger = ${ledger} and h > ${h}`
				)
			: { rows: [], last: undefined };
	if (last !== undefined) {
		return { ...recordsOf(rows), next: { part: 'ledger', after: `${ledger}/${last.h}` } };
	}
	const page = await readSaidPage(tx, {
		...{ business, after: { ledger, code: code ?? '', n }, isAlone: true },
		...{ limit: sizes.said, bytesMax: sizes.bytes }
	});
	const said = page.last;
	return {
		...recordsOf(rows),
		ledgerFacts: factTexts(page.rows),
		whole: said === undefined ? [ledger] : [],
		next: said === undefined ? null : { part: 'ledger', after: `${ledger}//${said.code}/${said.n}` }
	};
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
