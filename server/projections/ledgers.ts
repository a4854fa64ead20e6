import type { Sql } from 'postgres';
import {
	currencyKey,
	foldLedger,
	ledgerRecord,
	type LedgerRecord,
	type LedgerSums
} from '#domain/confirmation/ledger-fold.ts';
import { recordHash, type RecordHash } from '#domain/confirmation/record-hash.ts';
import { isDebit, isOpening } from '#domain/confirmation/record-kind.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import type { Fact, FactRecord } from '#domain/fact/fact.ts';
import type { BusinessId, LedgerId } from '#domain/ids.ts';
import { linkSpans } from '#domain/ledger/link-spans.ts';
import { compareFactOrder, type FactOrder } from '#domain/stamp.ts';
import { ledgerEvents, type StandingRecord } from '#domain/confirmation/standing.ts';
import type { Effected } from './effected.ts';
import { keepLedgerFacts, readLedgerFacts, sayingsOf, type LedgerName } from './ledger-facts.ts';

/** A record with its name and the fact that carries it. */
interface Carried {
	readonly business: BusinessId;
	readonly fact: Fact;
	readonly record: FactRecord;
	readonly h: RecordHash;
}

/**
 * PROJ-6, PROJ-7. Each record once by its H, and the balances of the ledgers that got new ones, or
 * of which something was said that moves them.
 */
export async function projectLedgers(
	sql: Sql,
	facts: readonly Effected[],
	crypto: CryptoParts
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
	if (fresh.length > 0) await moveBalances(sql, fresh);
	await refoldLedgers(sql, said);
}

/** PROJ-10. The same for facts of the relay's own, which carry no records. */
export async function projectLedgerFacts(
	sql: Sql,
	facts: readonly Pick<Effected, 'business' | 'fact'>[]
): Promise<void> {
	await refoldLedgers(sql, await keepLedgerFacts(sql, facts));
}

/** Every currency of these ledgers, from all their records and all that was said of them. */
async function refoldLedgers(sql: Sql, said: readonly LedgerName[]): Promise<void> {
	if (said.length === 0) return;
	const rows = await sql<(LedgerName & { currency: string; exponent: number })[]>`
		select business, ledger, currency, exponent from balance
		where (business, ledger) in (
			select * from unnest(
				${said.map(({ business }) => business)}::uuid[],
				${said.map(({ ledger }) => ledger)}::uuid[]
			)
		)`;
	const pages = rows.map(({ business, ledger, currency, exponent }) => {
		const of = { businessId: business, ledgerId: ledger, currency, exponent };
		return { ...of, h: '' as RecordHash, kind: 'due' as const, amount: 0, occurredAt: 0 };
	});
	if (pages.length > 0) await putBalances(sql, await foldAnew(sql, pages));
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

interface BalanceRow {
	readonly business: BusinessId;
	readonly ledger: LedgerId;
	readonly currency: string;
	readonly exponent: number;
	readonly confirmed: bigint;
	readonly waiting: bigint;
	readonly credited: bigint;
	readonly disputed: bigint;
	readonly total: bigint;
	readonly lastAt: number;
	readonly isPlain: boolean;
}

async function moveBalances(sql: Sql, fresh: readonly Carried[]): Promise<void> {
	const pages = Map.groupBy(
		fresh.map(({ business, record, h }) => {
			return { ...ledgerRecord({ ...record, h }), businessId: business };
		}),
		pageKey
	);
	const held = await readBalances(sql, Array.from(pages.values()));
	const firsts = Array.from(pages).flatMap(([key, [first]]) =>
		first === undefined || held.has(key) ? [] : [first]
	);
	const talkedOf = await ledgersTalkedOf(sql, firsts);
	const moved: BalanceRow[] = [];
	const toFold: LedgerRecord[] = [];
	for (const [key, records] of pages) {
		const [first] = records;
		if (first === undefined) continue;
		const isPlainSoFar = !talkedOf.has(`${first.businessId} ${first.ledgerId}`);
		const row = held.get(key) ?? { ...emptyBalance(first), isPlain: isPlainSoFar };
		if (row.isPlain && records.every(isPlain)) moved.push(add(row, records));
		else toFold.push(first);
	}
	moved.push(...(await foldAnew(sql, toFold)));
	await putBalances(sql, moved);
}

/** Of these, the ledgers of which something was said before their first record came. */
async function ledgersTalkedOf(
	sql: Sql,
	firsts: readonly LedgerRecord[]
): Promise<ReadonlySet<string>> {
	if (firsts.length === 0) return new Set();
	const rows = await sql<{ business: string; ledger: string }[]>`
		select distinct business, ledger from ledger_fact
		where (business, ledger) in (
			select * from unnest(
				${firsts.map(({ businessId }) => businessId)}::uuid[],
				${firsts.map(({ ledgerId }) => ledgerId)}::uuid[]
			)
		)`;
	return new Set(rows.map(({ business, ledger }) => `${business} ${ledger}`));
}

function pageKey(of: LedgerRecord): string {
	return `${of.businessId} ${of.ledgerId} ${currencyKey(of)}`;
}

/** Whether a record counts its own amount, whatever else stands in the ledger. */
function isPlain({ kind, ref }: LedgerRecord): boolean {
	return ref === undefined && !isOpening(kind) && !kind.startsWith('reversal');
}

function add(row: BalanceRow, records: readonly LedgerRecord[]): BalanceRow {
	let { waiting, credited, lastAt } = row;
	for (const { kind, amount, occurredAt } of records) {
		if (isDebit(kind)) waiting += BigInt(amount);
		else if (kind !== 'statement') credited += BigInt(amount);
		lastAt = Math.max(lastAt, occurredAt);
	}
	return { ...row, waiting, credited, lastAt, total: row.confirmed + waiting - credited };
}

function emptyBalance(of: LedgerRecord): BalanceRow {
	return {
		business: of.businessId,
		ledger: of.ledgerId,
		currency: of.currency,
		exponent: of.exponent,
		confirmed: 0n,
		waiting: 0n,
		credited: 0n,
		disputed: 0n,
		total: 0n,
		lastAt: 0,
		isPlain: true
	};
}

async function readBalances(
	sql: Sql,
	pages: readonly (readonly LedgerRecord[])[]
): Promise<ReadonlyMap<string, BalanceRow>> {
	const firsts = pages.flatMap(([first]) => first ?? []);
	const rows = await sql<
		(Record<'confirmed' | 'waiting' | 'credited' | 'disputed' | 'total' | 'last_at', string> & {
			business: BusinessId;
			ledger: LedgerId;
			currency: string;
			exponent: number;
			is_plain: boolean;
		})[]
	>`
		select * from balance where (business, ledger) in (
			select * from unnest(
				${firsts.map(({ businessId }) => businessId)}::uuid[],
				${firsts.map(({ ledgerId }) => ledgerId)}::uuid[]
			)
		)`;
	return new Map(
		rows.map((row) => [
			`${row.business} ${row.ledger} ${currencyKey(row)}`,
			{
				...row,
				confirmed: BigInt(row.confirmed),
				waiting: BigInt(row.waiting),
				credited: BigInt(row.credited),
				disputed: BigInt(row.disputed),
				total: BigInt(row.total),
				lastAt: Number(row.last_at),
				isPlain: row.is_plain
			}
		])
	);
}

interface RecordRow {
	readonly business: BusinessId;
	readonly ledger: LedgerId;
	readonly h: RecordHash;
	readonly kind: LedgerRecord['kind'];
	readonly currency: string;
	readonly exponent: number;
	readonly amount: string;
	readonly occurred_at: string;
	readonly ref: RecordHash | null;
	readonly record: string;
	readonly code: string;
	readonly n: string;
}

/** The balances of the given ledgers and currencies, from all their records. */
async function foldAnew(sql: Sql, pages: readonly LedgerRecord[]): Promise<readonly BalanceRow[]> {
	if (pages.length === 0) return [];
	const names = pages.map(({ businessId, ledgerId }) => ({
		business: businessId,
		ledger: ledgerId
	}));
	const factsByLedger = await readLedgerFacts(sql, names);
	const rows = await sql<RecordRow[]>`
		select business, ledger, h, kind, currency, exponent, amount, occurred_at, ref, record, code, n
		from record
		where (business, ledger) in (
			select * from unnest(
				${pages.map(({ businessId }) => businessId)}::uuid[],
				${pages.map(({ ledgerId }) => ledgerId)}::uuid[]
			)
		)`;
	const rowsByLedger = Map.groupBy(rows, ({ business, ledger }) => `${business} ${ledger}`);
	return pages.map((page) => {
		const ledger = `${page.businessId} ${page.ledgerId}`;
		const facts = factsByLedger.get(ledger) ?? [];
		const all = (rowsByLedger.get(ledger) ?? []).map((row) => readRow(row, facts));
		const events = ledgerEvents({
			records: all,
			sayings: sayingsOf(facts),
			spans: linkSpans(facts.filter((fact) => fact.kind === 'link'))
		});
		const records = all.filter((record) => currencyKey(record) === currencyKey(page));
		const sums = foldLedger(page, { records, events }).get(currencyKey(page));
		return { ...emptyBalance(page), ...sumsOf(sums), lastAt: lastOf(records), isPlain: false };
	});
}

function readRow(row: RecordRow, facts: readonly Fact[]): StandingRecord {
	const { business, ledger, h, kind, currency, exponent, ref } = row;
	const record = {
		businessId: business,
		ledgerId: ledger,
		h,
		kind,
		currency,
		exponent,
		amount: Number(row.amount),
		occurredAt: Number(row.occurred_at),
		recordId: row.record
	};
	const list = kind === 'statement' ? listOf(row, facts) : undefined;
	return { ...record, ...(ref !== null && { ref }), ...(list !== undefined && { list }) };
}

/** What a statement lists stands in the fact that carries it. */
function listOf({ code, n }: RecordRow, facts: readonly Fact[]): readonly RecordHash[] | undefined {
	const carrier = facts.find((fact) => fact.code === code && fact.n === Number(n));
	return carrier?.kind === 'record' ? carrier.list : undefined;
}

type Sums = Pick<LedgerSums, 'confirmed' | 'waiting' | 'credited' | 'disputed' | 'total'>;

function sumsOf(sums: LedgerSums | undefined): Sums | undefined {
	if (sums === undefined) return undefined;
	const { confirmed, waiting, credited, disputed, total } = sums;
	return { confirmed, waiting, credited, disputed, total };
}

function lastOf(records: readonly LedgerRecord[]): number {
	return records.reduce((last, { occurredAt }) => Math.max(last, occurredAt), 0);
}

async function putBalances(sql: Sql, rows: readonly BalanceRow[]): Promise<void> {
	await sql`
		insert into balance (business, ledger, currency, exponent, confirmed, waiting, credited,
			disputed, total, last_at, is_plain)
		select * from unnest(
			${rows.map(({ business }) => business)}::uuid[],
			${rows.map(({ ledger }) => ledger)}::uuid[],
			${rows.map(({ currency }) => currency)}::text[],
			${rows.map(({ exponent }) => exponent)}::int[],
			${rows.map(({ confirmed }) => String(confirmed))}::text[]::numeric[],
			${rows.map(({ waiting }) => String(waiting))}::text[]::numeric[],
			${rows.map(({ credited }) => String(credited))}::text[]::numeric[],
			${rows.map(({ disputed }) => String(disputed))}::text[]::numeric[],
			${rows.map(({ total }) => String(total))}::text[]::numeric[],
			${rows.map(({ lastAt }) => lastAt)}::bigint[],
			${rows.map(({ isPlain: plain }) => String(plain))}::text[]::boolean[]
		)
		on conflict (business, ledger, currency, exponent) do update set
			confirmed = excluded.confirmed, waiting = excluded.waiting,
			credited = excluded.credited, disputed = excluded.disputed, total = excluded.total,
			last_at = excluded.last_at, is_plain = excluded.is_plain`;
}
