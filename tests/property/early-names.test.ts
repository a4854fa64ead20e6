import type { Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { currencyKey } from '#domain/confirmation/currency-key.ts';
import { recordHash, type RecordHash } from '#domain/confirmation/record-hash.ts';
import { isDebit } from '#domain/confirmation/record-kind.ts';
import type { RecordId } from '#domain/confirmation/record.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import { effectsOf } from '#domain/fact/effects.ts';
import type { FactHead, FactRecord } from '#domain/fact/fact.ts';
import { foldFacts } from '#domain/fact/fold.ts';
import { factId, type DeviceCode } from '#domain/ids.ts';
import { createNodeCrypto } from '#server/crypto.ts';
import type { BalanceRow } from '#server/projections/balances.ts';
import { foldAnew } from '#server/projections/fold-anew.ts';
import type { LedgerName } from '#server/projections/ledger-facts.ts';
import { createProject } from '#server/projections/project.ts';
import { createSigner, createSigningKeys } from '#state/web-crypto.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { keepFacts } from '#tests/support/kept-facts.ts';
import { inBatches, shuffled } from '#tests/support/permutations.ts';
import { seeded } from '#tests/support/seeded.ts';
import { talkedTrade } from '#tests/support/talked-trade.ts';
import {
	seededUuid,
	signTrade,
	TRADE_BRANCH,
	TRADE_BUSINESS,
	type Trade,
	type TradeDraft,
	type WrittenFact
} from '#tests/support/trade.ts';

const PINNED_SEEDS = [1, 6054, 966924060];
const FRESH_SEEDS = [Math.floor(Math.random() * 1e9)];
const crypto = createNodeCrypto();
const project = createProject(crypto);
let database: TestDatabase;
beforeAll(async () => {
	database = await createTestDatabase();
});
afterAll(() => database.close());

describe.each([...PINNED_SEEDS, ...FRESH_SEEDS])('ledgers of seed %i', (seed) => {
	it('[PROJ-14] come to what they come to anew after every fact, in whatever order they arrive', async () => {
		const { sql } = database;
		const random = seeded(seed);
		const trade = await namingTrade(seed);
		const facts = trade.facts.filter(({ fact }) => isOfLedgers(fact.kind));
		await sql`truncate fact, record, balance, early_name, ledger_fact, claim, sale, sale_line,
			tender, stock, day_total`;
		await keepFacts(sql, facts);
		let added = 0;
		let named = 0;
		let kept = await readKept();
		for (const batch of inBatches(shuffled(facts, random), random, 3)) {
			const placed = batch.map(({ fact }) => {
				return { business: TRADE_BUSINESS, branch: TRADE_BRANCH, fact };
			});
			const before = kept;
			const reads = await countingReads((tx) => project(tx, placed));
			kept = await readKept();
			expect({ balances: kept.balances, names: kept.names }).toEqual(await readAnew());
			if (reads === 0 && kept.folded.join() !== before.folded.join()) added += 1;
			named = Math.max(named, kept.names.length);
		}
		// By chance another seed comes to few of either.
		if (PINNED_SEEDS.includes(seed)) {
			expect(added).toBeGreaterThan(5);
			expect(named).toBeGreaterThan(5);
		}
		expect(kept.names).toEqual([]);
		expect(kept.balances).toEqual(asFolded(trade, facts));
	});
});

function isOfLedgers(kind: string): boolean {
	return ['record', 'sale', 'claim', 'verdict', 'answered', 'link'].includes(kind);
}

/**
 * A talked trade with credits that name debits, and with another currency, in which records of the
 * first are named too.
 */
async function namingTrade(seed: number): Promise<Trade> {
	const codes = ['A', 'B'] as DeviceCode[];
	const trade = await talkedTrade({ seed, count: 110, codes, crypto });
	const signer = await createSigner(await createSigningKeys());
	const random = seeded(seed + 7);
	const hashes = new Map<string, RecordHash>();
	const written: WrittenFact[] = [];
	const records = trade.facts.flatMap(({ fact }) => effectsOf(fact).records);
	const debits = records.filter(({ core }) => isDebit(core.kind));
	async function write(draft: Omit<TradeDraft, 'isMadeOffline' | 'recordId'>): Promise<RecordHash> {
		const n = written.length + 1;
		const wall = Date.UTC(2026, 10, 21) + random(1_000);
		const code = 'YY';
		const of: FactHead = {
			...{ id: factId(code, n), code, n, on: '2026-11-21', by: 1 },
			at: { wall, counter: 0 }
		};
		const recordId = seededUuid(7, random) as RecordId;
		const whole = { ...draft, isMadeOffline: false, recordId };
		const record = await signTrade(of, whole, { signer, crypto });
		const h = await recordHash(record.signed.a, crypto);
		hashes.set(recordId, h);
		const fact = { ...of, kind: 'record' as const, records: [record] };
		written.push({ fact, text: encodeFact(fact), branch: TRADE_BRANCH });
		return h;
	}
	for (const debit of debits.slice(0, 12)) {
		const { core } = debit;
		const of = { amount: 1 + random(core.amount), ledger: core.ledgerId };
		const ref = trade.hashOf(debit);
		await write({ ...of, kind: 'credit', ref });
		await write({ ...of, kind: 'forgiveness', ref, currency: 'USD' });
		const there = await write({ ...of, kind: 'due', currency: 'USD' });
		if (random(2) === 0) await write({ ...of, kind: 'credit', ref: there, currency: 'USD' });
		await write({ ...of, kind: 'fee', currency: 'USD' });
		await write({ ...of, kind: 'payment' });
	}
	const hashOf = (record: FactRecord): RecordHash =>
		hashes.get(record.core.recordId) ?? trade.hashOf(record);
	return { facts: [...trade.facts, ...written], hashOf };
}

interface Numbers {
	readonly balances: readonly string[];
	/** Of records that have not come. */
	readonly names: readonly string[];
}

interface Kept extends Numbers {
	/** The balances of ledgers in which more was said than plain records. */
	readonly folded: readonly string[];
}

async function readKept(): Promise<Kept> {
	const { sql } = database;
	const rows = await sql<(Balance & { is_plain: boolean })[]>`select * from balance`;
	const folded = rows.filter(({ is_plain: isPlain }) => !isPlain).map(textOf);
	return {
		balances: rows.map(textOf).sort(),
		names: await readNames(sql),
		folded: folded.sort()
	};
}

/** The same from all records and all that was said. */
async function readAnew(): Promise<Numbers> {
	const undone = Symbol();
	let numbers: Numbers | undefined;
	const read = database.sql.begin(async (transaction) => {
		const tx = transaction as unknown as Sql;
		const ledgers = await tx<LedgerName[]>`select distinct business, ledger from record`;
		await tx`truncate early_name`;
		const rows = await foldAnew(tx, ledgers);
		// What is here needs no keeping.
		expect(await tx`select from early_name join record using (business, ledger, h)`).toEqual([]);
		numbers = { balances: rows.map(textOf).sort(), names: await readNames(tx) };
		// eslint-disable-next-line @typescript-eslint/only-throw-error -- nothing of it is kept
		throw undone;
	});
	await read.catch((fault: unknown) => {
		if (fault !== undone) throw fault;
	});
	if (numbers === undefined) throw new Error('nothing was folded');
	return numbers;
}

/** In ledgers of which anything was folded anew. */
async function readNames(sql: Sql): Promise<readonly string[]> {
	const names = await sql<{ name: string }[]>`
		select ledger || ' ' || h as name from early_name where not exists (
			select from record where record.business = early_name.business
				and record.ledger = early_name.ledger and record.h = early_name.h
		) and ledger in (select ledger from balance where not is_plain)
		order by name`;
	return names.map(({ name }) => name);
}

type Balance = Pick<BalanceRow, 'ledger' | 'currency' | 'exponent'> &
	Record<'confirmed' | 'waiting' | 'credited' | 'disputed' | 'total', unknown>;

function textOf(row: Balance): string {
	const { ledger, confirmed, waiting, credited, disputed, total } = row;
	const sums = [confirmed, waiting, credited, disputed, total].map(String);
	return [ledger, currencyKey(row), ...sums].join(' ');
}

function asFolded(trade: Trade, facts: readonly WrittenFact[]): readonly string[] {
	const { balances } = foldFacts(facts, trade.hashOf);
	return Array.from(balances)
		.flatMap(([ledger, byCurrency]) =>
			Array.from(byCurrency, ([key, sums]) => {
				const [currency = '', exponent] = key.split('/');
				return textOf({ ledger, currency, exponent: Number(exponent), ...sums });
			})
		)
		.sort();
}

/** How often a transaction reads ledgers from their records. */
async function countingReads(act: (tx: Sql) => Promise<void>): Promise<number> {
	let reads = 0;
	await database.sql.begin((tx) =>
		act(
			new Proxy(tx, {
				apply: (target, self, given: readonly unknown[]): unknown => {
					if (/^\s*select[^]*from record\s/.test(String((given[0] as readonly string[])[0]))) {
						reads += 1;
					}
					return Reflect.apply(target, self, given);
				}
			}) as unknown as Sql
		)
	);
	return reads;
}
