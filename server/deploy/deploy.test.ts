import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';

const FOLDER = import.meta.dirname;
const CALL = /^select (\w+)\('(\w+)'(?:, '(\w+)'(?:, colocate_with => '(\w+)')?)?\);$/gm;
const OWNERS = ['business', 'person', 'scope'];

let database: TestDatabase;
beforeAll(async () => {
	database = await createTestDatabase();
});
afterAll(() => database.close());

interface Placed {
	readonly how: string;
	readonly table: string;
	/** By which it is spread; undefined where it is not. */
	readonly column: string | undefined;
}

function placed(): readonly Placed[] {
	const script = readFileSync(path.join(FOLDER, 'citus.sql'), 'utf8');
	return Array.from(script.matchAll(CALL), ([, how = '', table = '', column]) => ({
		how,
		table,
		column
	}));
}

function spread(): ReadonlyMap<string, string> {
	const columns = placed().flatMap(({ table, column }) =>
		column === undefined ? [] : [[table, column] as const]
	);
	return new Map(columns);
}

describe('the tables', () => {
	it('[DEPLOY-1] have the business or person first in every key', async () => {
		const keys = await database.sql<{ table: string; index: string; first: string }[]>`
			select table_class.relname as table, index_class.relname as index,
				pg_get_indexdef(indexrelid, 1, true) as first
			from pg_index
			join pg_class as index_class on index_class.oid = indexrelid
			join pg_class as table_class on table_class.oid = indrelid
			join pg_namespace on pg_namespace.oid = table_class.relnamespace
			where indisunique and nspname = 'public'`;
		const columns = spread();
		const ofBusiness = keys.filter(({ table }) => columns.has(table));
		expect(ofBusiness.length).toBeGreaterThan(columns.size - 1);
		expect(ofBusiness.filter(({ table, first }) => first !== columns.get(table))).toEqual([]);
		expect([...columns.values()].filter((column) => !OWNERS.includes(column))).toEqual([]);
	});

	it('[DEPLOY-1] point to nothing of another business or person', async () => {
		const links = await database.sql<
			{ from: string; to: string; columns: string[]; named: string[] }[]
		>`
			select from_class.relname as from, to_class.relname as to,
				array(select attname::text from unnest(conkey) with ordinality as k (n, at)
					join pg_attribute on attrelid = conrelid and attnum = n order by at) as columns,
				array(select attname::text from unnest(confkey) with ordinality as k (n, at)
					join pg_attribute on attrelid = confrelid and attnum = n order by at) as named
			from pg_constraint
			join pg_class as from_class on from_class.oid = conrelid
			join pg_class as to_class on to_class.oid = confrelid
			where contype = 'f'`;
		const columns = spread();
		const loose = links.filter(({ from, to, columns: own, named }) => {
			const [of, other] = [columns.get(from), columns.get(to)];
			// Accounts and persons are on every machine.
			if (other === undefined) return false;
			return of === undefined || !own.includes(of) || named[own.indexOf(of)] !== other;
		});
		expect(links.length).toBeGreaterThan(10);
		expect(loose).toEqual([]);
	});

	it('[DEPLOY-2] are each named once by the Citus script', async () => {
		const rows = await database.sql<{ name: string }[]>`
			select table_name as name from information_schema.tables
			where table_schema = 'public' and table_type = 'BASE TABLE'`;
		const named = placed().map(({ table }) => table);
		expect(named.toSorted()).toEqual(rows.map(({ name }) => name).toSorted());
		for (const { how, column } of placed())
			expect(column !== undefined).toBe(how === 'create_distributed_table');
	});
});

describe('the examples', () => {
	const read = (name: string): string => readFileSync(path.join(FOLDER, name), 'utf8');

	it('[DEPLOY-3] set what the server reads, and what servers share', () => {
		const known = new Set(
			[
				...readFileSync(path.join(FOLDER, '../environment.ts'), 'utf8').matchAll(
					/given\('(\w+)'\)/g
				)
			]
				.map(([, name = '']) => name)
				.concat('NODE_ENV')
		);
		const ofServer = /environment: &settings\n((?: {4}\w+: .*\n)+)/.exec(read('compose.yaml'))?.[1];
		const set = Array.from((ofServer ?? '').matchAll(/^ {4}(\w+):/gm), ([, name = '']) => name);
		expect(set.filter((name) => !known.has(name))).toEqual([]);
		expect(set).toEqual(
			expect.arrayContaining(['DATABASE_URL', 'DAFTAR_SECRET', 'BUS_URL', 'PROXIES'])
		);
		const unit = read('daftar@.service');
		for (const [, name = ''] of unit.matchAll(/([A-Z][A-Z_]+)=/g)) expect(known).toContain(name);
		for (const [, name = ''] of read('README.md').matchAll(/^\| `([A-Z_]+)/gm))
			expect(known).toContain(name);
		expect(read('Caddyfile')).toContain('health_uri /api/health');
	});

	it('[DEPLOY-6] start a server again for as long as its database is away', () => {
		const [unit = '', service = ''] = read('daftar@.service').split('[Service]');
		expect(service).toMatch(/^Restart=always$/m);
		// Else five starts within ten seconds are the last: one that finds no database ends in one.
		expect(unit).toMatch(/^StartLimitIntervalSec=0$/m);
		const services = read('compose.yaml').match(/^ {2,4}(?:restart|build|image):.*$/gm) ?? [];
		const always = services.filter((line) => line.trim() === 'restart: unless-stopped');
		expect(always.length).toBe(services.length / 2);
	});
});
