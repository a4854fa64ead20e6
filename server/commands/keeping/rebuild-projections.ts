import type { Sql } from 'postgres';
import { assert } from '#domain/assert.ts';
import { parseBusinessId, type BusinessId } from '#domain/ids.ts';
import type { Project } from '#server/projections/effected.ts';
import { projectPage, readFacts } from './project-again.ts';
import { PROJECTION_TABLES } from './projection-tables.ts';
import { emptyScratch, makeScratch } from './scratch.ts';

export interface Rebuilt {
	readonly business: string;
	readonly facts: number;
}

export interface RebuildParts {
	/** A connection of its own, one: what it makes beside the tables is seen by it alone. */
	readonly sql: Sql;
	readonly project: Project;
}

/**
 * KEEP-7. Makes the projections of every business again from its facts, one business after the other: beside
 * the tables first, while the relay writes on, and then in the place of what is there, in one
 * transaction under the feed's lock. What stops in the middle leaves a business as it was.
 */
export async function* rebuildAll(parts: RebuildParts): AsyncGenerator<Rebuilt, undefined> {
	const { sql } = parts;
	await makeScratch(sql);
	const rows = await sql<{ business: string }[]>`select business from business order by business`;
	for (const { business } of rows) {
		const parsed = parseBusinessId(business);
		assert(parsed.ok, 'a row holds a business');
		await emptyScratch(sql);
		yield { business, facts: await rebuild(parts, parsed.value) };
	}
	return undefined;
}

async function rebuild(parts: RebuildParts, business: BusinessId): Promise<number> {
	const { sql } = parts;
	const folded = await foldBehind(parts, business, { s: '0', facts: 0 });
	return sql.begin(async (transaction) => {
		const tx = transaction as unknown as Sql;
		// Nobody writes into the business from here on: what came meanwhile is the rest.
		await tx`select s from feed_head where business = ${business} for update`;
		const { facts } = await foldBehind({ ...parts, sql: tx }, business, folded);
		for (const table of PROJECTION_TABLES) {
			const real = tx(`public.${table}`);
			await tx`delete from ${real} where business = ${business}`;
			await tx`insert into ${real} select * from ${tx(`pg_temp.${table}`)}`;
		}
		return facts;
	});
}

interface Folded {
	/** The last number of the feed that is in. */
	readonly s: string;
	readonly facts: number;
}

async function foldBehind(
	{ sql, project }: RebuildParts,
	business: BusinessId,
	folded: Folded
): Promise<Folded> {
	let { s, facts } = folded;
	for await (const rows of readFacts(sql, business, s)) {
		await projectPage(sql, business, { rows, project });
		facts += rows.length;
		s = rows.at(-1)?.s ?? s;
	}
	return { s, facts };
}
