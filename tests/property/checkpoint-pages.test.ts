import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDays, dayNumber } from '#domain/calendar.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { factId, type BranchId, type DeviceCode, type LedgerId } from '#domain/ids.ts';
import { err, ok } from '#domain/result.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import { readCheckpoint } from '#server/projections/checkpoint.ts';
import { readCheckpointPage } from '#server/projections/checkpoint-page.ts';
import { createFactRanges, RANGES_MAX, type ReadRanges } from '#server/projections/fact-ranges.ts';
import { createProject } from '#server/projections/project.ts';
import { timeFacts } from '#server/relay/fact-times.ts';
import { parseCheckpoint, type Checkpoint, type NextPage } from '#state/checkpoint.ts';
import { createFeedPull, type FeedPull } from '#state/feed-pull.ts';
import { writeMeta, type FeedPlace } from '#state/meta.ts';
import type { RelayHttp } from '#state/relay-http.ts';
import type { DeviceStore, RecordRow } from '#storage/device-store.ts';
import { contested } from '#tests/support/contested-trade.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { keepFacts } from '#tests/support/kept-facts.ts';
import { seeded } from '#tests/support/seeded.ts';
import { foldedNumbers, storedNumbers } from '#tests/support/shop-numbers.ts';
import { talkedTrade } from '#tests/support/talked-trade.ts';
import { createTestKey } from '#tests/support/people-stand.ts';
import { openTestDevice, type TestDevice } from '#tests/support/test-device.ts';
import { tradeIdentity } from '#tests/support/trade-identity.ts';
import {
	makeTrade,
	TRADE_BRANCH,
	TRADE_BUSINESS,
	type Trade,
	type WrittenFact
} from '#tests/support/trade.ts';

const SEEDS = [1, 5_001, 595_176_700, 874_045_911, Math.floor(Math.random() * 1e9)];
const FACTS = 420;
const CODES = ['A', 'B', 'AA'] as DeviceCode[];
const EPOCH = 4;
/** Rows of a page of the feed, and of what lies before a checkpoint. */
const PAGE = 30;
const DAY_MS = 86_400_000;
/** So few bytes that some pieces are cut by them, and not by their rows. */
const SIZES = { products: 7, customers: 3, days: 2, said: 4, records: 6, bytes: 1_500 };

const crypto = createNodeCrypto();
const project = createProject(crypto);
let database: TestDatabase;
beforeAll(async () => {
	database = await createTestDatabase();
});
afterAll(() => database.close());

/** A relay that goes on while it is asked: each answer is of a later place of the feed. */
interface Relay {
	readonly http: RelayHttp;
	/** How many facts it has. */
	s: number;
	/** Whether some pieces do not come through. */
	isCut: boolean;
	/** How many pieces come through from now on. */
	left: number;
	/** In how many ranges the numbers of facts may be. */
	rangesMax: number;
	/** Every piece that was asked for. */
	readonly asked: NextPage[];
	/** Takes in some facts more. */
	goOn(count: number): Promise<void>;
}

async function openRelay(
	trade: Pick<Trade, 'facts'>,
	random: (limit: number) => number
): Promise<Relay> {
	const { sql } = database;
	await sql`truncate fact, product, customer, setting, sale, sale_line, tender, sale_return,
		return_line, stock, record, balance, early_name, day_total, ledger_fact, claim, feed_head, clock`;
	await sql`insert into feed_head (business, s) values (${TRADE_BUSINESS}, 0)`;
	const readRanges: ReadRanges = (...asked) => createFactRanges(relay.rangesMax)(...asked);
	const relay: Relay = {
		s: 0,
		isCut: false,
		left: Infinity,
		rangesMax: RANGES_MAX,
		asked: [],
		goOn: async (count) => {
			let end = relay.s + count;
			// A clock fact is written with the fact that it is on.
			while (trade.facts[end]?.fact.kind === 'clock') end += 1;
			const facts = trade.facts.slice(relay.s, end);
			await commit(facts, relay.s);
			relay.s += facts.length;
		},
		http: {
			ticket: () => Promise.reject(new Error('no tickets here')),
			forgetToken: () => undefined,
			feed: ({ s }: FeedPlace) =>
				Promise.resolve(ok({ kind: 'page', rows: pageOf(trade, s, relay.s), last: relay.s })),
			history: ({ s }: FeedPlace) =>
				Promise.resolve(ok(pageOf(trade, Math.max(0, s - 1 - PAGE), s - 1).toReversed())),
			checkpoint: async (_branch: BranchId, piece?: NextPage) => {
				await relay.goOn(random(5));
				const asked = { part: (piece?.part ?? 'first') as 'first', after: piece?.after ?? '' };
				relay.asked.push(asked);
				relay.left -= 1;
				if (relay.left < 0 || (relay.isCut && random(5) === 0)) return err('unreachable');
				const parts = { sql, business: TRADE_BUSINESS, epoch: EPOCH, readRanges, sizes: SIZES };
				const read = await readCheckpointPage(parts, asked);
				// A relay of before says it with each piece.
				const isOld = relay.isCut && random(3) === 0;
				const ranges = isOld ? await readRanges(sql, TRADE_BUSINESS, read.s) : read.ranges;
				const page: unknown = JSON.parse(JSON.stringify({ ...read, ranges }));
				const parsed = parseCheckpoint(page);
				if (!parsed.ok) throw new Error(JSON.stringify([asked, parsed.error]));
				return parsed;
			}
		} as unknown as RelayHttp
	};
	return relay;
}

function pageOf(
	trade: Pick<Trade, 'facts'>,
	after: number,
	last: number
): readonly { s: number; branch: typeof TRADE_BRANCH; text: string }[] {
	return trade.facts
		.slice(after, Math.min(last, after + PAGE))
		.map(({ text }, place) => ({ s: after + place + 1, branch: TRADE_BRANCH, text }));
}

async function commit(facts: readonly WrittenFact[], s: number): Promise<void> {
	if (facts.length === 0) return;
	await database.sql.begin(async (tx) => {
		await keepFacts(tx as never, facts, s);
		await tx`update feed_head set s = ${s + facts.length} where business = ${TRADE_BUSINESS}`;
		const placed = facts.map(({ fact }) => ({
			...{ business: TRADE_BUSINESS, branch: TRADE_BRANCH, fact }
		}));
		const now = Number.MAX_SAFE_INTEGER / 2;
		const nobody = { random: undefined, relayKey: undefined };
		const parts = { now, epoch: EPOCH, isRestored: false, tops: new Map(), ...nobody };
		await project(tx as never, (await timeFacts(tx as never, placed, parts)).facts);
	});
}

/** With what several devices said of the same, anywhere among the rest. */
function mixed(trade: Trade, random: (limit: number) => number): readonly WrittenFact[] {
	const facts = [...trade.facts];
	for (const fact of contested(trade, { codes: CODES, random }))
		facts.splice(100 + random(facts.length - 100), 0, fact);
	return facts;
}

/** What is kept of the book, by the fact that said it. */
async function bookRows(store: DeviceStore): Promise<unknown> {
	return store.read(['edges', 'entries', 'ends', 'sayings'], async (rows) => [
		await rows.all('edges'),
		await rows.all('entries'),
		await rows.all('ends'),
		await rows.all('sayings')
	]);
}

/** The same trade where some was stamped ten days ahead, with what the relay said of it behind each. */
function aheadOf(trade: Trade, random: (limit: number) => number): Trade {
	let top = 0;
	let n = 0;
	const facts = trade.facts.flatMap((written): readonly WrittenFact[] => {
		const { fact } = written;
		const isAhead = !fact.code.startsWith('0.') && random(5) === 0;
		top = Math.max(top + 1, fact.at.wall);
		if (!isAhead) return [written];
		n += 1;
		const at = { ...fact.at, wall: fact.at.wall + 10 * DAY_MS };
		const ahead: Fact = { ...fact, at, on: addDays(fact.on, 10) };
		const code = `0.${String(EPOCH)}`;
		const clock: Fact = {
			...{ id: factId(code, n), code, n, at: { wall: top, counter: 0 }, on: fact.on, by: 0 },
			...{ kind: 'clock', factId: fact.id, wall: top, counter: 0, day: dayNumber(fact.on) }
		};
		return [ahead, clock].map((one) => ({ ...written, fact: one, text: encodeFact(one) }));
	});
	return { ...trade, facts };
}

async function newDevice(seed: number): Promise<TestDevice> {
	return openTestDevice({ seed, joins: { identity: tradeIdentity('Z'), code: 'Z' } });
}

async function tallies(store: DeviceStore): Promise<readonly object[]> {
	const rows = await store.read(['tallies'], (read) => read.all('tallies'));
	return rows.map((row) => ({ ...row, revision: 0 }));
}

const SEEDS_AHEAD = SEEDS.map((seed) => [seed, 'some of it ahead'] as const);

describe.each([...SEEDS.map((seed) => [seed, 'in time'] as const), ...SEEDS_AHEAD])(
	'a checkpoint in pieces, trade of seed %i, %s',
	(seed, when) => {
		it('[FEED-9] comes to the numbers of all facts, whatever is written and sold meanwhile', async () => {
			const random = seeded(seed);
			const bare = await talkedTrade({ seed, count: FACTS, codes: CODES, crypto });
			const more = { ...bare, facts: mixed(bare, random) };
			const trade = when === 'in time' ? bare : aheadOf(more, random);
			const relay = await openRelay(trade, random);
			await relay.goOn(300);
			const to = await newDevice(seed);
			const { device, store } = to;
			const pull = createFeedPull({ device, store, http: relay.http });
			// What came by a document before, and after, of any place.
			const early = trade.facts.filter(() => random(12) === 0);
			await device.receive(early.slice(0, 9).map(({ text }) => ({ text, branch: TRADE_BRANCH })));

			expect(await pull.pull({ epoch: EPOCH, s: relay.s })).toBe('caughtUp');
			const sold = await sellSome(to);
			let turns = 0;
			relay.isCut = true;
			while ((await pull.backfill()) !== 'all') {
				await relay.goOn(random(4));
				await wantOne(to, random);
				if (random(3) === 0) await pull.pull({ epoch: EPOCH, s: relay.s });
				turns += 1;
				expect(turns).toBeLessThan(500);
			}
			relay.isCut = false;
			await relay.goOn(trade.facts.length);
			await pull.pull({ epoch: EPOCH, s: relay.s });

			const whole = await newDevice(seed + 1);
			await whole.device.receive([
				...trade.facts.map(({ text }) => ({ text, branch: TRADE_BRANCH })),
				...sold
			]);
			const numbers = await storedNumbers(whole.store);
			expect(await storedNumbers(store)).toEqual(numbers);
			expect(await foldedNumbers(whole.store)).toEqual(numbers);
			expect(await tallies(store)).toEqual(await tallies(whole.store));
			expect(await bookRows(store)).toEqual(await bookRows(whole.store));
			expect(await store.read(['bases'], (rows) => rows.count('bases'))).toBe(0);
		});
	}
);

it('[FEED-10] owes what it owed before its records are here, and what is sold meanwhile is on top', async () => {
	const signers = await Promise.all(CODES.map(() => createTestKey()));
	const trade = await makeTrade({ seed: 7, count: FACTS, codes: CODES, signers, crypto });
	const relay = await openRelay(trade, () => 0);
	await relay.goOn(trade.facts.length);
	const { device, store, book } = await newDevice(7);
	const pull = createFeedPull({ device, store, http: relay.http });
	await pull.pull({ epoch: EPOCH, s: relay.s });
	const whole = await newDevice(8);
	await whole.device.receive(trade.facts.map(({ text }) => ({ text, branch: TRADE_BRANCH })));
	const owed = await owedBy(whole.store);
	expect(await owedBy(store)).toEqual(owed);
	expect(await store.read(['records'], (rows) => rows.count('records'))).toBe(0);

	await device.receive([{ text: encodeFact(SHOP_MONEY), branch: TRADE_BRANCH }]);
	const totalOf = async (ledger: LedgerId): Promise<bigint> =>
		(await book.customer(ledger))?.balances.find(({ currency }) => currency === 'KES/2')?.total ??
		0n;
	const [customer] = (await book.customersWithBalances()).filter(
		({ balances }) => balances.length > 0
	);
	if (customer === undefined) throw new Error('somebody owes something');
	const { ledger } = customer;
	const owedBefore = await totalOf(ledger);
	await device.writeRecords(ledger, [{ kind: 'payment', minor: 700 }]);
	await device.sell({
		lines: [{ name: 'Tea', quantityThousandths: 1_000, unitPriceMinor: 700 }],
		tenders: [{ kind: 'account', minor: 700, ledger }]
	});
	expect(await totalOf(ledger)).toBe(owedBefore);

	// What somebody looks at comes first, alone.
	await device.wantLedger(ledger);
	const before = await store.read(['bases'], (rows) => rows.all('bases'));
	await pull.backfill();
	const after = await store.read(['bases'], (rows) => rows.get('bases', ledger));
	expect(before.find((base) => base.ledger === ledger)?.isWanted).toBe(1);
	expect(after).toBeUndefined();
	expect(await totalOf(ledger)).toBe(owedBefore);
});

/** All of a trade at the relay, and a device that began with the first pieces of it. */
async function begun(seed: number): Promise<{
	readonly relay: Relay;
	readonly to: TestDevice;
	readonly pull: FeedPull;
	/** Takes in all there is, and comes to the numbers of all facts. */
	readonly fill: () => Promise<void>;
}> {
	const signers = await Promise.all(CODES.map(() => createTestKey()));
	const trade = await makeTrade({ seed, count: FACTS, codes: CODES, signers, crypto });
	const relay = await openRelay(trade, () => 0);
	await relay.goOn(trade.facts.length - 20);
	const to = await newDevice(seed);
	const pull = createFeedPull({ ...to, http: relay.http });
	await pull.pull({ epoch: EPOCH, s: relay.s });
	const fill = async (): Promise<void> => {
		for (let turns = 0; (await pull.backfill()) !== 'all'; turns += 1)
			expect(turns).toBeLessThan(200);
		await pull.pull({ epoch: EPOCH, s: relay.s });
		const whole = await newDevice(seed + 1);
		const all = trade.facts.slice(0, relay.s).map(({ text }) => ({ text, branch: TRADE_BRANCH }));
		await whole.device.receive(all);
		expect(await storedNumbers(to.store)).toEqual(await storedNumbers(whole.store));
		expect(await tallies(to.store)).toEqual(await tallies(whole.store));
	};
	return { relay, to, pull, fill };
}

/** The ledger that has the most records. */
async function longest({ store }: TestDevice): Promise<LedgerId> {
	const rows = await database.sql<{ ledger: LedgerId }[]>`
		select ledger from record group by ledger order by count(*) desc limit 1`;
	const base = await store.read(['bases'], (read) => read.get('bases', rows[0]?.ledger ?? ''));
	if (base === undefined) throw new Error('its balance comes before its records');
	return base.ledger;
}

it('[LINK-39] a ledger that is looked at goes on where it was cut off, unless a checkpoint was begun since', async () => {
	const { relay, to, pull, fill } = await begun(9);
	const ledger = await longest(to);
	await to.device.wantLedger(ledger);
	const askedNext = async (left: number): Promise<string | undefined> => {
		relay.asked.length = 0;
		relay.left = left;
		await pull.backfill();
		return relay.asked[0]?.after;
	};
	expect(await askedNext(2)).toBe(`${ledger}/`);
	const cut = relay.asked[2]?.after;
	expect(cut).not.toBe(`${ledger}/`);
	expect(await askedNext(0)).toBe(cut);
	await relay.goOn(5);
	relay.left = Infinity;
	await to.device.takeCheckpoint(await firstOf(relay));
	expect(await askedNext(1)).toBe(`${ledger}/`);
	relay.left = Infinity;
	await fill();
});

it('[LINK-38] a device whose feed went on without saying what it brought begins anew', async () => {
	const { relay, to, pull, fill } = await begun(10);
	await relay.goOn(5);
	await to.store.write(['meta'], (rows) => writeMeta(rows, 'reached', null));
	relay.asked.length = 0;
	await pull.backfill();
	expect(relay.asked.map(({ part }) => part)).toContain('first');
	await fill();
});

it('[FEED-15] a device that is given nothing to begin with reads the feed, and goes on where it was', async () => {
	const { relay, to, pull, fill } = await begun(11);
	relay.rangesMax = 0;
	await relay.goOn(5);
	const place = await pull.place();
	const nothing = await firstOf(relay);
	expect(nothing).toMatchObject({ s: 0, next: null });
	await to.device.takeCheckpoint(nothing);
	expect(await pull.place()).toEqual(place);

	// What it began with is lost: all of it comes by the feed.
	await to.store.write(['meta'], (rows) => writeMeta(rows, 'isCheckpointLost', true));
	await pull.pull({ epoch: EPOCH, s: relay.s });
	expect(await pull.place()).toEqual({ epoch: EPOCH, s: relay.s });
	await fill();
});

it('[FEED-9] what a record settles, who took the goods and that it is late come without its fact', async () => {
	const from = await openTestDevice({
		seed: 12,
		joins: { identity: tradeIdentity('A'), code: 'A' }
	});
	const facts = await settledBook(from);
	const relay = await openRelay({ facts }, () => 0);
	await relay.goOn(facts.length);
	const to = await newDevice(12);
	await to.device.takeCheckpoint(await firstOf(relay));
	// What was written longer ago than sales are kept never comes as history.
	const http = { ...relay.http, history: () => Promise.resolve(ok([])) };
	const pull = createFeedPull({ ...to, http });
	while ((await pull.backfill()) !== 'all');
	expect(await to.store.read(['facts'], (rows) => rows.count('facts'))).toBe(0);
	expect(await recordRows(to.store)).toEqual(await recordRows(from.store));
	expect(await tallies(to.store)).toEqual(await tallies(from.store));
	const whole = await readCheckpoint(database.sql, TRADE_BUSINESS, EPOCH);
	expect(parseCheckpoint(JSON.parse(JSON.stringify(whole)))).toMatchObject({
		value: { records: expect.arrayContaining([...(await recordRows(from.store))]) as unknown }
	});
});

it('[FEED-9] a fact whose clock came before it counts once, where its day comes after it', async () => {
	const signers = await Promise.all(CODES.map(() => createTestKey()));
	const trade = await makeTrade({ seed: 13, count: FACTS, codes: CODES, signers, crypto });
	const sale = trade.facts.findLast(({ fact }) => fact.kind === 'sale');
	if (sale === undefined) throw new Error('something is sold');
	const { facts: late } = aheadOf({ ...trade, facts: [sale] }, () => 0);
	// After a restore whoever has the clock may come before its author.
	const others = trade.facts.filter((one) => one !== sale);
	const facts = [...late.slice(1), ...others, ...late.slice(0, 1)];
	const relay = await openRelay({ facts }, () => 0);
	await relay.goOn(facts.length - 1);
	const to = await newDevice(13);
	await to.device.takeCheckpoint(await firstOf(relay));
	await relay.goOn(1);
	const pull = createFeedPull({ ...to, http: relay.http });
	await pull.pull({ epoch: EPOCH, s: relay.s });
	for (let turns = 0; (await pull.backfill()) !== 'all'; turns += 1)
		expect(turns).toBeLessThan(200);
	const whole = await newDevice(14);
	await whole.device.receive(facts.map(({ text }) => ({ text, branch: TRADE_BRANCH })));
	expect(await storedNumbers(to.store)).toEqual(await storedNumbers(whole.store));
});

/** A book in which a payment passes over the oldest due. */
async function settledBook({ device, store, clock }: TestDevice): Promise<readonly WrittenFact[]> {
	await device.changeSettings({ currency: 'KES' });
	const customer = await device.addCustomer({ name: 'Amina' });
	if (!customer.ok) throw new Error('refused');
	const ledger = customer.value;
	await device.writeRecords(ledger, [{ kind: 'due', minor: 300, takenBy: 'Ali' }]);
	clock.now += DAY_MS;
	await device.writeRecords(ledger, [{ kind: 'due', minor: 500 }]);
	const due = (await recordRows(store)).find(({ amount }) => amount === 500);
	if (due === undefined) throw new Error('it is written');
	await device.markPaid(due.h, 'bank');
	await device.writeRecords(ledger, [{ kind: 'due', minor: 70 }], { lateOn: '2026-11-17' });
	const rows = await store.read(['journal'], (read) => read.all('journal'));
	return rows.map(({ text }) => {
		const fact = parseFact(text);
		if (!fact.ok) throw new Error(fact.error);
		return { fact: fact.value, text, branch: TRADE_BRANCH };
	});
}

async function recordRows(store: DeviceStore): Promise<readonly RecordRow[]> {
	return store.read(['records'], (rows) => rows.all('records'));
}

async function firstOf({ http }: Relay): Promise<Checkpoint> {
	const first = await http.checkpoint(TRADE_BRANCH);
	if (!first.ok || first.value.ranges === undefined) throw new Error('it answers');
	return { ...first.value, ranges: first.value.ranges };
}

/** The trade's money is the shop's. */
const SHOP_MONEY: Fact = {
	id: factId('A', 9_999),
	code: 'A',
	n: 9_999,
	at: { wall: Date.parse('2026-11-20T09:00:00Z'), counter: 0 },
	on: '2026-11-20',
	by: 1,
	kind: 'setting',
	fields: { currency: 'KES' }
};

/** Every balance that is not of another currency only. */
async function owedBy(store: DeviceStore): Promise<readonly string[]> {
	const rows = await store.read(['balances'], (read) => read.all('balances'));
	return rows
		.map(({ ledger, currency, total, agreed }) => [ledger, currency, total, agreed].join())
		.toSorted();
}

/** Somebody looks at a customer whose records are not here, now and then. */
async function wantOne(
	{ device, store }: TestDevice,
	random: (limit: number) => number
): Promise<void> {
	const bases = await store.read(['bases'], (rows) => rows.all('bases'));
	const base = bases[random(3 * bases.length + 1)];
	if (base !== undefined) await device.wantLedger(base.ledger);
}

/** Sales of the new device's own, which the relay does not have. */
async function sellSome({
	device,
	store
}: TestDevice): Promise<readonly { text: string; branch: typeof TRADE_BRANCH }[]> {
	const [customer] = await store.read(['customers'], (rows) => rows.all('customers'));
	const line = { name: 'Tea', quantityThousandths: 1_000, unitPriceMinor: 700 };
	if (customer === undefined) throw new Error('the customers come first');
	const { ledger } = customer;
	const sold = [
		await device.sell({ lines: [line], tenders: [{ kind: 'cash', minor: 700 }] }),
		await device.sell({ lines: [line], tenders: [{ kind: 'account', minor: 700, ledger }] })
	];
	if (!sold.every((one) => one.ok)) throw new Error(JSON.stringify(sold));
	const rows = await store.read(['journal'], (read) => read.all('journal'));
	return rows.map(({ text }) => ({ text, branch: TRADE_BRANCH }));
}
