import { currencyKey } from '#domain/confirmation/currency-key.ts';
import { pageSide } from '#domain/confirmation/record-kind.ts';
import type { LedgerId } from '#domain/ids.ts';
import type { StoreReader } from '#storage/device-store.ts';
import { moneyOf, sumsIn } from './customer-index.ts';
import { readPageCards, type PageParts } from './ledger-page.ts';
import type { StatementPeriod, StatementView, ThreadRecord } from './ledger-views.ts';

/**
 * A customer's page for a period: what stood before it, each record, what stands after it. BOOK-19. None
 * while older records are on their way: it would say less than is owed.
 */
export async function readStatement(
	rows: StoreReader,
	ledger: LedgerId,
	{ period, ...parts }: PageParts & { readonly period: StatementPeriod }
): Promise<StatementView | undefined> {
	const page = await readPageCards(rows, ledger, parts);
	if (page === undefined || page.cards.some(({ base }) => base !== undefined)) return undefined;
	const money = moneyOf(period.currency, page.day);
	const key = currencyKey(money);
	const records = page.records
		.filter((record) => currencyKey(record) === key && record.kind !== 'statement')
		.toSorted(byDay);
	const before = records.filter(({ on }) => on < period.from);
	const inside = records.filter(({ on }) => on >= period.from && on <= period.to);
	const openingMinor = sumOf(before);
	let balance = openingMinor;
	const lines = inside.map((record) => {
		balance += record.effectMinor;
		return { record, balanceMinor: balance };
	});
	const sums = sumsIn(page.tally, money);
	return {
		...money,
		from: period.from,
		to: period.to,
		openingMinor,
		rows: lines,
		closingMinor: balance,
		tookMinor: sumOf(inside.filter(({ kind }) => pageSide(kind) === 'took')),
		paidMinor: -sumOf(inside.filter(({ kind }) => pageSide(kind) === 'paid')),
		notYetAgreedMinor: sums?.notYetAgreedMinor ?? 0n,
		disputedMinor: sums?.disputedMinor ?? 0n
	};
}

function sumOf(records: readonly ThreadRecord[]): bigint {
	return records.reduce((sum, { effectMinor }) => sum + effectMinor, 0n);
}

/** By business day, then as it happened. */
function byDay(a: ThreadRecord, b: ThreadRecord): number {
	if (a.on !== b.on) return a.on < b.on ? -1 : 1;
	return a.at - b.at || (a.h < b.h ? -1 : 1);
}
