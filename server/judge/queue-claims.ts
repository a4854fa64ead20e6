import type { Sql } from 'postgres';
import type { Fact } from '#domain/fact/fact.ts';
import type { BusinessId } from '#domain/ids.ts';

interface StoredFact {
	readonly business: BusinessId;
	readonly fact: Fact;
}

/**
 * JUDGE-14. Writes down which claims wait for their verdict, in the transaction that stores them:
 * what is stored is judged, whatever is killed in between. `now` in ms UTC.
 */
export async function queueClaims(
	sql: Sql,
	facts: readonly StoredFact[],
	now: number
): Promise<void> {
	const claims = facts.flatMap(({ business, fact }) =>
		fact.kind === 'claim' ? [{ business, claim: fact.claim.id, code: fact.code, n: fact.n }] : []
	);
	if (claims.length === 0) return;
	await sql`
		insert into claim_waiting (business, claim, code, n, due_at)
		select business, claim, code, n, ${now}::bigint from unnest(
			${claims.map(({ business }) => business)}::uuid[],
			${claims.map(({ claim }) => claim)}::uuid[],
			${claims.map(({ code }) => code)}::text[],
			${claims.map(({ n }) => n)}::bigint[]
		) as given (business, claim, code, n)
		on conflict do nothing`;
}
