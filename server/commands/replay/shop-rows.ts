import { recordHash, type RecordHash } from '#domain/confirmation/record-hash.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import { assert } from '#domain/assert.ts';
import { DAY_TOTAL_NAMES, effectsOf, type DayTotals } from '#domain/fact/effects.ts';
import type { FactRecord } from '#domain/fact/fact.ts';
import { foldFacts, type PlacedFact } from '#domain/fact/fold.ts';
import { TABLES, type DeviceStore, type TableName } from '#storage/device-store.ts';

/** Every number and name of a shop, wherever it is kept: texts under their names, and sums. */
export interface ShopRows {
	/** Whatever two places that agree have in common, to the last minor unit and piece. */
	readonly texts: ReadonlyMap<string, string>;
	readonly figures: Figures;
}

/** What the rows come to. Minor units; thousandths of a piece. */
export interface Figures {
	readonly products: number;
	readonly customers: number;
	readonly records: number;
	readonly salesCount: bigint;
	readonly salesMinor: bigint;
	readonly returnsCount: bigint;
	readonly returnsMinor: bigint;
	/** Sold on account less taken back on account, by the days' totals. */
	readonly accountMinor: bigint;
	/** What all customers owe, by their ledgers. */
	readonly balanceMinor: bigint;
	readonly stockThousandths: bigint;
}

/** Rows as each place gives them. */
export interface RowParts {
	readonly products: readonly Entity[];
	readonly customers: readonly Entity[];
	readonly stock: readonly { readonly product: string; readonly level: bigint }[];
	readonly days: readonly { readonly on: string; readonly totals: DayTotals }[];
	readonly balances: readonly { readonly ledger: string; readonly sums: Sums }[];
	readonly records: readonly {
		readonly h: string;
		readonly ledger: string;
		readonly amount: number;
	}[];
}

export interface Entity {
	readonly key: string;
	readonly fields: object;
}

/** The letters of a ledger's fold: C, W, P, D and T. */
export interface Sums {
	readonly confirmed: bigint;
	readonly waiting: bigint;
	readonly credited: bigint;
	readonly disputed: bigint;
	readonly total: bigint;
}

/** What stands in a device's tables. */
export async function rowsOfStore(store: DeviceStore): Promise<ShopRows> {
	return store.read(Object.keys(TABLES) as TableName[], async (rows) =>
		shopRows({
			products: (await rows.all('products')).map((row) => entityOf(row.id, row)),
			customers: (await rows.all('customers')).map((row) => entityOf(row.ledger, row)),
			stock: await rows.all('stock'),
			days: (await rows.all('days')).map((row) => ({ on: row.on, totals: row })),
			balances: (await rows.all('balances')).map((row) => ({ ledger: row.ledger, sums: row })),
			records: await rows.all('records')
		})
	);
}

/** What the domain makes of the facts themselves, with no table at all. */
export async function rowsOfFacts(
	facts: readonly PlacedFact[],
	crypto: CryptoParts
): Promise<ShopRows> {
	const records = facts.flatMap(({ fact }) => effectsOf(fact).records);
	const hashes = new Map<FactRecord, RecordHash>();
	for (const record of records) hashes.set(record, await recordHash(record.signed.a, crypto));
	const hashOf = (record: FactRecord): RecordHash => {
		const h = hashes.get(record);
		assert(h !== undefined, 'every record was hashed');
		return h;
	};
	const { products, customers, stock, days, balances } = foldFacts(facts, hashOf);
	return shopRows({
		products: Array.from(products, ([key, fields]) => ({ key, fields })),
		customers: Array.from(customers, ([key, fields]) => ({ key, fields })),
		stock: Array.from(stock, ([key, level]) => ({ product: lastWord(key), level })),
		days: Array.from(days, ([key, totals]) => ({ on: lastWord(key), totals })),
		balances: Array.from(balances).flatMap(([ledger, byCurrency]) =>
			Array.from(byCurrency.values(), (sums) => ({ ledger, sums }))
		),
		records: records.map((record) => ({
			h: hashOf(record),
			ledger: record.core.ledgerId,
			amount: record.core.amount
		}))
	});
}

/** Those of a folded row's fields that some fact has set. */
export function entityOf(
	key: string,
	row: { readonly stamps: Readonly<Record<string, unknown>> }
): Entity {
	const fields = Object.entries(row).filter(([field]) => Object.hasOwn(row.stamps, field));
	return { key, fields: Object.fromEntries(fields) };
}

export function shopRows(parts: RowParts): ShopRows {
	return { texts: textsOf(parts), figures: figuresOf(parts) };
}

/** Up to `most` names under which the two do not say the same, with what each says. */
export function differences(a: ShopRows, b: ShopRows, most: number): readonly string[] {
	const names = new Set([...a.texts.keys(), ...b.texts.keys()]);
	return [...names]
		.filter((name) => a.texts.get(name) !== b.texts.get(name))
		.slice(0, most)
		.map((name) => `${name}: ${a.texts.get(name) ?? 'none'} and ${b.texts.get(name) ?? 'none'}`);
}

function textsOf(parts: RowParts): ReadonlyMap<string, string> {
	const texts = new Map<string, string>();
	for (const { key, fields } of parts.products) texts.set(`product ${key}`, textOf(fields));
	for (const { key, fields } of parts.customers) texts.set(`customer ${key}`, textOf(fields));
	for (const { product, level } of parts.stock) texts.set(`stock ${product}`, String(level));
	for (const { on, totals } of parts.days)
		texts.set(`day ${on}`, DAY_TOTAL_NAMES.map((name) => String(totals[name])).join(' '));
	for (const { ledger, sums } of parts.balances) {
		const { confirmed, waiting, credited, disputed, total } = sums;
		texts.set(`balance ${ledger}`, [confirmed, waiting, credited, disputed, total].join(' '));
	}
	for (const { h, ledger, amount } of parts.records)
		texts.set(`record ${h}`, `${ledger} ${String(amount)}`);
	return texts;
}

function figuresOf({ products, customers, records, stock, days, balances }: RowParts): Figures {
	const ofDays = (name: keyof DayTotals): bigint => sum(days.map(({ totals }) => totals[name]));
	return {
		products: products.length,
		customers: customers.length,
		records: records.length,
		salesCount: ofDays('salesCount'),
		salesMinor: ofDays('salesMinor'),
		returnsCount: ofDays('returnsCount'),
		returnsMinor: ofDays('returnsMinor'),
		accountMinor: ofDays('accountMinor') - ofDays('accountBackMinor'),
		balanceMinor: sum(balances.map(({ sums }) => sums.total)),
		stockThousandths: sum(stock.map(({ level }) => level))
	};
}

function sum(amounts: readonly bigint[]): bigint {
	return amounts.reduce((total, amount) => total + amount, 0n);
}

function textOf(fields: object): string {
	return JSON.stringify(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function lastWord(key: string): string {
	return key.slice(key.lastIndexOf(' ') + 1);
}
