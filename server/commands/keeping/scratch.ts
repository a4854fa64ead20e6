import type { Sql } from 'postgres';
import { PROJECTION_TABLES } from './projection-tables.ts';

/**
 * Empty tables of the projections' names that the transaction which `sql` is alone sees, in the place of
 * the real ones: what is folded in it from here on is folded into them. They go with the transaction.
 * Outside of one the next statement might be on another connection, where the names are the real tables'.
 * A statement that this connection prepared before would go on meaning the real tables, so what it
 * planned is forgotten.
 */
export async function makeScratch(sql: Sql): Promise<void> {
	for (const table of PROJECTION_TABLES) {
		await sql`
			create temporary table ${sql(table)} (like ${sql(`public.${table}`)} including all)
			on commit drop`;
	}
	await sql`discard plans`;
}
