import type { Sql } from 'postgres';
import type { BranchId, BusinessId, LedgerId } from '#domain/ids.ts';
import { NO_LEDGER } from '#server/database/journal.ts';
import { clockColumns, storedFact, type StoredText } from '#server/database/stored-fact.ts';
import type { Way } from './day-limit.ts';
import type { ShopFact } from './to-person.ts';

/** So many facts of a ledger are brought in one transaction. */
export const SLICE_LENGTH = 500;

/** A fact of a shop by its device's code and its number there. */
export interface FactName {
	readonly code: string;
	readonly n: string;
}

/** BRIDGE-13. Whether a ledger's book holds more than one transaction brings; read by indexes alone. */
export async function isLong(sql: Sql, business: BusinessId, ledger: LedgerId): Promise<boolean> {
	const rows = await sql`
		(select from record where business = ${business} and ledger = ${ledger} offset ${SLICE_LENGTH} limit 1)
		union all
		(select from ledger_fact where business = ${business} and ledger = ${ledger}
			offset ${SLICE_LENGTH} limit 1)
		union all
		(select from ledger_fact where business = ${business} and ledger = ${NO_LEDGER}
			and kind = 'record' offset ${SLICE_LENGTH} limit 1)`;
	return rows.length > 0;
}

/**
 * What a ledger's book holds behind a place of the shop's feed that its person may not hold, in the
 * order of that feed: all that he holds under its own name is left out.
 */
export async function readLacking(
	sql: Sql,
	{
		business,
		ledger,
		person,
		after
	}: Way & { readonly business: BusinessId; readonly after: number }
): Promise<readonly FactName[]> {
	const held = sql`from bridged
		where business = ${business} and ledger = ${ledger} and person = ${person}`;
	return sql<FactName[]>`
		with named as (
			select code, n from record where business = ${business} and ledger = ${ledger}
				and not exists (select ${held} and key = record.h)
			union
			select code, n from ledger_fact
			where business = ${business} and ledger = ${ledger} and kind in ('entry', 'record', 'answered')
				and not exists (select ${held} and key = (code || '-' || n) collate "default")
			union
			-- An insisting names its record alone; whose that is, is found there.
			select code, n from ledger_fact
			where business = ${business} and ledger = ${NO_LEDGER} and kind = 'record'
				and not exists (select ${held} and key = (code || '-' || n) collate "default")
		)
		select code, n from named join fact using (code, n)
		where fact.business = ${business} and s > ${after}
		order by s`;
}

/** These facts, in the order of the shop's feed. */
export async function readNamed(
	sql: Sql,
	business: BusinessId,
	names: readonly FactName[]
): Promise<readonly ShopFact[]> {
	if (names.length === 0) return [];
	const rows = await sql<(StoredText & { branch: BranchId | null })[]>`
		select fact.branch, fact.text, ${clockColumns(sql)}
		from fact left join clock using (business, code, n)
		where business = ${business} and (code, n) in (
			select * from unnest(
				${names.map(({ code }) => code)}::text[],
				${names.map(({ n }) => n)}::bigint[]
			)
		)
		order by s`;
	return rows.map((row) => ({ branch: row.branch, fact: storedFact(row) }));
}
