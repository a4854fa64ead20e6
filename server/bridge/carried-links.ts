import type { Sql } from 'postgres';
import { assert } from '#domain/assert.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import type { BusinessId, PersonId } from '#domain/ids.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import type { ToldConnection } from '#server/ledgers/said-again.ts';

/** What was carried in of connections in the next page of a feed. */
export interface CarriedLinks {
	/** Each once. */
	readonly told: readonly ToldConnection[];
	/** The place up to which the feed was carried over. */
	readonly after: number;
	/** The number up to which the feed was looked through. */
	readonly upTo: number;
}

/** Looks through the next `length` numbers behind the place up to which the feed was carried over. */
export async function readCarried(sql: Sql, scope: ScopeId, length: number): Promise<CarriedLinks> {
	const rows = await sql<{ after: string; up_to: string; text: string | null }[]>`
		with place as (
			select feed_head.s as head, coalesce(bridge_cursor.s, 0) as after
			from feed_head left join bridge_cursor on bridge_cursor.scope = feed_head.business
			where feed_head.business = ${scope}
		)
		select after, least(head, after + ${length}) as up_to, text
		from place left join fact on fact.business = ${scope} and carried_by is not null
			and kind in ('link', 'card') and s > after and s <= least(head, after + ${length})`;
	const told = rows.flatMap(({ text }) => (text === null ? [] : toldIn(text, scope)));
	const named = told.map((one) => [`${one.business} ${one.ledger}`, one] as const);
	const [{ after, up_to: upTo } = { after: 0, up_to: 0 }] = rows;
	return { told: Array.from(new Map(named).values()), after: Number(after), upTo: Number(upTo) };
}

function toldIn(text: string, scope: ScopeId): readonly ToldConnection[] {
	const parsed = parseFact(text);
	assert(parsed.ok, 'a stored fact was parsed before');
	const fact = parsed.value;
	if (fact.kind === 'link') return [{ business: scope as BusinessId, ledger: fact.ledgerId }];
	if (fact.kind !== 'card') return [];
	const { businessId: business, ledgerId: ledger } = fact;
	return [{ business, ledger, person: scope as PersonId }];
}
