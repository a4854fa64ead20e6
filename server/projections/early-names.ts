import type { Sql } from 'postgres';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { LedgerName } from './ledger-facts.ts';

/** A record of which something was said in a ledger. */
export interface RecordName extends LedgerName {
	readonly h: RecordHash;
}

export function recordKey({ business, ledger, h }: RecordName): string {
	return `${business} ${ledger} ${h}`;
}

/** PROJ-14. Keeps what was said in ledgers of records that have not come. */
export async function keepEarlyNames(sql: Sql, names: readonly RecordName[]): Promise<void> {
	if (names.length === 0) return;
	await sql`
		insert into early_name (business, ledger, h)
		select * from unnest(
			${names.map(({ business }) => business)}::uuid[],
			${names.map(({ ledger }) => ledger)}::uuid[],
			${names.map(({ h }) => h)}::text[]
		)
		on conflict do nothing`;
}

/** Those of these records, new by now, of which something was said before; kept no longer. By `recordKey`. */
export async function takeEarlyNames(
	sql: Sql,
	records: readonly RecordName[]
): Promise<ReadonlySet<string>> {
	if (records.length === 0) return new Set();
	const rows = await sql<RecordName[]>`
		delete from early_name where (business, ledger, h) in (
			select * from unnest(
				${records.map(({ business }) => business)}::uuid[],
				${records.map(({ ledger }) => ledger)}::uuid[],
				${records.map(({ h }) => h)}::text[]
			)
		)
		returning business, ledger, h`;
	return new Set(rows.map(recordKey));
}
