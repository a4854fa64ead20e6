import type { Sql } from 'postgres';
import { parseBusinessId } from '#domain/ids.ts';
import type { Project } from '#server/projections/effected.ts';
import { findLetIn, type LetIn } from './find-let-in.ts';
import { projectPage, readFacts, takeClocks } from './project-again.ts';
import { makeScratch } from './scratch.ts';
import { verifyDocuments } from './verify-documents.ts';
import { verifyFeed, verifyRow, type Difference } from './verify-feed.ts';
import { compareProjections } from './verify-projections.ts';

/** What was looked at, and what is not as it must be. */
export interface Verified {
	readonly scopes: number;
	readonly facts: number;
	readonly documents: number;
	readonly differences: readonly Difference[];
	/** Nothing that is wrong by itself: for whoever may remove them anew. */
	readonly letIn: readonly LetIn[];
}

export interface VerifyParts {
	readonly sql: Sql;
	readonly project: Project;
}

/**
 * KEEP-8. Compares facts, documents, feed and projections of every business and person, each at one moment,
 * while the relay runs or not. Changes nothing.
 */
export async function verifyAll({ sql, project }: VerifyParts): Promise<Verified> {
	const scopes = await sql<{ scope: string; is_business: boolean }[]>`
		select scope, exists (select 1 from business where business.business = scope) as is_business
		from (
			select business as scope from feed_head union select business from fact
			union select business from document_head union select business from document_update
		) as scopes
		order by scope`;
	const all: Verified = {
		scopes: scopes.length,
		facts: 0,
		documents: 0,
		differences: [],
		letIn: []
	};
	let sum = all;
	for (const { scope, is_business: isBusiness } of scopes) {
		const one = await sql.begin('isolation level repeatable read', (transaction) =>
			verifyScope(transaction as unknown as Sql, scope, isBusiness ? project : undefined)
		);
		sum = {
			scopes: sum.scopes,
			facts: sum.facts + one.facts,
			documents: sum.documents + one.documents,
			differences: [...sum.differences, ...one.differences],
			letIn: [...sum.letIn, ...one.letIn]
		};
	}
	return sum;
}

async function verifyScope(
	tx: Sql,
	scope: string,
	project: Project | undefined
): Promise<Omit<Verified, 'scopes'>> {
	const parsed = parseBusinessId(scope);
	const business = project !== undefined && parsed.ok ? parsed.value : undefined;
	const differences: Difference[] = [...(await verifyFeed(tx, scope))];
	if (business !== undefined) {
		await makeScratch(tx);
		await takeClocks(tx, business);
	}
	let facts = 0;
	for await (const rows of readFacts(tx, scope)) {
		facts += rows.length;
		for (const row of rows) differences.push(...verifyRow(scope, row));
		if (project !== undefined && business !== undefined) {
			await projectPage(tx, business, { rows, project });
		}
	}
	const documents = await verifyDocuments(tx, scope);
	differences.push(...documents.differences);
	if (business !== undefined) differences.push(...(await compareProjections(tx, business)));
	const letIn = project === undefined ? [] : await findLetIn(tx, scope);
	return { facts, documents: documents.documents, differences, letIn };
}
