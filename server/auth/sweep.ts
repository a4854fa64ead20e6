import { sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Executor } from '#server/database/transaction.ts';

/** Whoever adds a row takes away at most so many that ended: a table never outgrows its use. */
const SWEPT_MAX = 20;

/** Deletes rows whose time ended before `before`, skipping those that somebody else is at. */
export async function sweepExpired(
	executor: Executor,
	table: PgTable,
	expiry: { readonly column: PgColumn; readonly before: number | Date }
): Promise<void> {
	const before = sql.param(expiry.before, expiry.column);
	await executor.execute(sql`
		delete from ${table} where ctid = any(array(
			select ctid from ${table} where ${expiry.column} < ${before}
			limit ${SWEPT_MAX} for update skip locked))`);
}
