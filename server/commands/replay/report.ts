import type { Figures } from './shop-rows.ts';
import type { LineCounts } from './lines.ts';
import type { Judgement } from './judgement.ts';
import type { Totals } from './totals.ts';
import type { SkippedRow, SkipReason } from './trade-rules.ts';

/** The result of a replay: the last line of its output, in JSON. */
export interface ReplayReport {
	/** Invoices. */
	readonly sales: number;
	readonly returns: number;
	/** Rows. */
	readonly adjustments: number;
	readonly saleLines: number;
	readonly returnLines: number;
	readonly salesMinor: number;
	readonly returnsMinor: number;
	readonly products: number;
	readonly customers: number;
	readonly balanceMinor: number;
	readonly stockUnits: number;
	/** Rows that are no part of the trade, by reason. */
	readonly skipped: Readonly<Partial<Record<SkipReason, number>>>;
	readonly devicesAgree: boolean;
	readonly databaseAgrees: boolean;
	readonly seconds: number;
}

export interface ReportParts {
	readonly totals: Totals;
	/** Of the first device's tables. */
	readonly figures: Figures;
	readonly lines: LineCounts;
	readonly skipped: readonly SkippedRow[];
	readonly judgement: Judgement;
	readonly seconds: number;
}

/** Puts the result together: the devices' numbers, and from the file only how many invoices. */
export function reportOf(parts: ReportParts): ReplayReport {
	const { totals, figures, lines, skipped, judgement, seconds } = parts;
	return {
		// A device counts receipts, and an invoice may have become two.
		sales: totals.sales,
		returns: totals.returns,
		adjustments: lines.adjustments,
		saleLines: lines.saleLines,
		returnLines: lines.returnLines,
		salesMinor: Number(figures.salesMinor),
		returnsMinor: Number(figures.returnsMinor),
		products: figures.products,
		customers: figures.customers,
		balanceMinor: Number(figures.balanceMinor),
		stockUnits: Number(figures.stockThousandths) / 1_000,
		skipped: countByReason(skipped),
		devicesAgree: judgement.devicesAgree,
		databaseAgrees: judgement.databaseAgrees,
		seconds
	};
}

function countByReason(skipped: readonly SkippedRow[]): ReplayReport['skipped'] {
	const counts: Partial<Record<SkipReason, number>> = {};
	for (const { reason } of skipped) counts[reason] = (counts[reason] ?? 0) + 1;
	return counts;
}
