import type { Sql } from 'postgres';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { Fact } from '#domain/fact/fact.ts';
import type { BusinessId } from '#domain/ids.ts';
import { STAMP_AHEAD_MAX_MS } from '#domain/stamp.ts';

interface StoredFact {
	readonly business: BusinessId;
	readonly fact: Fact;
}

/** A record by its H, in the business whose it is. */
interface StoredRecord {
	readonly business: BusinessId;
	readonly h: RecordHash;
}

/** How long a claim from before a restore waits for the verdict that somebody may hold; none waits longer. */
export const CARRIED_WAIT_MS = 60_000;

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
		select business, claim, code, n, ${dueAt(sql, now)}
		from unnest(
			${claims.map(({ business }) => business)}::uuid[],
			${claims.map(({ claim }) => claim)}::uuid[],
			${claims.map(({ code }) => code)}::text[],
			${claims.map(({ n }) => n)}::bigint[],
			${claims.map(({ wall }) => wall)}::bigint[]
		) as given (business, claim, code, n, wall), ${restored(sql)}
		on conflict do nothing`;
}

/** When the claim of a row `given` is judged, beside `restored`. */
function dueAt(sql: Sql, now: number): ReturnType<Sql> {
	return sql`case
		when given.wall < restored.at + ${STAMP_AHEAD_MAX_MS}::bigint
			or restored.at is not null and exists (
				select from clock where clock.business = given.business
					and clock.code = given.code collate "C" and clock.n = given.n
			) then ${now + CARRIED_WAIT_MS}::bigint
		else ${now}::bigint end`;
}

/** When the database was restored last; null where it never was. */
function restored(sql: Sql): ReturnType<Sql> {
	return sql`(select max(started_at) as at from database_epoch where exists (
		select 1 from database_epoch as ended where ended.epoch < database_epoch.epoch
	)) as restored`;
}

/**
 * JUDGE-18. Sets the claims due that waited for these records, in the transaction that stores them. Who lets a
 * claim wait holds the lock of the business's feed, and so does the caller: one of both sees the other.
 * JUDGE-15. Who hands in a record after a restore hands in its verdict soon: one of before waits for that.
 */
export async function wakeClaims(
	sql: Sql,
	records: readonly StoredRecord[],
	now: number
): Promise<void> {
	if (records.length === 0) return;
	// One look by the index for each: nearly always there is nothing, however much waits for what never comes.
	const woken = await sql<WaitingRow[]>`
		select awaiting.* from unnest(
			${records.map(({ business }) => business)}::uuid[],
			${records.map(({ h }) => h)}::text[]
		) as given (business, h), lateral (
			select business, claim, code, n from claim_waiting
			where claim_waiting.business = given.business and awaits = given.h and due_at is null
			offset 0
		) as awaiting`;
	if (woken.length === 0) return;
	await sql`
		update claim_waiting as held set due_at = ${dueAt(sql, now)}, awaits = null, tries = 0
		from fact as given join unnest(
			${woken.map(({ business }) => business)}::uuid[],
			${woken.map(({ claim }) => claim)}::uuid[],
			${woken.map(({ code }) => code)}::text[],
			${woken.map(({ n }) => n)}::bigint[]
		) as woken (business, claim, code, n)
			on given.business = woken.business and given.code = woken.code collate "C"
				and given.n = woken.n, ${restored(sql)}
		where held.due_at is null and held.business = woken.business and held.claim = woken.claim
			and held.code = woken.code collate "C" and held.n = woken.n`;
}

interface WaitingRow {
	readonly business: string;
	readonly claim: string;
	readonly code: string;
	readonly n: string;
}
