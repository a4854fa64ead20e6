import { existsSync, readFileSync, statSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it.each(['drizzle-orm/pg-core', 'drizzle-orm/postgres-js', 'drizzle-orm/sql'])(
	'what Node reads above each module of %s is short',
	(name) => {
		const near = findPackageJSON(import.meta.resolve(name));
		expect(JSON.parse(readFileSync(near ?? '', 'utf8'))).toEqual({ type: 'module' });
	}
);

it('what Node reads above the modules of drizzle-orm that are in no folder is short', () => {
	const near = findPackageJSON(import.meta.resolve('drizzle-orm')) ?? '';
	expect(statSync(near).size).toBeLessThan(24 * 1024);
});

it.each([
	['drizzle-orm', 'index.js'],
	['drizzle-orm/migrator', 'migrator.js'],
	['drizzle-orm/pg-core', 'pg-core/index.js'],
	['drizzle-orm/pg-core/table', 'pg-core/table.js'],
	['drizzle-orm/postgres-js/migrator', 'postgres-js/migrator.js']
])('%s leads where it led', (name, file) => {
	const resolved = fileURLToPath(import.meta.resolve(name));
	expect(resolved.endsWith(`/drizzle-orm/${file}`)).toBe(true);
	expect(existsSync(resolved)).toBe(true);
});
