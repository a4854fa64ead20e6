import type { FactTender, SaleFact, SoldLine } from './fact.ts';

/** What a sale's or a return's lines come to, minor units: with taxes on top, before cash rounding. */
export function documentTotalMinor({ lines }: SoldDocument): bigint {
	const total = sumOf(lines, ({ totalMinor }) => totalMinor);
	if (!lines.some(isTaxOnTop)) return total;
	const onTop = lines.flatMap(({ tax }) => (tax?.side === 'ex' ? tax.parts : []));
	return total + sumOf(onTop, ({ minor }) => minor);
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

/** Of whole numbers that count exactly, as long as the sum does; then in `bigint`. */
export function sumOf<T>(rows: readonly T[], amountOf: (row: T) => number): bigint {
	let beyond = 0n;
	let sum = 0;
	for (const row of rows) {
		const amount = amountOf(row);
		if (Number.isSafeInteger(sum + amount)) sum += amount;
		else {
			beyond += BigInt(sum);
			sum = amount;
		}
	}
	return beyond + BigInt(sum);
}

function isTaxOnTop({ tax }: SoldLine): boolean {
	return tax?.side === 'ex';
}
