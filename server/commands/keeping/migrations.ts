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
	const [known] = await sql<{ is: boolean }[]>`
		select to_regclass('drizzle.__drizzle_migrations') is not null as is`;
	if (known?.is !== true) return undefined;
	const [last] = await sql<{ created_at: string }[]>`
		select created_at from drizzle.__drizzle_migrations order by created_at desc limit 1`;
	const migrations = await readMigrations();
	return migrations.find(({ writtenAt }) => writtenAt === Number(last?.created_at));
}

/** Makes a database without tables of ours, in the transaction that `sql` is. */
export async function dropTables(sql: Sql): Promise<void> {
	await sql`drop schema if exists drizzle cascade`;
	const rows = await sql<{ name: string }[]>`
		select tablename as name from pg_tables where schemaname = 'public'`;
	for (const { name } of rows) await sql`drop table ${sql(name)} cascade`;
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
