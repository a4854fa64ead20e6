import type { Sql } from 'postgres';
import { inTime } from '#domain/fact/clock-fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { parseBranchId, type BusinessId } from '#domain/ids.ts';
import { clockColumns, clockOf, type StoredText } from '#server/database/stored-fact.ts';
import { clocksIn, keepClocks, type Ruling } from '#server/projections/clocks.ts';
import type { FactToProject, Project } from '#server/projections/effected.ts';
import { projectLedgerFacts } from '#server/projections/ledgers.ts';

/** Facts that are folded at a time. */
const PAGE_LENGTH = 2_000;

/** A fact as its row has it, and when it counts. */
export interface FactRow extends StoredText {
	readonly code: string;
	readonly n: string;
	readonly kind: string;
	readonly branch: string | null;
	readonly document: string | null;
	readonly wall: string;
	readonly counter: number;
	readonly on_day: string;
	readonly member: number;
	readonly s: string;
	/** Of a fact that was issued again: the id and the digest that it had first. */
	readonly was_code: string | null;
	readonly was_n: string | null;
	readonly first_digest: string | null;
}

/** All facts of a scope behind a place, in the order of the feed, page by page. */
export async function* readFacts(
	sql: Sql,
	scope: string,
	after = '0'
): AsyncGenerator<readonly FactRow[], undefined> {
	let last = after;
	for (;;) {
		const rows = await sql<FactRow[]>`
			select code, n, kind, branch, document, fact.wall, fact.counter,
				fact.on_day::text as on_day, member, text, s, was_code, was_n, first_digest,
				${clockColumns(sql)}
			from fact left join clock using (business, code, n)
			where business = ${scope} and s > ${last} order by s limit ${PAGE_LENGTH}`;
		if (rows.length > 0) yield rows;
		last = rows.at(-1)?.s ?? last;
		if (rows.length < PAGE_LENGTH) return undefined;
	}
}

/**
 * Takes in what all clock facts say, before the facts that they speak of are folded. Returns what is new
 * in it of those up to a place, which are folded already: a clock fact that came while they were
 * folded stands before that place too.
 */
export async function takeClocks(
	sql: Sql,
	business: BusinessId,
	foldedTo = '0'
): Promise<readonly Ruling[]> {
	const rows = await sql<{ text: string }[]>`
		select text from fact where business = ${business} and kind = 'clock' order by s`;
	const facts = rows.flatMap(({ text }) => {
		const fact = parseFact(text);
		return fact.ok ? [{ business, fact: fact.value }] : [];
	});
	const rulings = await keepClocks(sql, clocksIn(facts));
	const folded = await sql<{ id: string }[]>`
		select code || '-' || n as id from fact where business = ${business} and s <= ${foldedTo}
			and code || '-' || n = any(${rulings.map(({ id }) => id)}::text[])`;
	const ids = new Set(folded.map(({ id }) => id));
	return rulings.filter(({ id }) => ids.has(id));
}

/**
 * Folds a page of a business's facts into the tables that `sql` names: what stands in a branch as the
 * write path does, the relay's facts of a whole business as the relay does.
 */
export async function projectPage(
	sql: Sql,
	business: BusinessId,
	{ rows, project }: { readonly rows: readonly FactRow[]; readonly project: Project }
): Promise<void> {
	const placed: FactToProject[] = [];
	const unplaced: Omit<FactToProject, 'branch'>[] = [];
	for (const { branch, ...row } of rows) {
		const read = parseFact(row.text);
		if (!read.ok) continue;
		const fact = inTime(read.value, clockOf(row));
		const parsed = parseBranchId(branch);
		if (parsed.ok) placed.push({ business, branch: parsed.value, fact });
		else unplaced.push({ business, fact });
	}
	if (placed.length > 0) await project(sql, placed);
	if (unplaced.length > 0) await projectLedgerFacts(sql, unplaced);
}
