import type { Sql } from 'postgres';
import type { Header } from './backup-form.ts';

/** How far a backup reaches: it holds every fact of each scope up to its number of that epoch. */
export interface BackupReach {
	readonly epoch: number;
	/** When it was made, ms UTC. */
	readonly at: number;
	readonly feeds: readonly { readonly business: string; readonly s: number }[];
}

/** Reads it in the transaction that the backup is made in, and so of the same moment. */
export async function readReach(
	tx: Sql,
	{ epoch, at }: Pick<Header, 'epoch' | 'at'>
): Promise<BackupReach> {
	const feeds = await tx<{ business: string; s: string }[]>`
		select business, s from feed_head where s > 0`;
	return { epoch, at, feeds: feeds.map(({ business, s }) => ({ business, s: Number(s) })) };
}

/**
 * KEEP-10. Tells the database that was backed up how far a backup reaches that was read back, so that devices may let go
 * what they wrote. Never lower than another backup's; false, and nothing is told, where the database
 * is in another epoch by now, or its tables are of a program that tells devices nothing.
 */
export async function keepMarks(sql: Sql, { epoch, at, feeds }: BackupReach): Promise<boolean> {
	const [known] = await sql<{ is: boolean }[]>`
		select to_regclass('public.backup_mark') is not null as is`;
	if (known?.is !== true) return false;
	return sql.begin(async (tx) => {
		const rows = await tx<{ epoch: number | null }[]>`
			select max(epoch) as epoch from database_epoch`;
		if (rows[0]?.epoch !== epoch) return false;
		await tx`
			insert into backup_mark (business, epoch, s, at)
			select feed.business, ${epoch}, feed.s, ${at}
			from unnest(
				${feeds.map(({ business }) => business)}::uuid[],
				${feeds.map(({ s }) => s)}::bigint[]
			) as feed (business, s)
			on conflict (business) do update set epoch = excluded.epoch, s = excluded.s, at = excluded.at
			where (backup_mark.epoch, backup_mark.s) < (excluded.epoch, excluded.s)`;
		return true;
	});
}
