import type { Sql } from 'postgres';
import { addDayTotals, DAY_ZERO, type DayTotals } from '#domain/fact/effects.ts';
import type { Effected } from './effected.ts';

/** PROJ-2. Adds what moved to the level of each product in its branch. */
export async function projectStock(sql: Sql, facts: readonly Effected[]): Promise<void> {
	const sums = new Map<
		string,
		{ business: string; branch: string; product: string; sum: bigint }
	>();
	for (const { business, branch, effects } of facts) {
		for (const { productId, deltaThousandths } of effects.stock) {
			const key = `${business} ${branch} ${productId}`;
			const sum = (sums.get(key)?.sum ?? 0n) + BigInt(deltaThousandths);
			sums.set(key, { business, branch, product: productId, sum });
		}
	}
	const rows = Array.from(sums.values());
	if (rows.length === 0) return;
	// Drizzle shares the pool and leaves numeric[] parameters as they are, so sums go as text[].
	await sql`
		insert into stock (business, branch, product, thousandths)
		select * from unnest(
			${rows.map(({ business }) => business)}::uuid[],
			${rows.map(({ branch }) => branch)}::uuid[],
			${rows.map(({ product }) => product)}::text[],
			${rows.map(({ sum }) => String(sum))}::text[]::numeric[]
		)
		on conflict (business, branch, product)
		do update set thousandths = stock.thousandths + excluded.thousandths`;
}

/** PROJ-3. Adds what moved to the totals of each branch's business day. */
export async function projectDays(sql: Sql, facts: readonly Effected[]): Promise<void> {
	const sums = new Map<string, DayRow>();
	for (const { business, branch, fact, effects } of facts) {
		if (effects.day === null) continue;
		const key = `${business} ${branch} ${fact.on}`;
		const totals = addDayTotals(sums.get(key)?.totals ?? DAY_ZERO, effects.day);
		sums.set(key, { business, branch, on: fact.on, totals });
	}
	const rows = Array.from(sums.values());
	if (rows.length > 0) await addDays(sql, rows);
}

interface DayRow {
	readonly business: string;
	readonly branch: string;
	readonly on: string;
	readonly totals: DayTotals;
}

async function addDays(sql: Sql, rows: readonly DayRow[]): Promise<void> {
	const column = (name: keyof DayTotals): string[] =>
		rows.map(({ totals }) => String(totals[name]));
	await sql`
		insert into day_total as held (business, branch, on_day, sales_count, sales_minor,
			returns_count, returns_minor, cash_in_minor, cash_out_minor, account_minor,
			account_back_minor, gave_minor, got_minor)
		select * from unnest(
			${rows.map(({ business }) => business)}::uuid[],
			${rows.map(({ branch }) => branch)}::uuid[],
			${rows.map(({ on }) => on)}::text[]::date[],
			${column('salesCount')}::text[]::numeric[], ${column('salesMinor')}::text[]::numeric[],
			${column('returnsCount')}::text[]::numeric[], ${column('returnsMinor')}::text[]::numeric[],
			${column('cashInMinor')}::text[]::numeric[], ${column('cashOutMinor')}::text[]::numeric[],
			${column('accountMinor')}::text[]::numeric[], ${column('accountBackMinor')}::text[]::numeric[],
			${column('gaveMinor')}::text[]::numeric[], ${column('gotMinor')}::text[]::numeric[]
		)
		on conflict (business, branch, on_day) do update set
			sales_count = held.sales_count + excluded.sales_count,
			sales_minor = held.sales_minor + excluded.sales_minor,
			returns_count = held.returns_count + excluded.returns_count,
			returns_minor = held.returns_minor + excluded.returns_minor,
			cash_in_minor = held.cash_in_minor + excluded.cash_in_minor,
			cash_out_minor = held.cash_out_minor + excluded.cash_out_minor,
			account_minor = held.account_minor + excluded.account_minor,
			account_back_minor = held.account_back_minor + excluded.account_back_minor,
			gave_minor = held.gave_minor + excluded.gave_minor,
			got_minor = held.got_minor + excluded.got_minor`;
}
