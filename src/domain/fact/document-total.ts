import type { FactTender, SaleFact, SoldLine } from './fact.ts';

/** What a sale's or a return's lines come to, minor units: with taxes on top, before cash rounding. */
export function documentTotalMinor({ lines }: SoldDocument): bigint {
	const onTop = lines.flatMap(({ tax }) => (tax?.side === 'ex' ? tax.parts : []));
	return sumOf(lines, ({ totalMinor }) => totalMinor) + sumOf(onTop, ({ minor }) => minor);
}

/** What there is to pay or to pay back: the total with its cash rounding. */
export function toPayMinor(document: SoldDocument): bigint {
	return documentTotalMinor(document) + BigInt(document.roundingMinor ?? 0);
}

/** What went back over the counter: all that was handed over, less what there was to pay. */
export function changeMinor(sale: Pick<SaleFact, 'tenders'> & SoldDocument): bigint {
	return sumOf(sale.tenders, ({ minor }) => minor) - toPayMinor(sale);
}

/** What the totals of a sale and of a return are made of. */
export interface SoldDocument {
	readonly lines: readonly SoldLine[];
	readonly roundingMinor?: number;
}

export function sumOfKind(tenders: readonly FactTender[], kind: FactTender['kind']): bigint {
	return sumOf(
		tenders.filter((tender) => tender.kind === kind),
		({ minor }) => minor
	);
}

export function sumOf<T>(rows: readonly T[], amountOf: (row: T) => number): bigint {
	return rows.reduce((sum, row) => sum + BigInt(amountOf(row)), 0n);
}
