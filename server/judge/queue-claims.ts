import type { Sql } from 'postgres';
import type { Fact } from '#domain/fact/fact.ts';
import type { BusinessId } from '#domain/ids.ts';
import { STAMP_AHEAD_MAX_MS } from '#domain/stamp.ts';

interface StoredFact {
	readonly business: BusinessId;
	readonly fact: Fact;
}

/** How long a claim from before a restore waits for the verdict that somebody may hold. */
const CARRIED_WAIT_MS = 60_000;

/**
 * JUDGE-14. Writes down which claims wait for their verdict, in the transaction that stores them:
 * what is stored is judged, whatever is killed in between. JUDGE-15. One that was written before the
 * database was restored waits a minute for a verdict that is carried in: by its stamp, as far as stamps
 * are followed; so does one that was stamped further ahead, of which nobody knows when it was written. `now` in ms UTC.
 */
export async function queueClaims(
	sql: Sql,
	facts: readonly StoredFact[],
	now: number
): Promise<void> {
	const claims = facts.flatMap(({ business, fact }) =>
		fact.kind === 'claim'
			? [{ business, claim: fact.claim.id, code: fact.code, n: fact.n, wall: fact.at.wall }]
			: []
	);
	if (claims.length === 0) return;
	await sql`
		insert into claim_waiting (business, claim, code, n, due_at)
		select business, claim, code, n, case
			when wall < restored.at + ${STAMP_AHEAD_MAX_MS}::bigint or restored.at is not null and exists (
				select from clock where clock.business = given.business
					and clock.code = given.code collate "C" and clock.n = given.n
			) then ${now + CARRIED_WAIT_MS}::bigint
			else ${now}::bigint end
		from unnest(
			${claims.map(({ business }) => business)}::uuid[],
			${claims.map(({ claim }) => claim)}::uuid[],
			${claims.map(({ code }) => code)}::text[],
			${claims.map(({ n }) => n)}::bigint[],
			${claims.map(({ wall }) => wall)}::bigint[]
		) as given (business, claim, code, n, wall),
		(select max(started_at) as at from database_epoch where exists (
			select 1 from database_epoch as ended where ended.epoch < database_epoch.epoch
		)) as restored
		on conflict do nothing`;
}
