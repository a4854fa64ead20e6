import type { Sql } from 'postgres';
import { currencyKey } from '#domain/confirmation/currency-key.ts';
import type { LedgerRecord } from '#domain/confirmation/ledger-fold.ts';
import type { LedgerName } from './ledger-facts.ts';

/** What a ledger comes to in one currency, as the table has it. */
export interface BalanceRow extends LedgerName {
	readonly currency: string;
	readonly exponent: number;
	readonly confirmed: bigint;
	readonly waiting: bigint;
	readonly credited: bigint;
	readonly disputed: bigint;
	readonly total: bigint;
	readonly lastAt: number;
	readonly isPlain: boolean;
	readonly hasNames: boolean;
}

/** Which row of the table. */
export type PageName = Pick<BalanceRow, 'business' | 'ledger' | 'currency' | 'exponent'>;

export function pageOf({ businessId, ledgerId, currency, exponent }: LedgerRecord): PageName {
	return { business: businessId, ledger: ledgerId, currency, exponent };
}

export function pageKey(page: PageName): string {
	return `${ledgerKey(page)} ${currencyKey(page)}`;
}

export function ledgerKey({ business, ledger }: LedgerName): string {
	return `${business} ${ledger}`;
}

export function emptyBalance({ business, ledger, currency, exponent }: PageName): BalanceRow {
	return {
		...{ business, ledger, currency, exponent },
		confirmed: 0n,
		waiting: 0n,
		credited: 0n,
		disputed: 0n,
		total: 0n,
		lastAt: 0,
		isPlain: true,
		hasNames: false
	};
}

/** Those of these that are there, by `pageKey`. */
export async function readBalances(
	sql: Sql,
	pages: readonly PageName[]
): Promise<ReadonlyMap<string, BalanceRow>> {
	const rows = await sql<
		(PageName &
			Record<'confirmed' | 'waiting' | 'credited' | 'disputed' | 'total' | 'last_at', string> & {
				is_plain: boolean;
				has_names: boolean;
			})[]
	>`
		select * from balance where (business, ledger, currency, exponent) in (
			select * from unnest(
				${pages.map(({ business }) => business)}::uuid[],
				${pages.map(({ ledger }) => ledger)}::uuid[],
				${pages.map(({ currency }) => currency)}::text[],
				${pages.map(({ exponent }) => exponent)}::int[]
			)
		)`;
	return new Map(
		rows.map(({ is_plain: isPlain, has_names: hasNames, last_at: lastAt, ...row }) => {
			const balance: BalanceRow = {
				...emptyBalance(row),
				confirmed: BigInt(row.confirmed),
				waiting: BigInt(row.waiting),
				credited: BigInt(row.credited),
				disputed: BigInt(row.disputed),
				total: BigInt(row.total),
				lastAt: Number(lastAt),
				...{ isPlain, hasNames }
			};
			return [pageKey(balance), balance];
		})
	);
}

export async function putBalances(sql: Sql, rows: readonly BalanceRow[]): Promise<void> {
	if (rows.length === 0) return;
	await sql`
		insert into balance (business, ledger, currency, exponent, confirmed, waiting, credited,
			disputed, total, last_at, is_plain, has_names)
		select * from unnest(
			${rows.map(({ business }) => business)}::uuid[],
			${rows.map(({ ledger }) => ledger)}::uuid[],
			${rows.map(({ currency }) => currency)}::text[],
			${rows.map(({ exponent }) => exponent)}::int[],
			${rows.map(({ confirmed }) => String(confirmed))}::text[]::numeric[],
			${rows.map(({ waiting }) => String(waiting))}::text[]::numeric[],
			${rows.map(({ credited }) => String(credited))}::text[]::numeric[],
			${rows.map(({ disputed }) => String(disputed))}::text[]::numeric[],
			${rows.map(({ total }) => String(total))}::text[]::numeric[],
			${rows.map(({ lastAt }) => lastAt)}::bigint[],
			${rows.map(({ isPlain }) => String(isPlain))}::text[]::boolean[],
			${rows.map(({ hasNames }) => String(hasNames))}::text[]::boolean[]
		)
		on conflict (business, ledger, currency, exponent) do update set
			confirmed = excluded.confirmed, waiting = excluded.waiting,
			credited = excluded.credited, disputed = excluded.disputed, total = excluded.total,
			last_at = excluded.last_at, is_plain = excluded.is_plain, has_names = excluded.has_names`;
}
