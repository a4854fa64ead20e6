import type { Sql } from 'postgres';
import { parseFact } from '#domain/fact/parse-fact.ts';
import type { LedgerId } from '#domain/ids.ts';
import type { FactRow } from '#storage/device-store.ts';
import type { Patron } from './world.ts';

/** Where a restored relay knows of nobody, and whose customer will connect anew. */
export async function forgottenLedgers(
	sql: Sql,
	patrons: readonly Pick<Patron, 'isLinked' | 'ledger'>[]
): Promise<ReadonlySet<LedgerId>> {
	const ledgers = new Set(
		patrons.flatMap(({ isLinked, ledger }) => (isLinked && ledger !== undefined ? ledger : []))
	);
	if (ledgers.size === 0) return ledgers;
	const rows = await sql<{ ledger: LedgerId }[]>`
		select ledger from ledger_link where ledger = any(${[...ledgers]}::uuid[])`;
	return ledgers.difference(new Set(rows.map(({ ledger }) => ledger)));
}

/**
 * RELAY-58. Whether the relay takes this, which a machine holds, no sooner than whoever answered is
 * connected again: a machine that had the answer by its journal may never have heard of the connection
 * by the feed, and then nobody but she herself says that it was there.
 */
export function isAwaited(
	{ kind, text }: Pick<FactRow, 'kind' | 'text'>,
	forgotten: ReadonlySet<LedgerId>
): boolean {
	if (kind !== 'answered' || forgotten.size === 0) return false;
	const fact = parseFact(text);
	return fact.ok && fact.value.kind === 'answered' && forgotten.has(fact.value.ledgerId);
}
