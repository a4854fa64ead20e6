import { sql } from 'drizzle-orm';
import { assert } from '#domain/assert.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { factId } from '#domain/ids.ts';
import type { AppendRelayFacts, RelayFactDraft } from '#server/auth/relay-fact-draft.ts';
import { digestOf } from './check-fact.ts';

export interface RelayFactParts {
	/** Milliseconds UTC. */
	readonly clock: () => number;
	readonly epoch: number;
}

/**
 * RELAY-19. Writes the relay's own facts of a business into its feed, numbered on from the last one, in the
 * caller's transaction. Whoever has sockets hears of them when `feedMoved` is called, or soon.
 */
export function createAppendRelayFacts(parts: RelayFactParts): AppendRelayFacts {
	return async (transaction, business, drafts) => {
		if (drafts.length === 0) return;
		const count = drafts.length;
		const [head] = await transaction.execute<{ s: string; relay_n: string }>(sql`
			insert into feed_head as held (business, s, relay_n)
			values (${business}, ${count}, ${count})
			on conflict (business)
			do update set s = held.s + ${count}, relay_n = held.relay_n + ${count}
			returning s, relay_n`);
		assert(head !== undefined, 'an upsert returns its row');
		const s = Number(head.s) - count;
		const n = Number(head.relay_n) - count;
		for (const [at, draft] of drafts.entries()) {
			const fact = factOf(draft, n + at + 1, parts);
			const text = encodeFact(fact);
			const digest = String(BigInt.asIntN(64, digestOf(text)));
			await transaction.execute(sql`
				insert into fact (business, code, n, kind, branch, document, wall, counter, on_day,
					member, text, digest, s)
				values (${business}, ${fact.code}, ${fact.n}, ${fact.kind}, ${draft.branch}, null,
					${fact.at.wall}, ${fact.at.counter}, ${fact.on}, ${fact.by}, ${text},
					${digest}::bigint, ${s + at + 1})`);
		}
	};
}

/** The relay's own day is UTC's. A fact's place among others of one instant is its number's. */
function factOf(draft: RelayFactDraft, n: number, { clock, epoch }: RelayFactParts): Fact {
	const now = clock();
	const code = `0.${String(epoch)}`;
	const on = new Date(now).toISOString().slice(0, 10);
	const head = { id: factId(code, n), code, n, at: { wall: now, counter: 0 }, on, by: 0 };
	return draft.kind === 'member'
		? { ...head, kind: 'member', member: draft.member, fields: draft.fields }
		: { ...head, kind: 'device', device: draft.device, fields: draft.fields };
}
