import { rm } from 'node:fs/promises';
import { connectDatabase, migrateDatabase } from '#server/database/connect.ts';
import { startEmbeddedPostgres } from '#server/database/embedded.ts';
import { makePassingFolder } from '#tests/support/passing-folder.ts';

/** A PostgreSQL of this command's own, in a folder that is removed with it. */
export interface OwnPostgres {
	/** A fresh database with all tables and no rows. */
	readonly create: () => Promise<string>;
	readonly stop: () => Promise<void>;
}

const TEMPLATE = 'template_migrated';
/** What a simulation wrote need not outlive a power cut. */
const SETTINGS = {
	fsync: 'off',
	synchronous_commit: 'off',
	full_page_writes: 'off',
	autovacuum: 'off',
	// Looked through whole for every file that is cut: no more of it than one shop needs.
	shared_buffers: '16MB',
	// It may stand in memory.
	max_wal_size: '256MB'
};

/** Ends with the command, also where that is stopped in the middle. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
	const folder = await makePassingFolder('daftar-simulate-');
	const postgres = await startEmbeddedPostgres({ dataDir: folder, settings: SETTINGS });
	const end = async (): Promise<void> => {
		await postgres.stop();
		await rm(folder, { recursive: true, force: true });
	};
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
		process.once(signal, () => void end().finally(() => process.exit(1)));
	const admin = connectDatabase(postgres.url, { connectionsMax: 1 });
	const urlOf = (name: string): string => postgres.url.replace(/[^/]*$/, name);
	await admin.sql`create database ${admin.sql(TEMPLATE)}`;
	await migrateDatabase(urlOf(TEMPLATE));
	let count = 0;
	return {
		create: async () => {
			const name = `run_${String((count += 1))}`;
			await admin.sql`create database ${admin.sql(name)} template ${admin.sql(TEMPLATE)}`;
			return urlOf(name);
		},
		stop: async () => {
			await admin.close();
			await end();
		}
	};
}
