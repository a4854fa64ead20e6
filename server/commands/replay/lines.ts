import type { Sql } from 'postgres';
import type { Fact } from '#domain/fact/fact.ts';
import type { BusinessId } from '#domain/ids.ts';

/** Rows of the file that became lines, wherever they are counted. */
export interface LineCounts {
	readonly saleLines: number;
	readonly returnLines: number;
	readonly adjustments: number;
}

export function linesOfFacts(facts: readonly Fact[]): LineCounts {
	const counts = { saleLines: 0, returnLines: 0, adjustments: 0 };
	for (const fact of facts) {
		if (fact.kind === 'sale') counts.saleLines += fact.lines.length;
		if (fact.kind === 'return') counts.returnLines += fact.lines.length;
		if (fact.kind === 'adjust') counts.adjustments += fact.rows.length;
	}
	return counts;
}

/** The same from the tables; an adjustment has none of its own, so its facts are looked into. */
export async function linesOfTables(sql: Sql, business: BusinessId): Promise<LineCounts> {
	const [row] = await sql<Record<keyof LineCounts, number>[]>`
		select
			(select count(*)::int from sale_line where business = ${business}) as "saleLines",
			(select count(*)::int from return_line where business = ${business}) as "returnLines",
			(select coalesce(sum(jsonb_array_length(text::jsonb -> 6)), 0)::int
				from fact where business = ${business} and kind = 'adjust') as adjustments`;
	return row ?? { saleLines: 0, returnLines: 0, adjustments: 0 };
}
