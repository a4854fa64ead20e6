import type { Sql } from 'postgres';
import { TRADE_BUSINESS, type WrittenFact } from './trade.ts';

/**
 * Keeps facts of a trade as the relay does before it counts them, at the places behind `s`. Verdicts are
 * among what is handed in after a restore: no other comes before its claim.
 */
export async function keepFacts(sql: Sql, facts: readonly WrittenFact[], s = 0): Promise<void> {
	const rows = facts.map(({ fact, text, branch }, place) => ({
		business: TRADE_BUSINESS,
		code: fact.code,
		n: fact.n,
		kind: fact.kind,
		branch,
		wall: fact.at.wall,
		counter: fact.at.counter,
		on_day: fact.on,
		member: fact.by,
		text,
		digest: '0',
		carried_by: fact.kind === 'verdict' ? 'A' : null,
		s: s + place + 1
	}));
	await sql`insert into fact ${sql(rows)}`;
}
