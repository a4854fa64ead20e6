import type { Sql } from 'postgres';
import { assert } from '#domain/assert.ts';
import { parseBusinessId, type BusinessId } from '#domain/ids.ts';
import type { Project } from '#server/projections/effected.ts';
import { moveInTime } from '#server/projections/move-in-time.ts';
import { projectPage, readFacts, takeClocks } from './project-again.ts';
import { PROJECTION_TABLES } from './projection-tables.ts';
import { makeScratch } from './scratch.ts';

export interface Rebuilt {
	readonly business: string;
	readonly facts: number;
}

export interface RebuildParts {
	readonly sql: Sql;
	readonly project: Project;
}

/**
 * KEEP-7. Makes the projections of every business again from its facts, each business in one transaction:
 * beside the tables first, while the relay writes on, and then, under the feed's lock, in the place of
 * what is there. What stops in the middle, or loses its connection, leaves a business as it was.
 */
export async function* rebuildAll({
	sql,
	project
}: RebuildParts): AsyncGenerator<Rebuilt, undefined> {
	const rows = await sql<{ business: string }[]>`select business from business order by business`;
	for (const { business } of rows) {
		const parsed = parseBusinessId(business);
		assert(parsed.ok, 'a row holds a business');
		// Whatever the database does by itself: what came meanwhile is seen only so.
		const facts = await sql.begin('isolation level read committed', (transaction) =>
			rebuild({ sql: transaction as unknown as Sql, project }, parsed.value)
		);
		yield { business, facts };
	}
	return undefined;
}

async function rebuild(parts: RebuildParts, business: BusinessId): Promise<number> {
	const { sql: tx } = parts;
	await makeScratch(tx);
	await takeClocks(tx, business);
	const folded = await foldBehind(parts, business, { s: '0', facts: 0 });
	// Nobody writes into the business from here on: what came meanwhile is the rest.
	await tx`select s from feed_head where business = ${business} for update`;
	await moveInTime(tx, await takeClocks(tx, business, folded.s));
	const { facts } = await foldBehind(parts, business, folded);
	for (const table of PROJECTION_TABLES) {
		const real = tx(`public.${table}`);
		await tx`delete from ${real} where business = ${business}`;
		await tx`insert into ${real} select * from ${tx(`pg_temp.${table}`)}`;
	}
	return facts;
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
