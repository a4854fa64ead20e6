import type { Sql } from 'postgres';
import { refOf } from '#domain/confirmation/counted-amounts.ts';
import { currencyKey } from '#domain/confirmation/currency-key.ts';
import {
	foldLedger,
	type LedgerRecord,
	type LedgerSums
} from '#domain/confirmation/ledger-fold.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { ledgerEvents, type StandingRecord } from '#domain/confirmation/standing.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { groupBy } from '#domain/group-by.ts';
import { factId, type FactId } from '#domain/ids.ts';
import { linkSpans } from '#domain/ledger/link-spans.ts';
import { emptyBalance, ledgerKey, pageOf, type BalanceRow } from './balances.ts';
import { keepEarlyNames } from './early-names.ts';
import type { TellFolded } from './effected.ts';
import { readCodeClaims, readLedgerFacts, sayingsOf, type LedgerName } from './ledger-facts.ts';

/**
 * The balances of these ledgers in every currency, from all their records and all that was said of
 * them: as dear as a ledger is long. PROJ-14. From then on it is known what was said in them of
 * records that have not come, so that no record has to be folded anew for not knowing it.
 */
export async function foldAnew(
	sql: Sql,
	ledgers: readonly LedgerName[],
	tell?: TellFolded
): Promise<readonly BalanceRow[]> {
	if (ledgers.length === 0) return [];
	const [factsByLedger, recordsByLedger] = await Promise.all([
		readLedgerFacts(sql, ledgers),
		readRecords(sql, ledgers)
	]);
	const factsOf = (ledger: LedgerName): readonly Fact[] =>
		factsByLedger.get(ledgerKey(ledger)) ?? [];
	const claimsByLedger = await readCodeClaims(
		sql,
		ledgers.map((ledger) => ({ ...ledger, facts: factsOf(ledger) }))
	);
	const folded = ledgers.map((ledger) => {
		const facts = factsOf(ledger);
		const claims = claimsByLedger.get(ledgerKey(ledger)) ?? [];
		const records = recordsByLedger.get(ledgerKey(ledger)) ?? [];
		const one = foldOne(ledger, { facts, claims, rows: records });
		tell?.(ledger.business, facts.length + claims.length + records.length + one.early.length);
		return one;
	});
	await keepEarlyNames(
		sql,
		folded.flatMap(({ ledger, early }) => early.map((h) => ({ ...ledger, h })))
	);
	return folded.flatMap(({ rows }) => rows);
}

interface Folded {
	readonly ledger: LedgerName;
	readonly rows: readonly BalanceRow[];
	/** What was said of records that are not here. */
	readonly early: readonly RecordHash[];
}

interface ToFold {
	readonly facts: readonly Fact[];
	/** Which say by what codes records were confirmed. */
	readonly claims: readonly Fact[];
	readonly rows: readonly RecordRow[];
}

function foldOne(ledger: LedgerName, { facts, claims, rows }: ToFold): Folded {
	const factById = new Map(facts.map((fact) => [fact.id, fact]));
	const records = rows.map((row) => readRow(row, factById));
	const sayings = sayingsOf(facts);
	const spans = linkSpans(facts.filter((fact) => fact.kind === 'link'));
	const said = [...sayings, ...sayingsOf(claims)];
	const events = ledgerEvents({ records, sayings: said, spans });
	const { business: businessId, ledger: ledgerId } = ledger;
	const sums = foldLedger({ businessId, ledgerId }, { records, events });
	const pages = groupBy(records, currencyKey);
	const named = new Set([...sayings.map(({ h }) => h), ...records.flatMap(namedBy)]);
	for (const { h } of records) named.delete(h);
	return {
		ledger: { business: businessId, ledger: ledgerId },
		rows: Array.from(pages, ([key, page]) => balanceOf(page, sums.get(key))),
		early: Array.from(named)
	};
}

/** The records that one record says something of: what it reverses or lowers, or what it lists. */
function namedBy(record: StandingRecord): readonly RecordHash[] {
	const ref = refOf(record);
	const { list = [] } = record;
	return ref === undefined ? list : [ref, ...list];
}

function balanceOf(page: readonly LedgerRecord[], sums: LedgerSums | undefined): BalanceRow {
	const [first] = page;
	if (first === undefined || sums === undefined)
		throw new Error('a page has a record and its sums');
	const { confirmed, waiting, credited, disputed, total } = sums;
	return {
		...emptyBalance(pageOf(first)),
		...{ confirmed, waiting, credited, disputed, total },
		lastAt: page.reduce((last, { occurredAt }) => Math.max(last, occurredAt), 0),
		isPlain: false,
		hasNames: true
	};
}

interface RecordRow extends LedgerName {
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

async function readRecords(
	sql: Sql,
	ledgers: readonly LedgerName[]
): Promise<ReadonlyMap<string, readonly RecordRow[]>> {
	const rows = await sql<RecordRow[]>`
		select business, ledger, h, kind, currency, exponent, amount, occurred_at, ref, record, code, n
		from record
		where (business, ledger) in (
			select * from unnest(
				${ledgers.map(({ business }) => business)}::uuid[],
				${ledgers.map(({ ledger }) => ledger)}::uuid[]
			)
		)`;
	return groupBy(rows, ledgerKey);
}

function readRow(row: RecordRow, factById: ReadonlyMap<FactId, Fact>): StandingRecord {
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
	const list = kind === 'statement' ? listOf(row, factById) : undefined;
	return { ...record, ...(ref !== null && { ref }), ...(list !== undefined && { list }) };
}

/** What a statement lists stands in the fact that carries it. */
function listOf(
	{ code, n }: RecordRow,
	factById: ReadonlyMap<FactId, Fact>
): readonly RecordHash[] | undefined {
	const carrier = factById.get(factId(code, Number(n)));
	return carrier?.kind === 'record' ? carrier.list : undefined;
}
