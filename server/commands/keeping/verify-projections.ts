import type { Sql } from 'postgres';
import type { Difference } from './differences.ts';
import { PROJECTION_TABLES } from './projection-tables.ts';

/** How many rows of one table are named. */
const NAMED_MAX = 20;

/** A note of how a balance was summed, which follows from the order of arrival: it is no number. */
const NOT_COMPARED: readonly string[] = ['is_plain'];

/** Rows of the real tables that the fold does not make, and those that it makes and they lack. */
export async function compareProjections(
	tx: Sql,
	business: string
): Promise<readonly Difference[]> {
	const differences: Difference[] = [];
	for (const table of PROJECTION_TABLES) {
		const rows = await tx<{ row: string; is_kept: boolean }[]>`
			with kept as (
				select to_jsonb(held) - ${NOT_COMPARED}::text[] as row
				from ${tx(`public.${table}`)} as held where business = ${business}
			), folded as (
				select to_jsonb(made) - ${NOT_COMPARED}::text[] as row from ${tx(`pg_temp.${table}`)} as made
			)
			select row::text, true as is_kept from (
				select row from kept except all select row from folded
			) as more
			union all
			select row::text, false from (
				select row from folded except all select row from kept
			) as less
			limit ${NAMED_MAX}`;
		for (const { row, is_kept: isKept } of rows) {
			const what = `${table} ${isKept ? 'has' : 'lacks'} ${row}`;
			differences.push({ check: 'projections', scope: business, what });
		}
	}
	return differences;
}
