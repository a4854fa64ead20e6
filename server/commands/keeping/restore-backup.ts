import type { Sql } from 'postgres';
import { MIGRATION_LOCK, type Database } from '#server/database/connect.ts';
import { beginNextEpoch, dropSealed } from './after-restore.ts';
import type { Header, TableForm } from './backup-form.ts';
import { copyIn } from './copy.ts';
import {
	dropTables,
	readMigrations,
	readTaken,
	tablesOf,
	takeMigrations,
	type Migration
} from './migrations.ts';
import { checkBackup, readBackup, type WholeBackup } from './read-backup.ts';
import { findRows, readTables } from './tables.ts';

export interface RestoreParts {
	/** Milliseconds UTC. */
	readonly clock: () => number;
	/** Names the secret that this Daftar has; see `keyIdOf`. Undefined where it has none yet. */
	readonly secret: string | undefined;
	/** Whether what is sealed under the backup's secret may be thrown away. */
	readonly isOtherSecret: boolean;
}

export interface Restored {
	readonly rows: number;
	readonly epoch: number;
	readonly madeAt: number;
}

/** A backup that was read to its end and may be restored here. */
export interface Checked {
	readonly file: string;
	readonly header: Header;
	readonly sums: WholeBackup['sums'];
	readonly isSealed: boolean;
}

/** KEEP-3, KEEP-5. Reads the whole backup, and throws one sentence where it may not be restored here. */
export async function checkRestore(
	file: string,
	parts: Omit<RestoreParts, 'clock'>,
	signal?: AbortSignal
): Promise<Checked> {
	const { header, sums } = await checkBackup(file, signal);
	await stepsOf(file, header);
	const isSealed = header.secret !== parts.secret;
	if (!isSealed || parts.isOtherSecret) return { file, header, sums, isSealed };
	throw new Error(
		`The backup ${file} was made with another secret (${header.secret}) than this Daftar has (${parts.secret ?? 'none yet'}). Put that one into DATA_DIR/secret or DAFTAR_SECRET; or say --other-secret, and customers' codes, second factors and the relay's key are made anew.`
	);
}

/**
 * KEEP-4, KEEP-6. Puts a backup into an empty database, in one transaction: its tables as they were,
 * brought to the current migration, in the next epoch. Whatever goes wrong, nothing is there.
 */
export async function restoreBackup(
	{ sql }: Database,
	{ file, header, isSealed }: Checked,
	{ clock }: RestoreParts
): Promise<Restored> {
	const restored = await sql.begin(async (transaction) => {
		const tx = transaction as unknown as Sql;
		// A Daftar that starts meanwhile waits here, before it looks at the tables.
		await tx`select pg_advisory_xact_lock(${MIGRATION_LOCK})`;
		await mustBeEmpty(tx);
		const { taken, left } = await stepsOf(file, header);
		await dropTables(tx);
		await takeMigrations(tx, taken);
		const rows = await copyAll(tx, file);
		await takeMigrations(tx, left);
		if (isSealed) await dropSealed(tx);
		return { rows, epoch: await beginNextEpoch(tx, clock()), madeAt: header.at };
	});
	await sql`analyze`;
	return restored;
}

async function mustBeEmpty(tx: Sql): Promise<void> {
	const reason = await findReason(tx);
	if (reason === undefined) return;
	throw new Error(
		`The database is not empty (${reason}): restore into a new DATA_DIR or a new database.`
	);
}

/** What is in it that a restore would write over; another program's tables too, where they have no row. */
async function findReason(tx: Sql): Promise<string | undefined> {
	const [tables, taken, steps] = await Promise.all([
		readTables(tx),
		readTaken(tx),
		readMigrations()
	]);
	const ours = tablesOf(steps);
	const strange = tables.find(({ name }) => !ours.has(name));
	if (strange !== undefined) return `table ${strange.name} is none of Daftar's`;
	const known = new Set(steps.map(({ writtenAt }) => writtenAt));
	if (taken.some((at) => !known.has(at)) || (tables.length > 0 && taken.length === 0)) {
		return "its tables are another program's, or a newer Daftar's";
	}
	const filled = await findRows(tx, tables);
	return filled === undefined ? undefined : `table ${filled} has rows`;
}

interface Steps {
	/** Those that the backup's tables had taken. */
	readonly taken: readonly Migration[];
	readonly left: readonly Migration[];
}

async function stepsOf(file: string, { migration }: Header): Promise<Steps> {
	const migrations = await readMigrations();
	const at = migrations.findIndex(({ name }) => name === migration);
	if (at >= 0) return { taken: migrations.slice(0, at + 1), left: migrations.slice(at + 1) };
	throw new Error(
		`The backup ${file} was made by a newer Daftar (${migration}): take that one to restore it.`
	);
}

async function copyAll(tx: Sql, file: string): Promise<number> {
	const known = new Map((await readTables(tx)).map((table) => [table.name, table]));
	const { rows } = await readBackup(file, {
		header: ({ tables }) => {
			const strange = tables.find((table) => !isOf(table, known.get(table.name)));
			if (strange === undefined) return Promise.resolve();
			throw new Error(`The backup ${file} has a table ${strange.name} that its version had not.`);
		},
		table: (table, chunks) => copyIn(tx, table, chunks)
	});
	return rows;
}

function isOf(table: TableForm, known: TableForm | undefined): boolean {
	return known !== undefined && table.columns.every((column) => known.columns.includes(column));
}
