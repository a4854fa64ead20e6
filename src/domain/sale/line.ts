import { AMOUNT_MINOR_MAX, timesQuantity } from '#domain/money.ts';
import { parseThousandths } from '#domain/quantity.ts';
import { err, ok, type Result } from '#domain/result.ts';
import {
	parseTaxTerms,
	taxOf,
	type LineTax,
	type TaxBase,
	type TaxRounding,
	type TaxTerms
} from '#domain/tax.ts';

/** What the cashier puts into the cart. A line without a product is an amount-only sale. */
export interface LineDraft {
	readonly productId?: string;
	readonly name: string;
	readonly quantityThousandths: number;
	/** The price of one unit, with its taxes where the terms are inclusive. */
	readonly unitPriceMinor: number;
	readonly taxTerms: TaxTerms;
}

/** One thing sold, as every receipt, report, export and refund reads it. */
export interface SaleLine {
	readonly productId?: string;
	readonly name: string;
	readonly quantityThousandths: number;
	readonly unitPriceMinor: number;
	/** Price × quantity, rounded once; without the taxes that come on top. */
	readonly totalMinor: number;
	readonly tax: LineTax;
}

/** Why a line is not taken, in the order in which it is asked. */
export type LineRefusal =
	| 'priceNotWhole'
	| 'priceNegative'
	| 'priceTooLarge'
	| 'quantityNotWhole'
	| 'quantityNotPositive'
	| 'quantityTooLarge'
	| 'totalTooLarge'
	| 'wrongTaxTerms';

export type CartRefusal =
	| { readonly kind: 'noLines' }
	| { readonly kind: 'tooManyLines'; readonly linesMax: number }
	| { readonly kind: LineRefusal; readonly lineIndex: number };

/** The longest invoice of a real wholesaler that was measured had 705 lines. */
export const SALE_LINES_MAX = 1_000;

const QUANTITY_REFUSALS = {
	notWhole: 'quantityNotWhole',
	notPositive: 'quantityNotPositive',
	tooLarge: 'quantityTooLarge'
} as const;

/**
 * Prices and taxes the lines of one document: each total is rounded once, and stored. Zero-price
 * lines are lines. Refuses an empty cart, too long a one, and the first line that is wrong.
 */
export function ringUp(
	drafts: readonly LineDraft[],
	rounding: TaxRounding
): Result<readonly SaleLine[], CartRefusal> {
	if (drafts.length === 0) return err({ kind: 'noLines' });
	if (drafts.length > SALE_LINES_MAX)
		return err({ kind: 'tooManyLines', linesMax: SALE_LINES_MAX });

	const bases: TaxBase[] = [];
	for (const [lineIndex, draft] of drafts.entries()) {
		const total = lineTotal(draft);
		if (!total.ok) return err({ kind: total.error, lineIndex });
		bases.push({ totalMinor: total.value, terms: draft.taxTerms });
	}

	const taxes = taxOf(bases, rounding);
	return ok(
		drafts.map((draft, index) =>
			soldLine(draft, bases[index]?.totalMinor ?? 0, taxes[index] ?? { mode: 'none' })
		)
	);
}

function soldLine(draft: LineDraft, totalMinor: number, tax: LineTax): SaleLine {
	const { productId, name, quantityThousandths, unitPriceMinor } = draft;
	const line = { name, quantityThousandths, unitPriceMinor, totalMinor, tax };
	return productId === undefined ? line : { productId, ...line };
}

/** Price × quantity of one line in minor units, rounded once; refuses what no line may be. */
export function lineTotal(draft: LineDraft): Result<number, LineRefusal> {
	const { unitPriceMinor, quantityThousandths, taxTerms } = draft;
	if (!Number.isSafeInteger(unitPriceMinor)) return err('priceNotWhole');
	if (unitPriceMinor < 0) return err('priceNegative');
	if (unitPriceMinor > AMOUNT_MINOR_MAX) return err('priceTooLarge');

	const quantity = parseThousandths(quantityThousandths);
	if (!quantity.ok) return err(QUANTITY_REFUSALS[quantity.error]);
	const total = timesQuantity(unitPriceMinor, quantity.value);
	if (!total.ok) return err('totalTooLarge');
	return parseTaxTerms(taxTerms).ok ? total : err('wrongTaxTerms');
}
