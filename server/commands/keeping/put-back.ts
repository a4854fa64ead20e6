import type { Sql } from 'postgres';
import { MIGRATION_LOCK, type Database } from '#server/database/connect.ts';
import { readEpoch } from '#server/database/epoch.ts';
import { beginNextEpoch } from './after-restore.ts';

/** As servers call themselves where they connect, and their bus. */
const SERVERS = ['daftar', 'daftar bus'];
const NAMED_MAX = 5;

/**
 * KEEP-11. Makes a database that was put back by other means a new one for all who knew it; see
 * `beginNextEpoch`. Throws one sentence while anything of Daftar's is connected to it: a server that
 * runs holds in memory what the database may have forgotten, and believes itself in the ended epoch.
 * The pool has one connection; `now` in ms UTC. Returns the new epoch.
 */
export async function putBack({ sql }: Pick<Database, 'sql'>, now: number): Promise<number> {
	return sql.begin(async (transaction) => {
		const tx = transaction as unknown as Sql;
		// A server that starts from here on waits for it, and so reads the new epoch.
		await tx`select pg_advisory_xact_lock(${MIGRATION_LOCK})`;
		await mustBeAlone(tx);
		return beginNextEpoch(tx, now);
	});
}

/** What a server knew of a database that went back. */
export interface Loss {
	/** In which it wrote. */
	readonly epoch: number;
	/** Milliseconds UTC. */
	readonly now: number;
}

/**
 * KEEP-13. The same by a server that runs, and has found that its database lacks what was committed: devices
 * hand it in again only in another epoch, and the relay's own numbers that were lost are not to be given
 * out once more. Of several that find it one does it, and the others find the new epoch. Undefined
 * where the database is in another one already.
 */
export async function beginAfterLoss(
	{ sql }: Pick<Database, 'sql'>,
	{ epoch, now }: Loss
): Promise<number | undefined> {
	return sql.begin(async (transaction) => {
		const tx = transaction as unknown as Sql;
		await tx`select pg_advisory_xact_lock(${MIGRATION_LOCK})`;
		if ((await readEpoch(tx, now)) !== epoch) return undefined;
		return beginNextEpoch(tx, now, { isOfCopy: false });
	});
}

async function mustBeAlone(tx: Sql): Promise<void> {
	const others = await tx<{ pid: number; address: string | null }[]>`
		select pid, host(client_addr) as address from pg_stat_activity
		where datname = current_database() and pid <> pg_backend_pid()
			and (application_name = any(${SERVERS}::text[])
				or application_name = current_setting('application_name'))
		order by pid`;
	if (others.length === 0) return;
	const named = others
		.slice(0, NAMED_MAX)
		.map(({ pid, address }) => `${String(pid)} from ${address ?? 'this machine'}`);
	const more = others.length > NAMED_MAX ? ', …' : '';
	throw new Error(
		`Daftar is connected to this database (PostgreSQL's processes ${named.join(', ')}${more}): stop every server and command first, then say this again.`
	);
}
