import type { Sql } from 'postgres';
import { parseBusinessId } from '#domain/ids.ts';
import type { Project } from '#server/projections/effected.ts';
import { createDifferences, type Differences } from './differences.ts';
import { findLetIn, type LetIn } from './find-let-in.ts';
import { findLostLinks, type LostLink } from './find-lost-links.ts';
import { projectPage, readFacts, takeClocks } from './project-again.ts';
import { makeScratch } from './scratch.ts';
import { verifyDocuments } from './verify-documents.ts';
import { verifyBridge, verifyFeed, verifyRow } from './verify-feed.ts';
import { compareProjections } from './verify-projections.ts';

/** What was looked at, and what is not as it must be. */
export interface Verified {
	readonly scopes: number;
	readonly facts: number;
	readonly documents: number;
	readonly differences: Omit<Differences, 'note'>;
	/** Nothing that is wrong by itself: for whoever may remove them anew. */
	readonly letIn: readonly LetIn[];
	/** The same: for whoever may connect anew. */
	readonly lostLinks: readonly LostLink[];
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
	const differences = createDifferences();
	const sums = { scopes: scopes.length, facts: 0, documents: 0 };
	const letIn: LetIn[] = [];
	const lostLinks: LostLink[] = [];
	for (const { scope, is_business: isBusiness } of scopes) {
		const one = await sql.begin('isolation level repeatable read', (transaction) =>
			verifyScope(transaction as unknown as Sql, {
				scope,
				project: isBusiness ? project : undefined,
				note: differences.note
			})
		);
		sums.facts += one.facts;
		sums.documents += one.documents;
		letIn.push(...one.letIn);
		for (const link of one.lostLinks) lostLinks.push(link);
	}
	return { ...sums, differences, letIn, lostLinks };
}

interface Scope {
	readonly scope: string;
	/** Of a business alone: a person's facts come to no numbers. */
	readonly project: Project | undefined;
	readonly note: Differences['note'];
}

async function verifyScope(
	tx: Sql,
	{ scope, project, note }: Scope
): Promise<Pick<Verified, 'facts' | 'documents' | 'letIn' | 'lostLinks'>> {
	const parsed = parseBusinessId(scope);
	const business = project !== undefined && parsed.ok ? parsed.value : undefined;
	note(await verifyFeed(tx, scope));
	note(await verifyBridge(tx, scope));
	if (business !== undefined) {
		await makeScratch(tx);
		await takeClocks(tx, business);
	}
	let facts = 0;
	for await (const rows of readFacts(tx, scope)) {
		facts += rows.length;
		for (const row of rows) note(verifyRow(scope, row));
		if (project !== undefined && business !== undefined) {
			await projectPage(tx, business, { rows, project });
		}
	}
	const documents = await verifyDocuments(tx, scope, note);
	if (business !== undefined) note(await compareProjections(tx, business));
	const letIn = project === undefined ? [] : await findLetIn(tx, scope);
	return { facts, documents, letIn, lostLinks: await findLostLinks(tx, scope) };
}
