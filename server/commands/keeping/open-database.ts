import { existsSync } from 'node:fs';
import path from 'node:path';
import { connectDatabase, type Database } from '#server/database/connect.ts';
import { runningUrl, startEmbeddedPostgres } from '#server/database/embedded.ts';

export interface WhereData {
	readonly databaseUrl: string | undefined;
	readonly dataDir: string;
}

const CONNECTIONS_MAX = 2;

export interface Opened extends Database {
	/** Whether somebody else keeps it running: a Daftar, or whoever runs DATABASE_URL. */
	readonly isBeside: boolean;
}

/**
 * The database that runs; where none does, the one in the data folder is started for as long as this
 * takes. Throws one sentence where there is none.
 */
export async function openBeside(
	where: WhereData,
	running: AsyncDisposableStack,
	connectionsMax = CONNECTIONS_MAX
): Promise<Opened> {
	const { databaseUrl, dataDir } = where;
	if (databaseUrl === undefined && !existsSync(path.join(dataDir, 'postgres', 'data'))) {
		throw new Error(`There is no Daftar in ${dataDir}: set DATA_DIR or DATABASE_URL.`);
	}
	return openOrMake(where, running, connectionsMax);
}

/** The same, and a new one in the data folder where there is none. */
export async function openOrMake(
	{ databaseUrl, dataDir }: WhereData,
	running: AsyncDisposableStack,
	connectionsMax = CONNECTIONS_MAX
): Promise<Opened> {
	const first = connectDatabase(databaseUrl ?? runningUrl(dataDir), { connectionsMax });
	const fault = await first.sql`select 1`.then(
		() => undefined,
		(cause: unknown) => cause
	);
	if (fault === undefined) {
		running.defer(first.close);
		return { ...first, isBeside: true };
	}
	await first.close();
	if (databaseUrl !== undefined)
		throw new Error('The database of DATABASE_URL cannot be reached.', { cause: fault });
	const postgres = await startEmbeddedPostgres({ dataDir });
	running.defer(postgres.stop);
	const database = connectDatabase(postgres.url, { connectionsMax });
	running.defer(database.close);
	return { ...database, isBeside: false };
}
