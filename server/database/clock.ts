import type { Sql } from 'postgres';
import { assert } from '#domain/assert.ts';

/** The database's own time, which all of its servers read alike: UTC ms. */
export async function readClock(sql: Sql): Promise<number> {
	const [row] = await sql<{ now: string }[]>`
		select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now`;
	assert(row !== undefined, 'a question without a table has one answer');
	return Number(row.now);
}
