import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import type { Sql } from 'postgres';
import * as v from 'valibot';
import { assert } from '#domain/assert.ts';
import { MIGRATIONS } from '#server/database/connect.ts';

/** One step of the tables, as drizzle-kit wrote it and drizzle's own migrator runs it. */
export interface Migration {
	readonly name: string;
	/** By which the database says how far it is. */
	readonly writtenAt: number;
	readonly hash: string;
	readonly statements: readonly string[];
}

const JOURNAL = v.object({
	entries: v.array(v.object({ tag: v.string(), when: v.number() }))
});

/** The steps that this program brings, in order. */
export async function readMigrations(): Promise<readonly Migration[]> {
	const text = await readFile(path.join(MIGRATIONS, 'meta', '_journal.json'), 'utf8');
	const { entries } = v.parse(JOURNAL, JSON.parse(text));
	const files = readMigrationFiles({ migrationsFolder: MIGRATIONS });
	return files.map(({ sql, folderMillis, hash }) => {
		const entry = entries.find(({ when }) => when === folderMillis);
		assert(entry !== undefined, 'every migration stands in the journal');
		return { name: entry.tag, writtenAt: folderMillis, hash, statements: sql };
	});
}

/** The last step that a database has taken; undefined where it has none, or one that we do not know. */
export async function readLastMigration(sql: Sql): Promise<Migration | undefined> {
	const last = Math.max(...(await readTaken(sql)));
	const migrations = await readMigrations();
	return migrations.find(({ writtenAt }) => writtenAt === last);
}

/** When the steps were written that a database says it took, by whatever program. */
export async function readTaken(sql: Sql): Promise<readonly number[]> {
	const [known] = await sql<{ is: boolean }[]>`
		select to_regclass('drizzle.__drizzle_migrations') is not null as is`;
	if (known?.is !== true) return [];
	const rows = await sql<{ created_at: string }[]>`
		select created_at from drizzle.__drizzle_migrations`;
	return rows.map((row) => Number(row.created_at));
}

/** A table that a step makes; drizzle-kit writes them so. */
const MADE = /^\s*create table (?:if not exists )?(?:"public"\.)?"([^"]+)"/i;

/** Every table that any step of this program makes, also one that a later step drops. */
export function tablesOf(steps: readonly Migration[]): ReadonlySet<string> {
	const names = steps.flatMap(({ statements }) =>
		statements.flatMap((statement) => MADE.exec(statement)?.[1] ?? [])
	);
	return new Set(names);
}

/**
 * Makes a database without tables of ours, in the transaction that `sql` is, and drops nobody else's.
 * Fails where somebody else's stand on ours.
 */
export async function dropTables(sql: Sql): Promise<void> {
	await sql`drop table if exists drizzle.__drizzle_migrations`;
	const ours = tablesOf(await readMigrations());
	const rows = await sql<{ name: string }[]>`
		select tablename as name from pg_tables
		where schemaname = 'public' and tablename = any(${Array.from(ours)}::text[])`;
	// At once, since they refer to each other.
	const names = rows.map(({ name }) => name);
	if (names.length > 0) await sql`drop table ${sql(names)}`;
}

/** Takes steps in the transaction that `sql` is, and notes them where drizzle's migrator looks. */
export async function takeMigrations(sql: Sql, steps: readonly Migration[]): Promise<void> {
	await sql`create schema if not exists drizzle`;
	await sql`
		create table if not exists drizzle.__drizzle_migrations
			(id serial primary key, hash text not null, created_at bigint)`;
	for (const { statements, hash, writtenAt } of steps) {
		for (const statement of statements) await sql.unsafe(statement);
		await sql`
			insert into drizzle.__drizzle_migrations (hash, created_at) values (${hash}, ${writtenAt})`;
	}
}
