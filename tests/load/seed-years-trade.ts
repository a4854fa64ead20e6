import { addDays, dayNumber } from '#domain/calendar.ts';
import { recordHash } from '#domain/confirmation/record-hash.ts';
import { parseRecordCore, type RecordId } from '#domain/confirmation/record.ts';
import type { RecordRest } from '#domain/confirmation/rest.ts';
import { signRecord } from '#domain/confirmation/signed-record.ts';
import type { CryptoParts, Signer } from '#domain/crypto.ts';
import type {
	CustomerFields,
	Fact,
	FactHead,
	FactRecord,
	ProductFields,
	SoldLine
} from '#domain/fact/fact.ts';
import {
	factId,
	productIdOf,
	receiptNumber,
	type BranchId,
	type BusinessId,
	type DeviceCode,
	type LedgerId,
	type PersonId,
	type ProductId
} from '#domain/ids.ts';
import { seeded } from '#tests/support/seeded.ts';
import { seededUuid } from '#tests/support/trade.ts';

/** How much a shop of the seed does. */
export interface ShopSize {
	readonly days: number;
	readonly salesADay: number;
	readonly products: number;
	readonly customers: number;
}

/** Whose trade it is, and who signs it. */
export interface SeedShop {
	readonly business: BusinessId;
	readonly branch: BranchId;
	readonly person: PersonId;
	readonly signer: Signer;
	readonly crypto: CryptoParts;
	/** The last business day, `2026-11-20`; its facts are the newest. */
	readonly lastDay: string;
}

/** What one day wrote, in the order in which it was written. */
export type DayOfTrade = readonly Fact[];

export const SEED_CODES = ['A', 'B', 'C', 'D'] as const satisfies readonly string[];
/** The devices' shares of the sales are alike; who founded the shop keeps its catalogue. */
const FOUNDER = 0;
const DAY_MS = 86_400_000;
/** Eight in the morning in Nairobi. */
const OPENS_MS = 5 * 3_600_000;
const OPEN_FOR_MS = 13 * 3_600_000;
const ROWS_A_FACT = 200;
const LINES_MAX = 4;
const ON_ACCOUNT_EACH = 10;
const PAYMENT_EACH = 25;
const DUE_MS = 30 * DAY_MS;
const NEW_PRICES_A_DAY = 3;
const RESTOCK_ROWS = 150;

const BRANDS =
	'Asha,Baraka,Chui,Dada,Elimu,Fahari,Gari,Huru,Imara,Jua,Kito,Lulu,Mali,Neema,Ocean'.split(',');
const THINGS =
	'milk,sugar,washing powder,yoghurt,spice mix,margarine,soap,salt,maize flour,wheat flour,soda,tea leaves,coffee,toothpaste,bar soap,cleaner,polish,pen,battery,tablets,bread,rolls,cooking oil,rice,beans,biscuits,juice,water,tissue,candles'.split(
		','
	);
const SIZES = '250 g,500 g,1 kg,2 kg,250 ml,500 ml,1 l,5 l,12 pieces,24 pieces,small,large'.split(
	','
);
const FIRST_NAMES = 'Amina,Bilal,Chen,Divya,Emeka,Fatuma,Grace,Hassan,Ines,Juma,Kamau,Leila'.split(
	','
);
const LAST_NAMES = 'Otieno,Mwangi,Njeri,Hassan,Patel,Kamau,Achieng,Wanjiru,Omondi,Kiprop'.split(
	','
);

/**
 * The trade of a busy shop by a seed: its catalogue, its customers and its opening stock, then day
 * after day sales for cash, a tenth on account with a signed due, payments, deliveries and new
 * prices, by four devices in turn. Of each size it is the same facts again.
 */
export async function* tradeOfYears(size: ShopSize, shop: SeedShop): AsyncGenerator<DayOfTrade> {
	const book = createSeedBook(size, shop);
	const first = addDays(shop.lastDay, 1 - size.days);
	yield openingFacts(book, addDays(first, -1));
	for (let day = 0; day < size.days; day += 1) yield await dayFacts(book, addDays(first, day));
}

/** What moves while the trade is written. */
interface SeedBook {
	readonly size: ShopSize;
	readonly shop: SeedShop;
	readonly random: (limit: number) => number;
	readonly sequences: number[];
	readonly receipts: number[];
	readonly products: { readonly id: ProductId; readonly name: string; price: number }[];
	readonly customers: { readonly ledger: LedgerId; owed: number }[];
}

function createSeedBook(size: ShopSize, shop: SeedShop): SeedBook {
	return {
		size,
		shop,
		random: seeded(20_261_120),
		sequences: SEED_CODES.map(() => 0),
		receipts: SEED_CODES.map(() => 0),
		products: [],
		customers: []
	};
}

function headOf(book: SeedBook, device: number, of: { wall: number; on: string }): FactHead {
	const n = (book.sequences[device] ?? 0) + 1;
	book.sequences[device] = n;
	const code = SEED_CODES[device] ?? 'A';
	const { wall, on } = of;
	return { id: factId(code, n), code, n, at: { wall, counter: 0 }, on, by: 1 };
}

function openingFacts(book: SeedBook, on: string): DayOfTrade {
	const opened = dayNumber(on) * DAY_MS + OPENS_MS;
	let past = 0;
	const head = (): FactHead => headOf(book, FOUNDER, { wall: opened + (past += 1_000), on });
	const fields = { name: 'Asha Stores', currency: 'KES', zone: 'Africa/Nairobi' };
	const settings: Fact = { ...head(), kind: 'setting', fields };
	const products = pieces(book.size.products).map((rows): Fact => {
		const of = head();
		return { ...of, kind: 'product', rows: rows.map((_, row) => newProduct(book, of, row)) };
	});
	const customers = pieces(book.size.customers).map((rows): Fact => {
		return { ...head(), kind: 'customer', rows: rows.map(() => newCustomer(book)) };
	});
	const stock = pieces(book.size.products).map((rows): Fact => {
		const counts = rows.map((place) => stockRow(book, place, 100 + book.random(400)));
		return { ...head(), kind: 'adjust', rows: counts, reason: 'opening' };
	});
	return [settings, ...products, ...customers, ...stock];
}

/** Places from 0, as many in a list as one fact has rows. */
function pieces(count: number): readonly (readonly number[])[] {
	const places = Array.from({ length: count }, (_none, place) => place);
	return Array.from({ length: Math.ceil(count / ROWS_A_FACT) }, (_none, piece) =>
		places.slice(piece * ROWS_A_FACT, (piece + 1) * ROWS_A_FACT)
	);
}

function newProduct(
	{ random, products }: SeedBook,
	of: FactHead,
	row: number
): { readonly productId: null; readonly fields: ProductFields } {
	const place = products.length;
	const words = [pick(BRANDS, random), pick(THINGS, random), pick(SIZES, random)];
	const name = `${words.join(' ')} ${String(place % 997)}`;
	const price = 500 * (1 + random(300));
	products.push({ id: productIdOf(of.id, row), name, price });
	const code = String(6_000_000_000_000 + random(2 ** 31) * 100 + (place % 100));
	const favourite = place % 500 === 0;
	const category = `Shelf ${String(place % 24)}`;
	const fields = { name, price, codes: [code], category, ...(favourite && { favourite }) };
	return { productId: null, fields };
}

function newCustomer({ random, customers }: SeedBook): {
	readonly ledgerId: LedgerId;
	readonly fields: CustomerFields;
} {
	const place = customers.length;
	const ledger = seededUuid(4, random) as LedgerId;
	customers.push({ ledger, owed: 0 });
	const name = `${pick(FIRST_NAMES, random)} ${pick(LAST_NAMES, random)} ${String(place)}`;
	const phone = `+2547${String(random(100_000_000)).padStart(8, '0')}`;
	const limit = place % 3 === 0 ? { limit: 5_000_000 } : {};
	return { ledgerId: ledger, fields: { name, phone, ...limit } };
}

function stockRow(
	{ products }: SeedBook,
	place: number,
	count: number
): { readonly productId: ProductId; readonly deltaThousandths: number } {
	const product = products[place % products.length];
	if (product === undefined) throw new Error('a shop of the seed has products');
	return { productId: product.id, deltaThousandths: count * 1_000 };
}

async function dayFacts(book: SeedBook, on: string): Promise<DayOfTrade> {
	const { size, random } = book;
	const opened = dayNumber(on) * DAY_MS + OPENS_MS;
	const step = Math.floor(OPEN_FOR_MS / Math.max(1, size.salesADay));
	const facts: Promise<Fact>[] = [Promise.resolve(delivery(book, { wall: opened, on }))];
	for (let row = 0; row < NEW_PRICES_A_DAY; row += 1)
		facts.push(Promise.resolve(newPrice(book, { wall: opened + row + 1, on })));
	for (let sale = 0; sale < size.salesADay; sale += 1) {
		const device = sale % SEED_CODES.length;
		const of = { wall: opened + sale * step + random(step), on };
		facts.push(sale % ON_ACCOUNT_EACH === 3 ? onAccount(book, device, of) : cash(book, device, of));
		if (sale % PAYMENT_EACH === 7) facts.push(...payment(book, device, of));
	}
	// Signatures are made side by side, numbers were given in order.
	return Promise.all(facts);
}

interface Instant {
	readonly wall: number;
	readonly on: string;
}

function delivery(book: SeedBook, of: Instant): Fact {
	const from = book.random(book.size.products);
	const length = Math.min(RESTOCK_ROWS, book.size.products);
	const rows = Array.from({ length }, (_, place) => stockRow(book, from + place, 15));
	return { ...headOf(book, FOUNDER, of), kind: 'adjust', rows, reason: 'correction' };
}

function newPrice(book: SeedBook, of: Instant): Fact {
	const product = pick(book.products, book.random);
	product.price = 500 * (1 + book.random(300));
	const row = { productId: product.id, fields: { price: product.price } };
	return { ...headOf(book, FOUNDER, of), kind: 'product', rows: [row] };
}

/** Some things are sold far more often than others. */
function basket({ random, products }: SeedBook): readonly SoldLine[] {
	return Array.from({ length: 1 + random(LINES_MAX) }, (): SoldLine => {
		const place = Math.floor((random(1_000) * random(1_000) * products.length) / 1_000_000);
		const product = products[place];
		if (product === undefined) throw new Error('a shop of the seed has products');
		const count = random(4) === 0 ? 2 : 1;
		return {
			productId: product.id,
			name: product.name,
			quantityThousandths: count * 1_000,
			unitPriceMinor: product.price,
			totalMinor: count * product.price
		};
	});
}

function totalOf(lines: readonly SoldLine[]): number {
	return lines.reduce((sum, { totalMinor }) => sum + totalMinor, 0);
}

function nextReceipt({ receipts }: SeedBook, device: number): number {
	const receipt = (receipts[device] ?? 0) + 1;
	receipts[device] = receipt;
	return receipt;
}

function cash(book: SeedBook, device: number, of: Instant): Promise<Fact> {
	const lines = basket(book);
	const minor = totalOf(lines);
	const receipt = nextReceipt(book, device);
	const tenders = [{ kind: 'cash', minor }] as const;
	const head = headOf(book, device, of);
	return Promise.resolve({ ...head, kind: 'sale', receipt, lines, tenders });
}

async function onAccount(book: SeedBook, device: number, of: Instant): Promise<Fact> {
	const lines = basket(book);
	const minor = totalOf(lines);
	const receipt = nextReceipt(book, device);
	const head = headOf(book, device, of);
	const customer = pick(book.customers, book.random);
	customer.owed += minor;
	const rest = { rc: receiptNumber(head.code, receipt), due: of.wall + DUE_MS };
	const draft = { kind: 'due', minor, ledger: customer.ledger, owed: customer.owed } as const;
	const record = sign(book, head, { ...draft, rest });
	const tenders = [{ kind: 'account', minor }] as const;
	return { ...head, kind: 'sale', receipt, lines, tenders, record: await record };
}

/** Mostly all that is owed, else half of it; nobody pays who owes nothing. */
function payment(book: SeedBook, device: number, of: Instant): readonly Promise<Fact>[] {
	const { random, customers } = book;
	const customer = pick(customers, random);
	const minor = random(3) === 0 ? Math.ceil(customer.owed / 2) : customer.owed;
	if (minor === 0) return [];
	customer.owed -= minor;
	const head = headOf(book, device, of);
	const { ledger, owed } = customer;
	return [
		sign(book, head, { kind: 'payment', minor, ledger, owed, rest: {} }).then((record) => ({
			...head,
			kind: 'record',
			records: [record],
			tender: 'cash'
		}))
	];
}

interface SeedRecord {
	readonly kind: 'due' | 'payment';
	readonly minor: number;
	readonly ledger: LedgerId;
	/** What is owed after it. */
	readonly owed: number;
	readonly rest: Partial<RecordRest>;
}

function sign(
	{ shop, random }: SeedBook,
	head: FactHead,
	{ kind, minor, ledger, owed, rest }: SeedRecord
): Promise<FactRecord> {
	const recordId = idAt(head.at.wall, random);
	const whole: RecordRest = {
		br: shop.branch,
		d: head.code as DeviceCode,
		n: head.n,
		u: shop.person,
		on: head.on,
		...rest
	};
	const core = {
		kind,
		isMadeOffline: false,
		currency: 'KES',
		exponent: 2,
		amount: minor,
		occurredAt: head.at.wall,
		businessId: shop.business,
		ledgerId: ledger,
		recordId,
		balanceAfter: owed
	};
	return signRecord({ core, rest: whole }, shop.signer, shop.crypto).then((signed) => {
		const read = parseRecordCore(signed.a);
		if (!read.ok) throw new Error('a core that was written can be read');
		return { signed, core: read.value, rest: whole };
	});
}

/** A UUID v7 of the moment. */
function idAt(wall: number, random: (limit: number) => number): RecordId {
	const time = wall.toString(16).padStart(12, '0');
	return `${time.slice(0, 8)}-${time.slice(8)}-${seededUuid(7, random).slice(14)}` as RecordId;
}

function pick<T>(things: readonly T[], random: (limit: number) => number): T {
	const thing = things[random(things.length)];
	if (thing === undefined) throw new Error('nothing to pick from');
	return thing;
}

/** H of a record, as every reader of it makes it. */
export function hashOf({ signed }: FactRecord, crypto: CryptoParts): ReturnType<typeof recordHash> {
	return recordHash(signed.a, crypto);
}
