import { addDays } from '#domain/calendar.ts';
import { currencyKey } from '#domain/confirmation/currency-key.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { DAY_ZERO, type DayTotals } from '#domain/fact/effects.ts';
import {
	documentTotalMinor,
	sumOfKind,
	toPayMinor,
	changeMinor
} from '#domain/fact/document-total.ts';
import type { ReturnFact, SaleFact } from '#domain/fact/fact.ts';
import { parseFactId, type LedgerId, type ProductId } from '#domain/ids.ts';
import { compareFactOrder } from '#domain/stamp.ts';
import { codeKey } from '#domain/text.ts';
import { TILES } from '#domain/tile-key.ts';
import { groupBy } from '#domain/group-by.ts';
import {
	only,
	TEXT_END,
	type BalanceRow,
	type CustomerRow,
	type DeviceRow,
	type DeviceStore,
	type FactRow,
	type MemberRow,
	type ProductRow,
	type RecordRow,
	type StoreReader,
	type TableName
} from '#storage/device-store.ts';
import { readAlone } from './alone.ts';
import { factOf } from './arrived-fact.ts';
import { chooseTiles } from './first-read.ts';
import type { Identity } from './identity.ts';
import { readMeta } from './meta.ts';
import { shopSettings, type ShopSettings } from './shop-settings.ts';
import { readReturns } from './read-returns.ts';

export type { ShopSettings } from './shop-settings.ts';

/** A product with its level in this branch, thousandths. */
export interface StockedProduct extends ProductRow {
	readonly level: bigint;
}

/** A customer with what he owes in the shop's currency. */
export interface CustomerWithBalance extends CustomerRow {
	/** Minor units: above zero he owes, below he paid in advance. */
	readonly totalMinor: bigint;
	/** Every currency in which anything was written. */
	readonly balances: readonly BalanceRow[];
	/** When his latest record happened, ms; 0 where there is none. */
	readonly lastAt: number;
}

/** How far a record or sale has come: on this device's disk, or in the relay's database too. */
export type Mark = 'saved' | 'sent';

export interface MarkedRecord extends RecordRow {
	readonly mark: Mark;
	/** Why the relay would not have its fact. */
	readonly refused?: string;
	/** Who wrote it. */
	readonly by: number;
}

export interface RecordsPage {
	/** Newest first. */
	readonly records: readonly MarkedRecord[];
	/** Where the next page begins; absent on the last one. */
	readonly before?: RecordPlace;
}

/** The place of a record in its ledger: when it happened, then its hash. */
export interface RecordPlace {
	readonly at: number;
	readonly h: RecordHash;
}

/** A sale or return, with what it came to. */
export interface Receipt {
	/** `A-000123`. */
	readonly receipt: string;
	readonly fact: SaleFact | ReturnFact;
	readonly mark: Mark;
	/** All lines with their taxes, before cash rounding; minor units. */
	readonly totalMinor: bigint;
	readonly toPayMinor: bigint;
	readonly cashMinor: bigint;
	readonly accountMinor: bigint;
	/** 0 for a return. */
	readonly changeMinor: bigint;
	/** Whose account it went on. */
	readonly ledger?: LedgerId;
}

export interface ReceiptWithReturns extends Receipt {
	readonly returns: readonly ReturnFact[];
	/** Thousandths that came back of each line of a sale, by its place. */
	readonly returnedThousandths: readonly number[];
}

/** What the relay's database has not got. */
export interface Unsent {
	/** What waits, and goes by itself. */
	readonly count: number;
	/** Cash and account of the sales, returns and records among them, minor units, summed without signs. */
	readonly minorOnAccountOrCash: bigint;
	/** When the oldest was written, ms. */
	readonly oldestAt: number | undefined;
	/** What the relay would not have: it waits for a person, and is not among those. */
	readonly refused: readonly { readonly id: string; readonly reason: string }[];
}

/** Questions over what the device holds. Every answer is of one moment; nothing is kept here. */
export interface Book {
	/** Products in use, favourites first, then those of `often`, then the rest by name. */
	tiles(often: readonly ProductId[], limit: number): Promise<readonly StockedProduct[]>;
	/** Archived ones too. Of thousands it is read in pieces, so that a tap between them is answered. */
	allProducts(): Promise<readonly StockedProduct[]>;
	product(id: ProductId): Promise<StockedProduct | undefined>;
	/** Those of them that are known, in the order of the ids. */
	products(ids: readonly ProductId[]): Promise<readonly StockedProduct[]>;
	/** Exact, but for case and spaces; one in use before an archived one. */
	productByCode(code: string): Promise<StockedProduct | undefined>;
	/** What the relay said that the shop sells most, when this device began; most first. */
	soldMost(): Promise<readonly ProductId[]>;
	customersWithBalances(): Promise<readonly CustomerWithBalance[]>;
	customer(ledger: LedgerId): Promise<CustomerWithBalance | undefined>;
	recordsOf(
		ledger: LedgerId,
		page: { readonly before?: RecordPlace; readonly limit: number }
	): Promise<RecordsPage>;
	/** Of this branch; zeros where the day has none. */
	dayTotals(on: string): Promise<DayTotals>;
	/** Sales and returns of this branch, newest first. */
	recentReceipts(limit: number): Promise<readonly Receipt[]>;
	/** By receipt number or fact id. */
	receipt(name: string): Promise<ReceiptWithReturns | undefined>;
	/** Thousandths in this branch. */
	stockOf(product: ProductId): Promise<bigint>;
	settings(): Promise<ShopSettings>;
	unsent(): Promise<Unsent>;
	members(): Promise<readonly MemberRow[]>;
	devices(): Promise<readonly DeviceRow[]>;
}

export interface BookParts {
	readonly store: DeviceStore;
	readonly identity: () => Identity;
}

export function createBook({ store, identity }: BookParts): Book {
	const ask = <T>(
		tables: readonly TableName[],
		question: (rows: StoreReader) => Promise<T>
	): Promise<T> => store.read(tables, question);
	const branch = (): Identity['branch'] => identity().branch;

	return {
		tiles: (ids, limit) =>
			ask(['products', 'stock'], async (rows) => {
				const [first, often] = await Promise.all([
					rows.find('products', { index: 'tileKey', ...TILES, limit }),
					rows.getMany('products', ids)
				]);
				return withLevels(rows, branch(), chooseTiles({ first, often }, limit));
			}),
		allProducts: () => readCatalogue(store, branch()),
		products: (ids) => ask(['products', 'stock'], (rows) => readKnown(rows, branch(), ids)),
		product: (id) => ask(['products', 'stock'], (rows) => readProduct(rows, branch(), id)),
		productByCode: (code) =>
			ask(['products', 'stock'], async (rows) => {
				const found = await rows.find('products', only('codeKeys', codeKey(code)));
				const best = found.find(({ active }) => active !== false) ?? found[0];
				return best === undefined ? undefined : readProduct(rows, branch(), best.id);
			}),
		soldMost: () => ask(['meta'], async (rows) => (await readMeta(rows, 'often')) ?? []),
		customersWithBalances: () => ask(CUSTOMER_TABLES, readCustomers),
		customer: (ledger) => ask(CUSTOMER_TABLES, (rows) => readCustomer(rows, ledger)),
		recordsOf: (ledger, page) =>
			ask(['records', 'facts', 'journal', 'meta'], (rows) => readRecords(rows, ledger, page)),
		dayTotals: (on) =>
			ask(['days'], async (rows) => (await rows.get('days', [branch(), on])) ?? DAY_ZERO),
		recentReceipts: (limit) =>
			ask(['facts', 'journal', 'days', 'meta'], (rows) => readRecent(rows, branch(), limit)),
		receipt: (name) => ask(['facts', 'journal', 'meta'], (rows) => readReceipt(rows, name)),
		stockOf: (product) =>
			ask(['stock'], async (rows) => (await rows.get('stock', [branch(), product]))?.level ?? 0n),
		settings: () => ask(['settings'], async (rows) => shopSettings(await rows.all('settings'))),
		unsent: () => ask(['journal', 'meta'], readUnsent),
		members: () => ask(['members'], (rows) => rows.all('members')),
		devices: () => ask(['devices'], (rows) => rows.all('devices'))
	};
}

const CUSTOMER_TABLES: readonly TableName[] = ['customers', 'balances', 'settings'];

const PRODUCTS_AT_A_TIME = 400;

/** In pieces, each of its own moment: nobody's tap waits for all of them. */
async function readCatalogue(
	store: DeviceStore,
	branch: string
): Promise<readonly StockedProduct[]> {
	const all: StockedProduct[] = [];
	for (;;) {
		const after = all.at(-1)?.id;
		const piece = await store.read(['products', 'stock'], (rows) => readPiece(rows, branch, after));
		all.push(...piece);
		if (piece.length < PRODUCTS_AT_A_TIME) return all.sort(byName);
	}
}

async function readKnown(
	rows: StoreReader,
	branch: string,
	ids: readonly ProductId[]
): Promise<readonly StockedProduct[]> {
	const found = await rows.getMany('products', ids);
	return withLevels(
		rows,
		branch,
		found.filter((row) => row !== undefined)
	);
}

/** The products behind `after` with their levels, which stand in the same order. */
async function readPiece(
	rows: StoreReader,
	branch: string,
	after: ProductId | undefined
): Promise<readonly StockedProduct[]> {
	// No id is the text that follows one at once.
	const from = after === undefined ? '' : `${after}\0`;
	const products = await rows.find('products', { from, to: TEXT_END, limit: PRODUCTS_AT_A_TIME });
	const [first, last] = [products[0], products.at(-1)];
	if (first === undefined || last === undefined) return [];
	const stock = await rows.find('stock', { from: [branch, first.id], to: [branch, last.id] });
	const levels = new Map(stock.map(({ product, level }) => [product, level]));
	return products.map((product) => ({ ...product, level: levels.get(product.id) ?? 0n }));
}

async function withLevels(
	rows: StoreReader,
	branch: string,
	products: readonly ProductRow[]
): Promise<readonly StockedProduct[]> {
	const stock = await rows.getMany(
		'stock',
		products.map(({ id }) => [branch, id])
	);
	return products.map((product, place) => ({ ...product, level: stock[place]?.level ?? 0n }));
}

async function readProduct(
	rows: StoreReader,
	branch: string,
	id: ProductId
): Promise<StockedProduct | undefined> {
	const product = await rows.get('products', id);
	return product === undefined ? undefined : (await withLevels(rows, branch, [product]))[0];
}

function byName(a: ProductRow, b: ProductRow): number {
	if (a.searchKey === b.searchKey) return a.id < b.id ? -1 : 1;
	return a.searchKey < b.searchKey ? -1 : 1;
}

async function readCustomers(rows: StoreReader): Promise<readonly CustomerWithBalance[]> {
	const customers = await rows.all('customers');
	const balances = groupBy(await rows.all('balances'), ({ ledger }) => ledger);
	const { money } = shopSettings(await rows.all('settings'));
	return customers.map((row) => withBalance(row, balances.get(row.ledger) ?? [], money));
}

async function readCustomer(
	rows: StoreReader,
	ledger: LedgerId
): Promise<CustomerWithBalance | undefined> {
	const customer = await rows.get('customers', ledger);
	if (customer === undefined) return undefined;
	const balances = await rows.find('balances', only('ledger', ledger));
	const { money } = shopSettings(await rows.all('settings'));
	return withBalance(customer, balances, money);
}

function withBalance(
	customer: CustomerRow,
	balances: readonly BalanceRow[],
	money: ShopSettings['money']
): CustomerWithBalance {
	const key = currencyKey(money);
	return {
		...customer,
		totalMinor: balances.find(({ currency }) => currency === key)?.total ?? 0n,
		balances,
		lastAt: balances.reduce((last, { lastAt }) => Math.max(last, lastAt), 0)
	};
}

async function readRecords(
	rows: StoreReader,
	ledger: LedgerId,
	{ before, limit }: { readonly before?: RecordPlace; readonly limit: number }
): Promise<RecordsPage> {
	const all = (await rows.find('records', only('ledger', ledger))).toSorted(newestFirst);
	const from = before === undefined ? all : all.filter((row) => newestFirst(before, row) < 0);
	const page = from.slice(0, limit);
	const facts = await rows.getMany(
		'facts',
		page.map(({ factId }) => factId)
	);
	const journal = await journalOf(
		rows,
		page.map(({ factId }) => factId)
	);
	const records = page.map((row, place): MarkedRecord => {
		const own = journal.get(row.factId);
		return {
			...row,
			by: facts[place]?.by ?? 0,
			mark: markOf(own),
			...(own?.refused !== undefined && { refused: own.refused })
		};
	});
	const last = page.at(-1);
	const hasMore = from.length > page.length && last !== undefined;
	return { records, ...(hasMore && { before: { at: last.at, h: last.h } }) };
}

function newestFirst(a: RecordPlace, b: RecordPlace): number {
	if (a.at !== b.at) return b.at - a.at;
	if (a.h === b.h) return 0;
	return a.h < b.h ? 1 : -1;
}

export interface OwnMark {
	readonly sent: 0 | 1;
	readonly refused?: string;
}

/** What is neither this device's own nor here alone came from the relay. */
function markOf(own: OwnMark | undefined): Mark {
	return own === undefined || own.sent === 1 ? 'sent' : 'saved';
}

/** The journal rows of those facts that are this device's own, and what is said of such as are here alone. */
export async function journalOf(
	rows: StoreReader,
	ids: readonly string[]
): Promise<ReadonlyMap<string, OwnMark>> {
	const numbers = ids.flatMap((id) => {
		const parsed = parseFactId(id);
		return parsed.ok ? [parsed.value.n] : [];
	});
	const found = [...(await rows.getMany('journal', numbers)), ...(await readAlone(rows))];
	// Another device's fact of the same n is not this row: ids are compared, not numbers.
	return new Map(found.flatMap((row) => (row === undefined ? [] : [[row.id, row]])));
}

/** Days that have totals and no facts here: what came before them was let go, or is not here yet. */
const EMPTY_DAYS_MAX = 7;

async function readRecent(
	rows: StoreReader,
	branch: string,
	limit: number
): Promise<readonly Receipt[]> {
	const found: FactRow[] = [];
	let before = TEXT_END;
	let emptyDays = 0;
	while (found.length < limit && emptyDays < EMPTY_DAYS_MAX) {
		// A day at a time: after years there are thousands, and the last few are enough.
		const [day] = await rows.find('days', {
			from: [branch, ''],
			to: [branch, before],
			isReverse: true,
			limit: 1
		});
		if (day === undefined) break;
		before = addDays(day.on, -1);
		const ofDay = await rows.find('facts', only('branch+on', [branch, day.on]));
		emptyDays = ofDay.length === 0 ? emptyDays + 1 : 0;
		for (const row of ofDay) if (row.kind === 'sale' || row.kind === 'return') found.push(row);
	}
	const newest = found.toSorted((a, b) => compareFactOrder(b, a)).slice(0, limit);
	const marks = await journalOf(
		rows,
		newest.map(({ id }) => id)
	);
	return newest.flatMap((row) => receiptOf(row, marks));
}

async function readReceipt(
	rows: StoreReader,
	name: string
): Promise<ReceiptWithReturns | undefined> {
	const trimmed = name.trim().toUpperCase();
	const row =
		(await rows.get('facts', trimmed)) ??
		(await rows.find('facts', only('refs', `receipt:${trimmed}`)))[0];
	if (row === undefined) return undefined;
	const [receipt] = receiptOf(row, await journalOf(rows, [row.id]));
	if (receipt === undefined) return undefined;
	const returns = receipt.fact.kind === 'sale' ? await readReturns(rows, row.id) : [];
	return withReturns(receipt, returns);
}

export function withReturns(receipt: Receipt, returns: readonly ReturnFact[]): ReceiptWithReturns {
	const returnedThousandths = receipt.fact.lines.map((_line, place) =>
		returns
			.flatMap(({ lines }) => lines)
			.filter(({ saleLine }) => saleLine === place)
			.reduce((sum, { quantityThousandths }) => sum + quantityThousandths, 0)
	);
	return { ...receipt, returns, returnedThousandths };
}

/** A sale or return as its receipt; none of what is neither. */
export function receiptOf(row: FactRow, marks: ReadonlyMap<string, OwnMark>): readonly Receipt[] {
	const fact = factOf(row);
	if (fact?.kind !== 'sale' && fact?.kind !== 'return') return [];
	const number = row.refs.find((ref) => ref.startsWith('receipt:')) ?? '';
	const tenders = fact.kind === 'sale' ? fact.tenders : fact.refunds;
	const ledger = fact.record?.core.ledgerId;
	return [
		{
			receipt: number.slice('receipt:'.length),
			fact,
			mark: markOf(marks.get(row.id)),
			totalMinor: documentTotalMinor(fact),
			toPayMinor: toPayMinor(fact),
			cashMinor: sumOfKind(tenders, 'cash'),
			accountMinor: sumOfKind(tenders, 'account'),
			changeMinor: fact.kind === 'sale' ? changeMinor(fact) : 0n,
			...(ledger !== undefined && { ledger })
		}
	];
}

async function readUnsent(rows: StoreReader): Promise<Unsent> {
	const unsent = await rows.find('journal', only('sent', 0));
	const waiting = unsent.filter(({ refused }) => refused === undefined);
	const notTaken = [...unsent, ...(await readAlone(rows))];
	const [first] = waiting;
	return {
		count: waiting.length,
		minorOnAccountOrCash: waiting.reduce((sum, { minor }) => sum + minor, 0n),
		oldestAt: first && waiting.reduce((oldest, { at }) => Math.min(oldest, at), first.at),
		refused: notTaken.flatMap(({ id, refused }) =>
			refused === undefined ? [] : [{ id, reason: refused }]
		)
	};
}
