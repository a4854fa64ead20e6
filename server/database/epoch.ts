import type { Sql } from 'postgres';

/** The database's epoch; the first relay of a new database begins it at 1. `now` in ms UTC. */
export async function readEpoch(sql: Sql, now: number): Promise<number> {
	const [row] = await sql<{ epoch: number }[]>`select max(epoch) as epoch from database_epoch`;
	if (typeof row?.epoch === 'number') return row.epoch;
	await sql`
		insert into database_epoch (epoch, started_at) values (1, ${now}) on conflict do nothing`;
	return readEpoch(sql, now);
}

/** Whether a restore began this epoch, and so the database may have forgotten what devices hold. */
export async function isRestored(sql: Sql, epoch: number): Promise<boolean> {
	const rows = await sql`select 1 from database_epoch where epoch < ${epoch} limit 1`;
	return rows.length > 0;
}

/**
 * So many of a feed's last numbers may be of other facts than devices know under them: a relay may have
 * written on in an older copy of the database before another found that it is one.
 */
const DOUBTED = 1_000;

/**
 * FEED-2. How much of each ended epoch of a scope surely survived: the least of how far its feed had come
 * then and at every restore since, because a later one may have been from an older backup, less
 * what is doubted.
 */
export async function readEpochEnds(
	sql: Sql,
	scope: string,
	epoch: number
): Promise<readonly (readonly [epoch: number, s: number])[]> {
	const rows = await sql<{ epoch: number; s: string }[]>`
		select epoch, min(s) over (order by epoch desc) as s from epoch_end
		where business = ${scope} and epoch < ${epoch}
		order by epoch`;
	return rows.map((row) => [row.epoch, Math.max(Number(row.s) - DOUBTED, 0)]);
}

/**
 * Up to which number of a scope's feed a backup holds it that was read back whole; undefined where none
 * of this epoch does. What a backup of an ended epoch held beyond its end, this database does not have.
 */
export async function readBackupMark(
	sql: Sql,
	scope: string,
	epoch: number
): Promise<number | undefined> {
	const [row] = await sql<{ s: string }[]>`
		select s from backup_mark where business = ${scope} and epoch = ${epoch}`;
	return row === undefined ? undefined : Number(row.s);
}
