import type { Sql } from 'postgres';
import type { Difference } from './differences.ts';
import { PROJECTION_TABLES } from './projection-tables.ts';

/** How many rows of one table are named. */
const NAMED_MAX = 20;

/** Notes of how a balance was summed, which follow from the order of arrival: they are no numbers. */
const NOT_COMPARED: readonly string[] = ['is_plain', 'has_names'];

/** Rows of the real tables that the fold does not make, and those that it makes and they lack. */
export async function compareProjections(
	tx: Sql,
	business: string
): Promise<readonly Difference[]> {
	const differences: Difference[] = [];
	for (const table of PROJECTION_TABLES) {
		const asked = table === 'early_name' ? awaited(tx) : tx``;
		const rows = await tx<{ row: string; is_kept: boolean }[]>`
			with kept as (
				select to_jsonb(held) - ${NOT_COMPARED}::text[] as row
				from ${tx(`public.${table}`)} as held where business = ${business} ${asked}
			), folded as (
				select to_jsonb(held) - ${NOT_COMPARED}::text[] as row
				from ${tx(`pg_temp.${table}`)} as held where business = ${business} ${asked}
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

/**
 * PROJ-14. Of the early names, as `held`, those by which a number may come out otherwise: of records that
 * did not come yet, in ledgers that were folded since there are such names.
 */
function awaited(tx: Sql): ReturnType<Sql> {
	return tx`and not exists (
			select from public.record where record.business = held.business
				and record.ledger = held.ledger and record.h = held.h
		) and not exists (
			select from public.balance where balance.business = held.business
				and balance.ledger = held.ledger and not is_plain and not has_names
		)`;
}
