import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { expect, it } from 'vitest';

it.each(['drizzle-orm/pg-core', 'drizzle-orm/postgres-js', 'drizzle-orm/sql'])(
	'what Node reads above each module of %s is short',
	(name) => {
		const near = findPackageJSON(import.meta.resolve(name));
		expect(JSON.parse(readFileSync(near ?? '', 'utf8'))).toEqual({ type: 'module' });
	}
);
