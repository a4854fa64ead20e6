import type { Sql } from 'postgres';
import { PROJECTION_TABLES } from './projection-tables.ts';

/**
 * Empty tables of the projections' names that this connection alone sees, in the place of the real
 * ones: what is folded from here on is folded into them.
 */
export async function makeScratch(sql: Sql): Promise<void> {
	for (const table of PROJECTION_TABLES) {
		await sql`create temporary table ${sql(table)} (like ${sql(`public.${table}`)} including all)`;
	}
}

export async function emptyScratch(sql: Sql): Promise<void> {
	for (const table of PROJECTION_TABLES) await sql`truncate ${sql(`pg_temp.${table}`)}`;
}
