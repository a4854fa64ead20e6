import type { FactTender, SoldLine } from '#domain/fact/fact.ts';
import type { RestItem } from '#domain/confirmation/rest.ts';
import type { SaleLine } from '#domain/sale/line.ts';
import { parseProductId, type ProductId } from '#domain/ids.ts';
import type { LineTax } from '#domain/tax.ts';
import { cleanName } from '#domain/text.ts';
import { err, ok, type Result } from '#domain/result.ts';

/** A line as the domain counts it, in the form of a fact. */
export function soldLine(
	line: Omit<SaleLine, 'productId'> & { productId: ProductId | null }
): SoldLine {
	const { productId, name, quantityThousandths, unitPriceMinor, totalMinor, tax } = line;
	const bare = { productId, name, quantityThousandths, unitPriceMinor, totalMinor };
	if (tax.mode === 'none') return bare;
	const parts = tax.parts.map(({ name: of, ratePpm, minor }) => ({ name: of, ratePpm, minor }));
	const side = tax.mode === 'inclusive' ? 'in' : 'ex';
	return { ...bare, tax: { side, taxClass: tax.taxClass, parts } };
}

/** A line of a fact, as the domain counts it. */
export function saleLine(line: SoldLine): SaleLine {
	const { productId, name, quantityThousandths, unitPriceMinor, totalMinor } = line;
	return {
		...(productId !== null && { productId }),
		name,
		quantityThousandths,
		unitPriceMinor,
		totalMinor,
		tax: lineTax(line)
	};
}

export function lineTax({ tax }: SoldLine): LineTax {
	if (tax === undefined) return { mode: 'none' };
	return {
		mode: tax.side === 'in' ? 'inclusive' : 'exclusive',
		taxClass: tax.taxClass,
		parts: tax.parts
	};
}

/** The name of a line, cleaned; an amount without a product may have none. */
export function lineName(name: string): Result<string, 'tooLong'> {
	const clean = cleanName(name, LINE_NAME_MAX);
	if (clean.ok) return clean;
	return clean.error === 'empty' ? ok('') : err('tooLong');
}

/** A product that a draft names; no product and one that is no id are the same: the amount counts. */
export function lineProduct(productId: string | undefined): ProductId | null {
	const parsed = parseProductId(productId);
	return parsed.ok ? parsed.value : null;
}

export function itemsOf(lines: readonly SoldLine[]): readonly RestItem[] {
	return lines.map((line) => [line.name, line.quantityThousandths, line.unitPriceMinor]);
}

export function tendersOf(cashMinor: number, accountMinor: number): readonly FactTender[] {
	const tenders: FactTender[] = [];
	if (cashMinor > 0) tenders.push({ kind: 'cash', minor: cashMinor });
	if (accountMinor > 0) tenders.push({ kind: 'account', minor: accountMinor });
	return tenders;
}

/** Code points: half of what a fact allows in UTF-16 units. */
const LINE_NAME_MAX = 100;
