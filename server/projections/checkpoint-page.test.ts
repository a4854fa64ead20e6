import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import { factId, type BusinessId, type ProductId } from '#domain/ids.ts';
import { unpackRows } from '#domain/packed-rows.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { isSmall } from './checkpoint.ts';
import {
	isPlaceOf,
	readCheckpointPage,
	type CheckpointPage,
	type PageAsked
} from './checkpoint-page.ts';
import { createFactRanges } from './fact-ranges.ts';

const SHOP = '00000000-0000-4000-8000-00000000000a' as BusinessId;
const LEDGERS = ['1', '2', '3'].map((n) => `00000000-0000-4000-8000-${n.padStart(12, '0')}`);
const [FIRST = '', LONG = '', LAST = ''] = LEDGERS;
/** Of a note that somebody wrote. */
const TEXT_LENGTH = 4_000;
/** Of them a piece has that many. */
const IN_PIECE = Math.floor((1024 * 1024) / TEXT_LENGTH);

let database: TestDatabase;
beforeAll(async () => {
	database = await createTestDatabase();
});
beforeEach(async () => {
	await database.sql`
		truncate fact, ledger_fact, record, product, stock, customer, balance, feed_head, clock`;
});
afterAll(() => database.close());

/** Facts of one device, of numbers so far from each other, that say something of a ledger. */
async function write(
	ledger: string,
	{ count, from = 1, step = 1 }: { count: number; from?: number; step?: number }
): Promise<void> {
	const { sql } = database;
	const [head] = await sql<{ s: string }[]>`select coalesce(max(s), 0) as s from fact`;
	const s = Number(head?.s ?? 0);
	await sql`
		insert into fact (business, code, n, kind, wall, counter, on_day, member, text, digest, s)
		select ${SHOP}, 'A', ${from} + ${step} * (i - 1), 'entry', 0, 0, '2026-11-20', 1,
			rpad((${from} + ${step} * (i - 1))::text || ' ', ${TEXT_LENGTH}, 'x'), 0, ${s} + i
		from generate_series(1, ${count}) as i`;
	await sql`
		insert into ledger_fact (business, ledger, code, n, kind)
		select ${SHOP}, ${ledger}, code, n, kind from fact where s > ${s}`;
	await sql`
		insert into feed_head (business, s) values (${SHOP}, ${s + count})
		on conflict (business) do update set s = excluded.s`;
}

async function writeRecord(ledger: string, h: string): Promise<void> {
	await database.sql`
		insert into record (business, ledger, h, code, n, kind, currency, exponent, amount,
			occurred_at, on_day, record, wall, counter)
		values (${SHOP}, ${ledger}, ${h.padEnd(43, 'A')}, 'A', 1, 'due', 'KES', 2, 500, 0,
			'2026-11-20', ${ledger}, 0, 0)`;
}

function read(asked: PageAsked, rangesMax?: number): Promise<CheckpointPage> {
	const readRanges = createFactRanges(rangesMax);
	return readCheckpointPage({ sql: database.sql, business: SHOP, epoch: 1, readRanges }, asked);
}

/** Every piece of a part, from a place on. */
async function readAll(from: PageAsked): Promise<readonly CheckpointPage[]> {
	const pages: CheckpointPage[] = [];
	for (
		let asked: PageAsked | null = from;
		asked?.part === from.part;
		asked = pages.at(-1)?.next ?? null
	) {
		expect(isPlaceOf(asked.part, asked.after)).toBe(true);
		pages.push(await read(asked));
	}
	return pages;
}

function numbersIn(pages: readonly CheckpointPage[]): readonly number[] {
	return pages.flatMap(({ ledgerFacts = [] }) => ledgerFacts.map(([, text]) => parseInt(text, 10)));
}

it('[FEED-9] has 1 MB of what is said of one ledger, which is whole with the last of it', async () => {
	await write(LONG, { count: 600 });
	await writeRecord(LONG, 'a');
	const pages = await readAll({ part: 'ledger', after: `${LONG}/` });
	expect(pages.map(({ ledgerFacts = [] }) => ledgerFacts.length)).toEqual([
		IN_PIECE,
		IN_PIECE,
		600 - 2 * IN_PIECE
	]);
	expect(pages.map(({ whole }) => whole)).toEqual([[], [], [LONG]]);
	expect(new Set(numbersIn(pages)).size).toBe(600);
	expect(pages.map(({ records = [] }) => records.length > 0)).toEqual([true, false, false]);
});

it('[FEED-9] goes on where a ledger was cut, and every ledger is whole once', async () => {
	await write(FIRST, { count: 3 });
	await write(LONG, { count: 600, from: 1_001 });
	await write(LAST, { count: 3, from: 2_001 });
	for (const ledger of LEDGERS) await writeRecord(ledger, 'a');
	const pages = await readAll({ part: 'ledgers', after: '' });
	expect(pages.map(({ whole }) => whole)).toEqual([[FIRST], [], [LONG, LAST]]);
	expect(numbersIn(pages).toSorted((a, b) => a - b)).toEqual([
		...[1, 2, 3],
		...Array.from({ length: 600 }, (_each, i) => 1_001 + i),
		...[2_001, 2_002, 2_003]
	]);
	for (const page of pages) expect(JSON.stringify(page).length).toBeLessThan(1_200_000);
});

it('[FEED-9] no ledger is whole before the last that is said of it, where records are cut as well', async () => {
	for (const [ledger, h] of [
		[FIRST, 'a'],
		[LONG, 'b'],
		[LAST, 'c'],
		[LAST, 'd']
	] as const)
		await writeRecord(ledger, h);
	await write(FIRST, { count: 2 });
	await write(LONG, { from: 3, count: 1 });
	const sizes = { products: 9, customers: 9, days: 9, said: 1, records: 3 };
	const parts = { sql: database.sql, business: SHOP, epoch: 1, sizes };
	const seen: (readonly [records: number, said: unknown, whole: unknown])[] = [];
	for (let asked: PageAsked | null = { part: 'ledgers', after: '' }; asked !== null;) {
		const readRanges = createFactRanges();
		const page: CheckpointPage = await readCheckpointPage({ ...parts, readRanges }, asked);
		const said = page.ledgerFacts?.map(([, text]) => text.slice(0, 1)).join('');
		seen.push([unpackRows(page.records ?? [])?.length ?? 0, said, page.whole]);
		asked = page.next;
	}
	expect(seen.map(([, said]) => said).join('')).toBe('123');
	const wholeAt = (ledger: string): number =>
		seen.findIndex(([, , whole]) => Array.isArray(whole) && whole.includes(ledger));
	const saidAt = (text: string): number => seen.findIndex(([, said]) => said === text);
	expect(wholeAt(FIRST)).toBeGreaterThan(saidAt('1'));
	expect(wholeAt(FIRST)).toBeGreaterThanOrEqual(saidAt('2'));
	expect(wholeAt(LONG)).toBeGreaterThanOrEqual(saidAt('3'));
	expect(wholeAt(LAST)).toBe(seen.length - 1);
	expect(seen.map(([records]) => records)).toContain(1);
});

it('[FEED-9] has 1 MB of what is said of no ledger, and of the names of customers', async () => {
	await write('00000000-0000-0000-0000-000000000000', { count: 600 });
	const said = await readAll({ part: 'said', after: '' });
	expect(said.map(({ ledgerFacts = [] }) => ledgerFacts.length)).toEqual([
		IN_PIECE,
		IN_PIECE,
		600 - 2 * IN_PIECE
	]);
	await database.sql`
		insert into customer (business, ledger, fields, stamps)
		select ${SHOP}, gen_random_uuid(), jsonb_build_object('note', repeat('x', 4000)), '{}'
		from generate_series(1, 600)`;
	const pages = await readAll({ part: 'customers', after: '' });
	expect(pages.length).toBe(3);
	for (const page of pages) expect(JSON.stringify(page).length).toBeLessThan(1_200_000);
});

it('[FEED-9] says with a fact when it counts, and names the numbers of facts in the first piece alone', async () => {
	await write(LONG, { count: 2 });
	await database.sql`
		insert into clock (business, code, n, clock_code, clock_n, wall, counter, on_day)
		values (${SHOP}, 'A', 2, 'A', 1, 0, 0, '2026-11-20')`;
	const [page] = await readAll({ part: 'ledger', after: `${LONG}/` });
	expect(numbersIn(page === undefined ? [] : [page])).toEqual([1, 1, 2]);
	expect(page).not.toHaveProperty('ranges');
	expect(await read({ part: 'first', after: '' })).toMatchObject({ s: 2, ranges: { A: [[1, 2]] } });
});

it('[FEED-9] has a product that is taken up again between the pieces of those in use and of the others', async () => {
	await database.sql`
		insert into product (business, product, fields, stamps) values
			(${SHOP}, 'A-1', '{"name": "Tea"}', '{"name": [1, 0, "A-1"]}'),
			(${SHOP}, 'A-2', '{"name": "Rice", "active": false}',
				'{"name": [1, 0, "A-2"], "active": [2, 0, "A-3"]}')`;
	const used = await readAll({ part: 'products', after: '' });
	await database.sql`
		update product set fields = fields || '{"active": true}' where product = 'A-2'`;
	const retired = await readAll({ part: 'retired', after: '' });
	expect(used.flatMap(idsOf)).toEqual(['A-1']);
	expect(retired.flatMap(idsOf)).toEqual(['A-2']);
});

it('[FEED-9] has what is left of a product whose name comes later, as when an owner takes in its sale alone', async () => {
	const level = { branch: FIRST, product: 'C-8', level: '-2000' };
	await database.sql`
		insert into stock (business, branch, product, thousandths)
		values (${SHOP}, ${level.branch}, ${level.product}, ${level.level})`;
	const first = await read({ part: 'first', after: '' });
	const rest = await readAll({ part: 'products', after: '' });
	const retired = await readAll({ part: 'retired', after: '' });
	const stock = [first, ...rest, ...retired].flatMap(({ stock: rows }) => unpackRows(rows) ?? []);
	expect(stock).toEqual([level]);
});

it('[FEED-15] begins where the feed begins when the numbers of facts have too many gaps', async () => {
	await write(LONG, { count: 11, step: 2 });
	expect(await read({ part: 'first', after: '' }, 11)).toMatchObject({ s: 11 });
	const nothing = { epoch: 1, s: 0, ranges: {}, next: null };
	expect(await read({ part: 'first', after: '' }, 10)).toEqual(nothing);
	// Counted once, it is not gone through again for each that asks.
	const readRanges = createFactRanges(11);
	expect(await readRanges(database.sql, SHOP, 11)).toBeDefined();
	await write(LONG, { count: 1, from: 1_000 });
	expect(await readRanges(database.sql, SHOP, 12)).toBeUndefined();
	expect(await readRanges(database.sql, SHOP, 12)).toBeUndefined();
});

it('[FEED-16] comes in one piece to who wrote little', async () => {
	await write(LONG, { count: 1 });
	expect(await isSmall(database.sql, SHOP)).toBe(true);
	await database.sql`update fact set text = repeat('x', ${33 * 1024 * 1024})`;
	expect(await isSmall(database.sql, SHOP)).toBe(false);
	await database.sql`update fact set text = 'x'`;
	await database.sql`update feed_head set s = 100001`;
	expect(await isSmall(database.sql, SHOP)).toBe(false);
});

/** Products whose stamps nobody asks for; what they are called and whether they are sold still. */
async function writeProducts(fieldsById: Readonly<Record<string, object>>): Promise<void> {
	const stamp = [1, 0, 'A-1'];
	for (const [id, fields] of Object.entries(fieldsById)) {
		const stamps = Object.fromEntries(Object.keys(fields).map((name) => [name, stamp]));
		await database.sql`
			insert into product (business, product, fields, stamps)
			values (${SHOP}, ${id}, ${JSON.stringify(fields)}::text::jsonb, ${JSON.stringify(stamps)}::text::jsonb)`;
	}
}

/** So many sales of one product each, from one number on. */
async function sell(productId: string, from: number, { count = 1, lines = 1 } = {}): Promise<void> {
	for (let n = from; n < from + count; n += 1) {
		const line = { name: 'Tea', quantityThousandths: 1_000, unitPriceMinor: 1, totalMinor: 1 };
		const text = encodeFact({
			...{ id: factId('A', n), code: 'A', n, at: { wall: n, counter: 0 }, on: '2026-11-20', by: 1 },
			...{ kind: 'sale', receipt: n, tenders: [{ kind: 'cash', minor: lines }] },
			lines: Array.from({ length: lines }, () => ({ ...line, productId: productId as ProductId }))
		});
		await database.sql`
			insert into fact (business, code, n, kind, wall, counter, on_day, member, text, digest, s)
			values (${SHOP}, 'A', ${n}, 'sale', ${n}, 0, '2026-11-20', 1, ${text}, 0, ${n})`;
	}
}

function idsOf({ products }: CheckpointPage): readonly unknown[] {
	return (unpackRows(products ?? []) ?? []).map((row) => row['id']).toSorted();
}

it('[FEED-9] what is sold most is looked for in 1 MB of the last sales, however long they are', async () => {
	await write(FIRST, { count: 1 });
	await sell('A-1', 2, { count: 10 });
	// Each of some 25 kB.
	await sell('A-3', 12, { count: 60, lines: 1_000 });
	await database.sql`update feed_head set s = 71`;
	expect((await read({ part: 'first', after: '' })).often).toEqual(['A-3']);
	await sell('A-1', 72, { count: 10 });
	await database.sql`update feed_head set s = 81`;
	expect((await read({ part: 'first', after: '' })).often).toEqual(['A-3', 'A-1']);
});

it('[FEED-9] a till opens with what it sold most of late and its favourites; what is sold no more comes last', async () => {
	await writeProducts({
		'A-1': { name: 'Tea' },
		'A-2': { name: 'Milk', favourite: true },
		'A-3': { name: 'Salt' },
		'A-4': { name: 'Soap', active: true },
		'A-5': { name: 'Rope', active: false }
	});
	await sell('A-4', 1, { count: 3 });
	// Six hundred facts ago is long ago.
	await write(FIRST, { from: 4, count: 597 });
	await sell('A-3', 601, { count: 1 });
	await sell('A-1', 602, { count: 2 });
	await database.sql`update feed_head set s = 603`;
	const first = await read({ part: 'first', after: '' });
	expect(first.often).toEqual(['A-1', 'A-3']);
	expect(idsOf(first)).toEqual(['A-1', 'A-2', 'A-3']);
	expect(idsOf(await read({ part: 'products', after: '' }))).toEqual(['A-1', 'A-2', 'A-3', 'A-4']);
	expect(idsOf(await read({ part: 'products', after: 'A-2' }))).toEqual(['A-3', 'A-4']);
	// One that was taken up again comes once more: a device may have asked for the pieces before.
	expect(idsOf(await read({ part: 'retired', after: '' }))).toEqual(['A-4', 'A-5']);
});
