import type { Sql } from 'postgres';

/** The database's epoch; the first relay of a new database begins it at 1. `now` in ms UTC. */
export async function readEpoch(sql: Sql, now: number): Promise<number> {
	const [row] = await sql<{ epoch: number }[]>`select max(epoch) as epoch from database_epoch`;
	if (typeof row?.epoch === 'number') return row.epoch;
	await sql`
		insert into database_epoch (epoch, started_at) values (1, ${now}) on conflict do nothing`;
	return readEpoch(sql, now);
}
