import type { Sql } from 'postgres';
import { changeMinor, documentTotalMinor } from '#domain/fact/document-total.ts';
import type { FactTender, ReturnedLine, ReturnFact, SaleFact, SoldTax } from '#domain/fact/fact.ts';
import { firstName } from '#domain/fact/issued-again.ts';
import { parseFactId, receiptNumber } from '#domain/ids.ts';
import type { FactToProject } from './effected.ts';

interface Placed<F> {
	readonly business: string;
	readonly branch: string;
	readonly fact: F;
}

/** PROJ-4. Sales and returns with their lines and tenders, as they were written. */
export async function projectReceipts(sql: Sql, facts: readonly FactToProject[]): Promise<void> {
	const sales = facts.flatMap(({ business, branch, fact }) =>
		fact.kind === 'sale' ? [{ business, branch, fact }] : []
	);
	const returns = facts.flatMap(({ business, branch, fact }) =>
		fact.kind === 'return' ? [{ business, branch, fact }] : []
	);
	await Promise.all([
		insertSales(sql, sales),
		insertReturns(sql, returns),
		insertReturnLines(sql, returns.flatMap(linesOf)),
		insertTenders(sql, [
			...sales.flatMap((sale) => tendersOf(sale, sale.fact.tenders)),
			...returns.flatMap((each) => tendersOf(each, each.fact.refunds))
		])
	]);
}

/** With their lines, so that each sale is named once: a till's day is made of these. */
async function insertSales(sql: Sql, sales: readonly Placed<SaleFact>[]): Promise<void> {
	if (sales.length === 0) return;
	const lines = sales.flatMap(({ fact }, at) =>
		fact.lines.map((line, row) => ({ at: at + 1, row, line }))
	);
	await sql`
		with named as materialized (
			select ${sales.map(({ business }) => business)}::uuid[] as businesses,
				${sales.map(({ fact }) => fact.code)}::text[] as codes,
				${sales.map(({ fact }) => fact.n)}::bigint[] as ns
		), added_line as (
			insert into sale_line (business, code, n, line, product, name, quantity_thousandths,
				unit_price_minor, total_minor, tax)
			select businesses[at], codes[at], ns[at], line, product, name, quantity, unit_price, total,
				tax::jsonb
			from named, unnest(
				${lines.map(({ at }) => at)}::int[],
				${lines.map(({ row }) => row)}::int[],
				${lines.map(({ line }) => line.productId)}::text[],
				${lines.map(({ line }) => line.name)}::text[],
				${lines.map(({ line }) => line.quantityThousandths)}::bigint[],
				${lines.map(({ line }) => line.unitPriceMinor)}::bigint[],
				${lines.map(({ line }) => line.totalMinor)}::bigint[],
				${lines.map(({ line }) => encodeTax(line.tax))}::text[]
			) as given (at, line, product, name, quantity, unit_price, total, tax)
		)
		insert into sale (business, code, n, branch, on_day, happened_at, member, receipt, total_minor,
			rounding_minor, change_minor)
		select given.* from named, unnest(businesses, codes, ns,
			${sales.map(({ branch }) => branch)}::uuid[],
			${sales.map(({ fact }) => fact.on)}::text[]::date[],
			${sales.map(({ fact }) => fact.at.wall)}::bigint[],
			${sales.map(({ fact }) => fact.by)}::int[],
			${sales.map(({ fact }) => receiptNumber(firstName(fact).code, fact.receipt))}::text[],
			${sales.map(({ fact }) => String(documentTotalMinor(fact)))}::bigint[],
			${sales.map(({ fact }) => fact.roundingMinor ?? 0)}::bigint[],
			${sales.map(({ fact }) => String(changeMinor(fact)))}::bigint[]
		) as given (business, code, n, branch, on_day, happened_at, member, receipt, total_minor,
			rounding_minor, change_minor)`;
}

async function insertReturns(sql: Sql, returns: readonly Placed<ReturnFact>[]): Promise<void> {
	const soldBy = returns.map(({ fact }) => {
		const sale = parseFactId(fact.saleId);
		return sale.ok ? sale.value : { code: null, n: null };
	});
	await sql`
		insert into sale_return (business, code, n, branch, on_day, happened_at, member, receipt,
			total_minor, rounding_minor, sale_code, sale_n)
		select * from unnest(
			${returns.map(({ business }) => business)}::uuid[],
			${returns.map(({ fact }) => fact.code)}::text[],
			${returns.map(({ fact }) => fact.n)}::bigint[],
			${returns.map(({ branch }) => branch)}::uuid[],
			${returns.map(({ fact }) => fact.on)}::text[]::date[],
			${returns.map(({ fact }) => fact.at.wall)}::bigint[],
			${returns.map(({ fact }) => fact.by)}::int[],
			${returns.map(({ fact }) => receiptNumber(firstName(fact).code, fact.receipt))}::text[],
			${returns.map(({ fact }) => String(documentTotalMinor(fact)))}::bigint[],
			${returns.map(({ fact }) => fact.roundingMinor ?? 0)}::bigint[],
			${soldBy.map(({ code }) => code)}::text[],
			${soldBy.map(({ n }) => n)}::bigint[]
		)`;
}

interface PlacedLine {
	readonly business: string;
	readonly code: string;
	readonly n: number;
	readonly at: number;
	readonly line: ReturnedLine;
}

function linesOf({
	business,
	fact: { code, n, lines }
}: Placed<ReturnFact>): readonly PlacedLine[] {
	return lines.map((line, at) => ({ business, code, n, at, line }));
}

async function insertReturnLines(sql: Sql, rows: readonly PlacedLine[]): Promise<void> {
	if (rows.length === 0) return;
	await sql`
		insert into return_line (business, code, n, line, product, name, quantity_thousandths,
			unit_price_minor, total_minor, tax, sale_line, is_damaged)
		select business, code, n, line, product, name, quantity, unit_price, total, tax::jsonb,
			sale_line, is_damaged
		from unnest(
			${rows.map(({ business }) => business)}::uuid[],
			${rows.map(({ code }) => code)}::text[],
			${rows.map(({ n }) => n)}::bigint[],
			${rows.map(({ at }) => at)}::int[],
			${rows.map(({ line }) => line.productId)}::text[],
			${rows.map(({ line }) => line.name)}::text[],
			${rows.map(({ line }) => line.quantityThousandths)}::bigint[],
			${rows.map(({ line }) => line.unitPriceMinor)}::bigint[],
			${rows.map(({ line }) => line.totalMinor)}::bigint[],
			${rows.map(({ line }) => encodeTax(line.tax))}::text[],
			${rows.map(({ line }) => line.saleLine)}::int[],
			${rows.map(({ line }) => String(line.isDamaged))}::text[]::boolean[]
		) as given (business, code, n, line, product, name, quantity, unit_price, total, tax,
			sale_line, is_damaged)`;
}

interface PlacedTender {
	readonly business: string;
	readonly code: string;
	readonly n: number;
	readonly row: number;
	readonly tender: FactTender;
}

function tendersOf(
	{ business, fact }: Placed<SaleFact | ReturnFact>,
	tenders: readonly FactTender[]
): readonly PlacedTender[] {
	const { code, n } = fact;
	return tenders.map((tender, row) => ({ business, code, n, row, tender }));
}

async function insertTenders(sql: Sql, rows: readonly PlacedTender[]): Promise<void> {
	if (rows.length === 0) return;
	await sql`
		insert into tender (business, code, n, row, kind, minor)
		select * from unnest(
			${rows.map(({ business }) => business)}::uuid[],
			${rows.map(({ code }) => code)}::text[],
			${rows.map(({ n }) => n)}::bigint[],
			${rows.map(({ row }) => row)}::int[],
			${rows.map(({ tender }) => tender.kind)}::text[],
			${rows.map(({ tender }) => tender.minor)}::bigint[]
		)`;
}

function encodeTax(tax: SoldTax | undefined): string | null {
	if (tax === undefined) return null;
	const parts = tax.parts.map(({ name, ratePpm, minor }) => [name, ratePpm, minor]);
	return JSON.stringify([tax.side, tax.taxClass, parts]);
}
