import type { Sql } from 'postgres';
import { assert } from '#domain/assert.ts';
import { ledgerRecord, type LedgerRecord } from '#domain/confirmation/ledger-fold.ts';
import { recordHash, type RecordHash } from '#domain/confirmation/record-hash.ts';
import { isDebit } from '#domain/confirmation/record-kind.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import type { Fact, FactRecord } from '#domain/fact/fact.ts';
import type { BusinessId } from '#domain/ids.ts';
import { compareFactOrder, type FactOrder } from '#domain/stamp.ts';
import {
	emptyBalance,
	ledgerKey,
	pageKey,
	pageOf,
	putBalances,
	readBalances,
	type BalanceRow,
	type PageName
} from './balances.ts';
import { recordKey, takeEarlyNames, type RecordName } from './early-names.ts';
import type { Effected, TellFolded, ToldOf } from './effected.ts';
import { foldAnew } from './fold-anew.ts';
import { isPlain } from './folds-anew.ts';
import { keepLedgerFacts, readTalk, type LedgerName, type Talk } from './ledger-facts.ts';

/** A record with its name and the fact that carries it. */
interface Carried {
	readonly business: BusinessId;
	readonly fact: Fact;
	readonly record: FactRecord;
	readonly h: RecordHash;
}

interface LedgerParts extends ToldOf {
	readonly crypto: CryptoParts;
}

/**
 * PROJ-6, PROJ-7. Each record once by its H, and the balances of the ledgers that got new ones, or
 * of which something was said that moves them.
 */
export async function projectLedgers(
	sql: Sql,
	facts: readonly Effected[],
	{ crypto, folded, recorded }: LedgerParts
): Promise<void> {
	const carried = await Promise.all(
		facts.flatMap(({ business, fact, effects }) =>
			effects.records.map(async (record) => {
				const h = await recordHash(record.signed.a, crypto);
				return { business, fact, record, h };
			})
		)
	);
	const said = await keepLedgerFacts(sql, facts);
	const fresh = carried.length === 0 ? [] : await insertRecords(sql, distinct(carried));
	if (recorded !== undefined) await recorded(sql, fresh);
	await moveBalances(sql, { fresh, said, folded });
}

/** PROJ-10. The same for facts of the relay's own, which carry no records. */
export async function projectLedgerFacts(
	sql: Sql,
	facts: readonly Pick<Effected, 'business' | 'fact'>[],
	folded?: TellFolded
): Promise<void> {
	await moveBalances(sql, { fresh: [], said: await keepLedgerFacts(sql, facts), folded });
}

/** Of the facts of one batch that carry the same record, the first in fact order. */
function distinct(carried: readonly Carried[]): readonly Carried[] {
	const firstByRecord = new Map<string, Carried>();
	for (const each of carried) {
		const key = `${each.business} ${each.record.core.ledgerId} ${each.h}`;
		const held = firstByRecord.get(key);
		if (held === undefined || compareFactOrder(orderOf(each), orderOf(held)) < 0) {
			firstByRecord.set(key, each);
		}
	}
	return Array.from(firstByRecord.values());
}

function orderOf({ fact }: Carried): FactOrder {
	return { ...fact.at, id: fact.id };
}

/** Returns those that were not there. */
async function insertRecords(sql: Sql, rows: readonly Carried[]): Promise<readonly Carried[]> {
	const answers = await sql<{ business: string; ledger: string; h: string; is_new: boolean }[]>`
		insert into record as held (business, ledger, h, code, n, kind, currency, exponent, amount,
			occurred_at, on_day, record, ref, due_at, receipt, note, wall, counter)
		select * from unnest(
			${rows.map(({ business }) => business)}::uuid[],
			${rows.map(({ record }) => record.core.ledgerId)}::uuid[],
			${rows.map(({ h }) => h)}::text[],
			${rows.map(({ fact }) => fact.code)}::text[],
			${rows.map(({ fact }) => fact.n)}::bigint[],
			${rows.map(({ record }) => record.core.kind)}::text[],
			${rows.map(({ record }) => record.core.currency)}::text[],
			${rows.map(({ record }) => record.core.exponent)}::int[],
			${rows.map(({ record }) => record.core.amount)}::bigint[],
			${rows.map(({ record }) => record.core.occurredAt)}::bigint[],
			${rows.map(({ record }) => record.rest.on)}::text[]::date[],
			${rows.map(({ record }) => record.core.recordId)}::uuid[],
			${rows.map(({ record }) => record.rest.ref ?? null)}::text[],
			${rows.map(({ record }) => record.rest.due ?? null)}::bigint[],
			${rows.map(({ record }) => record.rest.rc ?? null)}::text[],
			${rows.map(({ record }) => record.rest.note ?? null)}::text[],
			${rows.map(({ fact }) => fact.at.wall)}::bigint[],
			${rows.map(({ fact }) => fact.at.counter)}::int[]
		)
		on conflict (business, ledger, h) do update
		set code = case when ${isEarlier(sql)} then excluded.code else held.code end,
			n = case when ${isEarlier(sql)} then excluded.n else held.n end,
			wall = case when ${isEarlier(sql)} then excluded.wall else held.wall end,
			counter = case when ${isEarlier(sql)} then excluded.counter else held.counter end
		returning business, ledger, h, xmax = 0 as is_new`;
	const fresh = new Set(
		answers.flatMap((row) => (row.is_new ? [`${row.business} ${row.ledger} ${row.h}`] : []))
	);
	return rows.filter(({ business, record, h }) =>
		fresh.has(`${business} ${record.core.ledgerId} ${h}`)
	);
}

function isEarlier(sql: Sql): ReturnType<Sql> {
	return sql`(excluded.wall, excluded.counter, excluded.code, excluded.n)
		< (held.wall, held.counter, held.code, held.n)`;
}

/** The new records of one ledger in one currency, and the balance that they move. */
interface Page {
	readonly name: PageName;
	readonly records: readonly LedgerRecord[];
	/** Undefined where it was not written yet. */
	readonly held: BalanceRow | undefined;
}

interface ToMove {
	readonly fresh: readonly Carried[];
	/** Ledgers of which something is said that may move any of their balances. */
	readonly said: readonly LedgerName[];
	readonly folded: TellFolded | undefined;
}

/** A ledger of which something is said here is folded anew, and so is what `isToFold` says. */
async function moveBalances(sql: Sql, { fresh, said, folded: tell }: ToMove): Promise<void> {
	const ledgers = new Map(said.map((name) => [ledgerKey(name), name]));
	const pages = await readPages(sql, fresh);
	const talkByLedger = await readTalk(
		sql,
		pages.flatMap(({ name, held }) => (held === undefined ? [name] : []))
	);
	const standing = pages.map((page) => {
		return { ...page, row: page.held ?? firstBalance(page.name, talkByLedger) };
	});
	const early = await takeEarlyNames(
		sql,
		standing.flatMap(({ row, records }) => (row.isPlain ? [] : records.map(nameOf)))
	);
	const moved: BalanceRow[] = [];
	const asked = new Set<string>();
	for (const { name, records, row } of standing) {
		if (ledgers.has(ledgerKey(name))) continue;
		if (isToFold(row, records, early)) asked.add(pageKey(name));
		else moved.push(add(row, records));
	}
	const names = standing.filter(({ name }) => asked.has(pageKey(name))).map(({ name }) => name);
	const toFold = new Map([...ledgers, ...names.map((name) => [ledgerKey(name), name] as const)]);
	const folded = (await foldAnew(sql, Array.from(toFold.values()), tell)).filter(
		(row) => ledgers.has(ledgerKey(row)) || asked.has(pageKey(row))
	);
	await putBalances(sql, [...moved, ...folded]);
}

async function readPages(sql: Sql, fresh: readonly Carried[]): Promise<readonly Page[]> {
	if (fresh.length === 0) return [];
	const byPage = Map.groupBy(
		fresh.map(({ business, record, h }) => {
			return { ...ledgerRecord({ ...record, h }), businessId: business };
		}),
		(record) => pageKey(pageOf(record))
	);
	const pages = Array.from(byPage.values(), (records) => {
		const [first] = records;
		assert(first !== undefined, 'a group has a member');
		return { name: pageOf(first), records };
	});
	const held = await readBalances(
		sql,
		pages.map(({ name }) => name)
	);
	return pages.map((page) => ({ ...page, held: held.get(pageKey(page.name)) }));
}

/** Of a currency in which a ledger has no record yet. */
function firstBalance(name: PageName, talkByLedger: ReadonlyMap<string, Talk>): BalanceRow {
	const { isTalkedOf = false, hasNames = false } = talkByLedger.get(ledgerKey(name)) ?? {};
	return { ...emptyBalance(name), isPlain: !isTalkedOf, hasNames };
}

function nameOf({ businessId, ledgerId, h }: LedgerRecord): RecordName {
	return { business: businessId, ledger: ledgerId, h };
}

/**
 * PROJ-7, PROJ-14. Whether new records change more than what they add. They do not where each of them is
 * plain and nothing named it before it came, whatever else stands in the ledger:
 *
 * - What a record counts (`countedAmounts`) is limited by what reverses it, by what shares the room of the
 *   record that it names, and among openings by the first. A plain record names none, is no opening, and
 *   nothing that names it is here: it counts its amount, and takes room from nobody.
 * - How it stands (`ledgerEvents`) follows from the sayings and confirmed statements that name it: there
 *   are none, so a debit waits and a credit counts. When somebody stood behind the ledger (the link
 *   spans) is asked for reversals of credits and for noes alone: it is none, and nobody said one of it.
 * - How others stand follows from what was said of them, and which verdicts are lost from the verdicts
 *   alone. A statement asks for what it lists, and it is on no list.
 *
 * What is said of it from now on is said of a record that is here, and folds the ledger anew.
 */
function isToFold(
	{ isPlain: isPlainSoFar, hasNames }: BalanceRow,
	records: readonly LedgerRecord[],
	early: ReadonlySet<string>
): boolean {
	if (!records.every(isPlain)) return true;
	if (isPlainSoFar) return false;
	return !hasNames || records.some((record) => early.has(recordKey(nameOf(record))));
}

function add(row: BalanceRow, records: readonly LedgerRecord[]): BalanceRow {
	let { waiting, credited, lastAt } = row;
	for (const { kind, amount, occurredAt } of records) {
		if (isDebit(kind)) waiting += BigInt(amount);
		else credited += BigInt(amount);
		lastAt = Math.max(lastAt, occurredAt);
	}
	return { ...row, waiting, credited, lastAt, total: row.confirmed + waiting - credited };
}
