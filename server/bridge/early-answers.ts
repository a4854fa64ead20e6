import type { Sql } from 'postgres';
import type { ReplyFact } from '#domain/fact/ledger-fact.ts';
import type { BusinessId, PersonId } from '#domain/ids.ts';
import { clockColumns, storedFact, type StoredText } from '#server/database/stored-fact.ts';
import type { Carry } from './to-person.ts';

/** What stands at a person's by now: a record by its ledger and H. */
export type Brought = Pick<Carry, 'ledger' | 'key'>;

/**
 * BRIDGE-9. Holds the places up to which these people's feeds were carried until the transaction
 * ends, before any other lock on a ledger or feed: an answer that was passed by then is among the
 * early ones, and one that was not finds what is brought now.
 */
export async function holdPlaces(sql: Sql, people: readonly PersonId[]): Promise<void> {
	if (people.length === 0) return;
	await sql`
		insert into bridge_cursor (scope, s) select *, 0 from unnest(${people}::uuid[]) order by 1
		on conflict do nothing`;
	await sql`
		select scope from bridge_cursor where scope = any(${people}::uuid[])
		order by scope for share`;
}

/** Whether any of these people answered something of `business` early; under `holdPlaces` it stays so. */
export async function hasEarly(
	sql: Sql,
	business: BusinessId,
	people: readonly PersonId[]
): Promise<boolean> {
	const rows = await sql`
		select from early_answer where business = ${business} and person = any(${people}::uuid[])
		limit 1`;
	return rows.length > 0;
}

/** Keeps an answer to what its person was not brought yet, until he is. */
export async function keepEarly(sql: Sql, person: PersonId, reply: ReplyFact): Promise<void> {
	const { businessId, ledgerId, h, code, n } = reply;
	await sql`
		insert into early_answer (business, ledger, person, key, code, n)
		values (${businessId}, ${ledgerId}, ${person}, ${h}, ${code}, ${n})
		on conflict do nothing`;
}

/** The answers to what a person is brought only now, in the order of his feed; kept no longer. */
export async function takeEarly(
	sql: Sql,
	{ business, person }: { readonly business: BusinessId; readonly person: PersonId },
	brought: readonly Brought[]
): Promise<readonly ReplyFact[]> {
	if (brought.length === 0) return [];
	const rows = await sql<StoredText[]>`
		with early as (
			delete from early_answer
			where business = ${business} and person = ${person} and (ledger, key) in (
				select * from unnest(
					${brought.map(({ ledger }) => ledger)}::uuid[],
					${brought.map(({ key }) => key)}::text[]
				)
			)
			returning code, n
		)
		select fact.text, ${clockColumns(sql)}
		from early
		join fact on fact.business = ${person} and fact.code = early.code and fact.n = early.n
		left join clock on clock.business = fact.business
			and clock.code = fact.code and clock.n = fact.n
		order by fact.s`;
	return rows.map(storedFact).filter((fact): fact is ReplyFact => fact.kind === 'reply');
}
