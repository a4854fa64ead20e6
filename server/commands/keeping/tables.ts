import type { Sql } from 'postgres';
import { assert } from '#domain/assert.ts';
import type { TableForm } from './backup-form.ts';

/** Every table of Daftar's with its columns; those that others refer to come before these. */
export async function readTables(sql: Sql): Promise<readonly TableForm[]> {
	const columns = await sql<{ name: string; columns: string[] }[]>`
		select table_class.relname as name,
			array_agg(attribute.attname::text order by attribute.attnum) as columns
		from pg_class as table_class
		join pg_namespace as namespace on namespace.oid = table_class.relnamespace
		join pg_attribute as attribute on attribute.attrelid = table_class.oid
		where namespace.nspname = 'public' and table_class.relkind in ('r', 'p')
			and not table_class.relispartition
			and attribute.attnum > 0 and not attribute.attisdropped and attribute.attgenerated = ''
		group by table_class.relname
		order by table_class.relname collate "C"`;
	const references = await sql<{ from: string; to: string }[]>`
		select referring.relname as from, referred.relname as to
		from pg_constraint
		join pg_class as referring on referring.oid = conrelid
		join pg_class as referred on referred.oid = confrelid
		join pg_namespace as namespace on namespace.oid = referring.relnamespace
		where contype = 'f' and namespace.nspname = 'public' and conrelid <> confrelid`;
	return inOrder(columns, references);
}

/** The name of the first table that has a row. */
export async function findRows(
	sql: Sql,
	tables: readonly Pick<TableForm, 'name'>[]
): Promise<string | undefined> {
	for (const { name } of tables) {
		const rows = await sql`select 1 from ${sql(name)} limit 1`;
		if (rows.length > 0) return name;
	}
	return undefined;
}

interface Reference {
	readonly from: string;
	readonly to: string;
}

function inOrder(
	tables: readonly TableForm[],
	references: readonly Reference[]
): readonly TableForm[] {
	const placed: TableForm[] = [];
	let left = tables;
	while (left.length > 0) {
		const waiting = new Set(left.map(({ name }) => name));
		const ready = left.filter(
			({ name }) => !references.some(({ from, to }) => from === name && waiting.has(to))
		);
		assert(ready.length > 0, 'no two tables refer to each other');
		placed.push(...ready);
		left = left.filter((table) => !ready.includes(table));
	}
	return placed;
}
