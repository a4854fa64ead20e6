import type { FactTender, SoldLine, TaxSide } from '#domain/fact/fact.ts';
import type { RestItem } from '#domain/confirmation/rest.ts';
import type { SaleLine } from '#domain/sale/line.ts';
import { parseProductId, type ProductId } from '#domain/ids.ts';
import type { LineTax } from '#domain/tax.ts';
import { cleanName } from '#domain/text.ts';
import { err, ok, type Result } from '#domain/result.ts';

/** Two taxes differ by what their price holds; a fact names one side for all its lines. */
export function taxSideOf(
	lines: readonly { readonly tax: LineTax }[]
): TaxSide | undefined | 'mixed' {
	const modes = new Set(lines.map(({ tax }) => tax.mode).filter((mode) => mode !== 'none'));
	if (modes.size > 1) return 'mixed';
	if (modes.size === 0) return undefined;
	return modes.has('inclusive') ? 'in' : 'ex';
}

/** A line as the domain counts it, in the form of a fact. */
export function soldLine(
	line: Omit<SaleLine, 'productId'> & { productId: ProductId | null }
): SoldLine {
	const { productId, name, quantityThousandths, unitPriceMinor, totalMinor, tax } = line;
	const bare = { productId, name, quantityThousandths, unitPriceMinor, totalMinor };
	if (tax.mode === 'none') return bare;
	const parts = tax.parts.map(({ name: of, ratePpm, minor }) => ({ name: of, ratePpm, minor }));
	return { ...bare, tax: { taxClass: tax.taxClass, parts } };
}

/** A line of a fact, as the domain counts it. */
export function saleLine(line: SoldLine, side: TaxSide | undefined): SaleLine {
	const { productId, name, quantityThousandths, unitPriceMinor, totalMinor } = line;
	return {
		...(productId !== null && { productId }),
		name,
		quantityThousandths,
		unitPriceMinor,
		totalMinor,
		tax: lineTax(line, side)
	};
}

export function lineTax({ tax }: SoldLine, side: TaxSide | undefined): LineTax {
	if (tax === undefined || side === undefined) return { mode: 'none' };
	return {
		mode: side === 'in' ? 'inclusive' : 'exclusive',
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
