import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dayNumber } from '#domain/calendar.ts';
import { currencyKey } from '#domain/confirmation/currency-key.ts';
import { clockedTime, inTime, rulingTime } from '#domain/fact/clock-fact.ts';
import { DAY_TOTAL_NAMES } from '#domain/fact/effects.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { ClockFact, Fact } from '#domain/fact/fact.ts';
import { factId, type DeviceCode } from '#domain/ids.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { createProject } from '#server/projections/project.ts';
import { timeFacts } from '#server/relay/fact-times.ts';
import type { DeviceStore } from '#storage/device-store.ts';
import { ALL_TABLES } from '#tests/contract/device-store.ts';
import { contested, CONTESTED_FROM } from '#tests/support/contested-trade.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { keepFacts } from '#tests/support/kept-facts.ts';
import { inBatches, shuffled } from '#tests/support/permutations.ts';
import { seeded } from '#tests/support/seeded.ts';
import { foldedNumbers, storedNumbers, type Numbers } from '#tests/support/shop-numbers.ts';
import { talkedTrade } from '#tests/support/talked-trade.ts';
import { openTestDevice } from '#tests/support/test-device.ts';
import {
	TRADE_BRANCH,
	TRADE_BUSINESS,
	type Trade,
	type WrittenFact
} from '#tests/support/trade.ts';

const PINNED_SEEDS = [1, 2, 3];
const FRESH_SEEDS = [Math.floor(Math.random() * 1e9)];
const FACTS = 90;
const CODES = ['A', 'B', 'AA'] as DeviceCode[];
const HOUR_MS = 3_600_000;

type Random = (limit: number) => number;

const crypto = createNodeCrypto();
const project = createProject(crypto);
let database: TestDatabase;
beforeAll(async () => {
	database = await createTestDatabase();
});
afterAll(() => database.close());

/** A trade of which a third was stamped ahead: the relay said so of each, of some twice. */
async function tradeAhead(seed: number, random: Random): Promise<Trade> {
	const talked = await talkedTrade({ seed, count: FACTS, codes: CODES, crypto });
	const facts = [...talked.facts, ...contested(talked, { codes: CODES, random })];
	let n = 0;
	const clocks = facts.flatMap(({ fact }): readonly WrittenFact[] => {
		if (fact.code.startsWith('0.') || random(fact.n < CONTESTED_FROM ? 3 : 2) > 0) return [];
		const epochs = random(4) === 0 ? [11, 12] : [10 + random(3)];
		return epochs.map((epoch) => {
			n += 1;
			return clockOf(fact, { epoch, n, backMs: random(50 * HOUR_MS) + 1, counter: random(3) });
		});
	});
	return { ...talked, facts: [...facts, ...clocks] };
}

interface Said {
	readonly epoch: number;
	readonly n: number;
	readonly backMs: number;
	readonly counter: number;
}

function clockOf(of: Fact, { epoch, n, backMs, counter }: Said): WrittenFact {
	const code = `0.${String(epoch)}`;
	const wall = of.at.wall - backMs;
	const on = new Date(wall).toISOString().slice(0, 10);
	const fact: ClockFact = {
		...{ id: factId(code, n), code, n, at: { wall, counter: 0 }, on, by: 0 },
		...{ kind: 'clock', factId: of.id, wall, counter, day: dayNumber(on) }
	};
	return { fact, branch: TRADE_BRANCH, text: encodeFact(fact) };
}

/** Everything that is folded, without what counts how often it was. */
async function readModel(store: DeviceStore): Promise<unknown> {
	return store.read(ALL_TABLES, async (rows) => ({
		facts: (await rows.all('facts')).map(({ id, wall, counter, on }) => [id, wall, counter, on]),
		clocks: await rows.all('clocks'),
		products: await rows.all('products'),
		customers: await rows.all('customers'),
		settings: await rows.all('settings'),
		stock: await rows.all('stock'),
		days: await rows.all('days'),
		records: await rows.all('records'),
		balances: await rows.all('balances'),
		sayings: await rows.all('sayings'),
		edges: await rows.all('edges'),
		entries: await rows.all('entries'),
		ends: await rows.all('ends'),
		tallies: (await rows.all('tallies')).map((row) => ({ ...row, revision: 0 }))
	}));
}

async function received(
	trade: Trade,
	batches: readonly (readonly WrittenFact[])[]
): Promise<DeviceStore> {
	const opened = await openTestDevice({ seed: 1 });
	const { identity } = opened.device;
	const { device, store } = await openTestDevice({
		seed: 2,
		joins: { identity: { ...identity, business: TRADE_BUSINESS, branch: TRADE_BRANCH }, code: 'Z' }
	});
	for (const batch of batches) await device.receive(batch);
	expect((await store.read(['facts'], (rows) => rows.all('facts'))).length).toBe(
		trade.facts.length
	);
	return store;
}

describe.each([...PINNED_SEEDS, ...FRESH_SEEDS])('facts stamped ahead, of seed %i', (seed) => {
	it('[DEVICE-60] make one read model in whatever order they and their clocks come', async () => {
		const random = seeded(seed);
		const trade = await tradeAhead(seed, random);
		const clocks = trade.facts.filter(({ fact }) => fact.kind === 'clock');
		const others = trade.facts.filter(({ fact }) => fact.kind !== 'clock');
		// Of few facts, by chance, none may have been stamped ahead.
		for (const kind of PINNED_SEEDS.includes(seed) ? ['sale', 'product', 'customer'] : [])
			expect(namedBy(clocks, others).has(kind)).toBe(true);
		// Where the clocks come first nothing is ever folded twice.
		const first = await received(trade, [clocks, others]);
		const expected = await readModel(first);
		expect(await storedNumbers(first)).toEqual(await foldedNumbers(first));
		const orders = [
			[others, clocks],
			[others, ...clocks.toReversed().map((one) => [one])],
			[...inBatches(shuffled(trade.facts, random), random, 30), trade.facts],
			inBatches(shuffled(trade.facts, random), random, 30),
			inBatches(shuffled([...others, ...clocks], random), random, 30)
		];
		for (const batches of orders)
			expect(await readModel(await received(trade, batches))).toEqual(expected);
		expect(await timesAreSaid(first, trade)).toBe(true);
	});

	it('[PROJ-12] [PROJ-13] make the tables that the facts make on a device', async () => {
		const random = seeded(seed);
		const trade = await tradeAhead(seed, random);
		const expected = await storedNumbers(await received(trade, [trade.facts]));
		const { sql } = database;
		for (let round = 0; round < 3; round += 1) {
			await sql`truncate fact, clock, product, customer, setting, sale, sale_line, tender,
				sale_return, return_line, stock, record, balance, early_name, day_total, ledger_fact, claim`;
			let s = 0;
			for (const batch of inBatches(shuffled(trade.facts, random), random, 30)) {
				await fold(batch, s);
				s += batch.length;
			}
			expect(await tables()).toEqual(expected);
			expect(await receiptsOfTables()).toEqual(receiptsOf(trade));
			const records = await recordsOfTable();
			expect(records).toEqual(recordsOf(trade, records));
			expect(Object.keys(records).length).toBeGreaterThan(0);
		}
	});
});

it('[PROJ-13] a day on which nothing is left but what is apart from its totals is none', async () => {
	const { sql } = database;
	const trade = await talkedTrade({ seed: 1, count: FACTS, codes: CODES, crypto });
	const sold = trade.facts.find(({ fact }) => fact.kind === 'sale');
	const named = trade.facts.find(({ fact }) => fact.kind === 'answered');
	if (sold === undefined || named?.fact.kind !== 'answered') throw new Error('nothing was sold');
	const { on, at, by } = sold.fact;
	const answer = { h: named.fact.h, way: 'insist', note: '' } as const;
	const head = { id: factId('YY', 1), code: 'YY', n: 1, at, on, by };
	const fact: Fact = { ...head, kind: 'record', records: [], answer, isApart: true };
	const apart = { fact, text: encodeFact(fact), branch: TRADE_BRANCH };
	const backMs = 50 * HOUR_MS;
	const clock = clockOf(sold.fact, { epoch: 11, n: 1, backMs, counter: 0 });
	const daysAfter = async (batches: readonly (readonly WrittenFact[])[]): Promise<unknown> => {
		await sql`truncate fact, clock, sale, sale_line, tender, stock, record, balance, early_name,
			day_total, ledger_fact`;
		let s = 0;
		for (const batch of batches) {
			await fold(batch, s);
			s += batch.length;
		}
		return sql`select on_day::text as on, sales_count from day_total order by on_day`;
	};
	const early = await daysAfter([[clock, sold, apart]]);
	expect(early).toHaveLength(1);
	expect(await daysAfter([[sold, apart], [clock]])).toEqual(early);
});

/** As the write path does it with what comes after a restore: kept, then timed, then folded. */
async function fold(batch: readonly WrittenFact[], s: number): Promise<void> {
	await database.sql.begin(async (transaction) => {
		const tx = transaction as never as TestDatabase['sql'];
		await keepFacts(tx, batch, s);
		const facts = batch.map(({ fact }) => ({
			...{ business: TRADE_BUSINESS, branch: TRADE_BRANCH, fact }
		}));
		const now = Number.MAX_SAFE_INTEGER / 2;
		const nobody = { random: undefined, relayKey: undefined };
		const parts = { now, epoch: 20, isRestored: true, tops: new Map(), ...nobody };
		await project(tx, (await timeFacts(tx, facts, parts)).facts);
	});
}

function namedBy(
	clocks: readonly WrittenFact[],
	others: readonly WrittenFact[]
): ReadonlySet<string> {
	const kinds = new Map(others.map(({ fact }) => [fact.id, fact.kind]));
	return new Set(
		clocks.flatMap(({ fact }) => (fact.kind === 'clock' ? (kinds.get(fact.factId) ?? []) : []))
	);
}

function timeOf(fact: Fact, { facts }: Trade): Pick<Fact, 'at' | 'on'> {
	const said = facts.flatMap(({ fact: clock }) =>
		clock.kind === 'clock' && clock.factId === fact.id ? [clockedTime(clock)] : []
	);
	return inTime(fact, rulingTime(...said));
}

async function timesAreSaid(store: DeviceStore, trade: Trade): Promise<boolean> {
	const rows = await store.read(['facts'], (read) => read.all('facts'));
	const byId = new Map(rows.map((row) => [row.id, row]));
	return trade.facts.every(({ fact }) => {
		const { at, on } = timeOf(fact, trade);
		const row = byId.get(fact.id);
		return row?.wall === at.wall && row.counter === at.counter && row.on === on;
	});
}

function receiptsOf(trade: Trade): Numbers {
	const sold = trade.facts.filter(({ fact }) => fact.kind === 'sale' || fact.kind === 'return');
	return Object.fromEntries(
		sold.map(({ fact }) => {
			const { at, on } = timeOf(fact, trade);
			return [fact.id, `${on} ${String(at.wall)}`];
		})
	);
}

/** The times of the facts that carry these. */
function recordsOf(trade: Trade, carriers: Numbers): Numbers {
	return Object.fromEntries(
		trade.facts.flatMap(({ fact }) => {
			const { wall, counter } = timeOf(fact, trade).at;
			return fact.id in carriers ? [[fact.id, `${String(wall)} ${String(counter)}`]] : [];
		})
	);
}

async function recordsOfTable(): Promise<Numbers> {
	const rows = await database.sql<{ id: string; time: string }[]>`
		select code || '-' || n as id, wall || ' ' || counter as time from record`;
	return Object.fromEntries(rows.map(({ id, time }) => [id, time]));
}

async function receiptsOfTables(): Promise<Numbers> {
	const rows = await database.sql<{ id: string; time: string }[]>`
		select code || '-' || n as id, on_day::text || ' ' || happened_at as time from sale
		union all
		select code || '-' || n, on_day::text || ' ' || happened_at from sale_return`;
	return Object.fromEntries(rows.map(({ id, time }) => [id, time]));
}

async function tables(): Promise<Numbers> {
	const { sql } = database;
	const numbers: Record<string, string> = {};
	for (const row of await sql`select branch, product, thousandths from stock`)
		numbers[`stock ${String(row['branch'])} ${String(row['product'])}`] = String(
			row['thousandths']
		);
	for (const row of await sql`select * from day_total`)
		numbers[`day ${String(row['branch'])} ${String(row['on_day'])}`] = DAY_TOTAL_NAMES.map((name) =>
			String(row[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)])
		).join();
	for (const row of await sql`select * from balance`)
		numbers[`balance ${String(row['ledger'])} ${currencyKey(row as never)}`] = [
			...['confirmed', 'waiting', 'credited', 'disputed', 'total']
		]
			.map((name) => String(row[name]))
			.join();
	for (const row of await sql`select product, fields from product`)
		numbers[`product ${String(row['product'])}`] = fieldsText(row['fields'] as object);
	for (const row of await sql`select ledger, fields from customer`)
		numbers[`customer ${String(row['ledger'])}`] = fieldsText(row['fields'] as object);
	for (const row of await sql`select fields from setting`)
		for (const [field, value] of Object.entries(row['fields'] as object))
			numbers[`setting ${field}`] = String(value);
	return numbers;
}

function fieldsText(fields: object): string {
	return JSON.stringify(Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
