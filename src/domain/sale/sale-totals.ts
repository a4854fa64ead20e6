import { AMOUNT_MINOR_MAX, sumMinor } from '#domain/money.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { netMinor, taxMinor, type LineTax, type TaxPart } from '#domain/tax.ts';

/** What a document comes to, in minor units: `netMinor` + `taxMinor` = `totalMinor`. */
export interface SaleTotals {
	readonly netMinor: number;
	readonly taxMinor: number;
	/** What the customer owes, with all taxes, before any cash rounding. */
	readonly totalMinor: number;
	/** Each tax of the document once, in the order in which the lines name them. */
	readonly taxes: readonly TaxPart[];
}

/** The part of a sale line, or of a returned one, that counts. */
export interface CountedLine {
	readonly totalMinor: number;
	readonly tax: LineTax;
}

/** Adds up the lines of one document. Refuses a total above `AMOUNT_MINOR_MAX`. */
export function saleTotals(lines: readonly CountedLine[]): Result<SaleTotals, 'tooLarge'> {
	const net = sumMinor(lines.map((line) => netMinor(line.totalMinor, line.tax)));
	const tax = sumMinor(lines.map((line) => taxMinor(line.tax)));
	if (net + tax > AMOUNT_MINOR_MAX) return err('tooLarge');
	return ok({
		netMinor: Number(net),
		taxMinor: Number(tax),
		totalMinor: Number(net + tax),
		taxes: taxesOf(lines)
	});
}

function taxesOf(lines: readonly CountedLine[]): readonly TaxPart[] {
	const taxes = new Map<string, TaxPart>();
	for (const part of lines.flatMap(({ tax }) => (tax.mode === 'none' ? [] : tax.parts))) {
		const key = JSON.stringify([part.name, part.ratePpm]);
		const minor = part.minor + (taxes.get(key)?.minor ?? 0);
		taxes.set(key, { ...part, minor });
	}
	return Array.from(taxes.values());
}
