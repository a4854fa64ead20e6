import type { Sql } from 'postgres';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { parseBranchId, type BusinessId } from '#domain/ids.ts';
import type { FactToProject, Project } from '#server/projections/effected.ts';
import { projectLedgerFacts } from '#server/projections/ledgers.ts';

/** Facts that are folded at a time. */
const PAGE_LENGTH = 2_000;

/** A fact as its row has it. */
export interface FactRow {
	readonly code: string;
	readonly n: string;
	readonly kind: string;
	readonly branch: string | null;
	readonly document: string | null;
	readonly wall: string;
	readonly counter: number;
	readonly on_day: string;
	readonly member: number;
	readonly text: string;
	readonly s: string;
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
			select code, n, kind, branch, document, wall, counter, on_day::text as on_day, member, text, s
			from fact where business = ${scope} and s > ${last} order by s limit ${PAGE_LENGTH}`;
		if (rows.length > 0) yield rows;
		last = rows.at(-1)?.s ?? last;
		if (rows.length < PAGE_LENGTH) return undefined;
	}
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
	for (const { text, branch } of rows) {
		const fact = parseFact(text);
		if (!fact.ok) continue;
		const parsed = parseBranchId(branch);
		if (parsed.ok) placed.push({ business, branch: parsed.value, fact: fact.value });
		else unplaced.push({ business, fact: fact.value });
	}
	if (placed.length > 0) await project(sql, placed);
	if (unplaced.length > 0) await projectLedgerFacts(sql, unplaced);
}
