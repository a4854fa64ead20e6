import type { CurrencySettings } from '#domain/currency.ts';
import { roundedQuotient, sumMinor } from '#domain/money.ts';
import { parseThousandths } from '#domain/quantity.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { grossMinor, type LineTax } from '#domain/tax.ts';
import { cashToGive } from './cash.ts';
import type { SaleLine } from './line.ts';
import type { Settlement } from './tender.ts';

/** The part of a finished sale that a return needs. */
export type SoldSale = { readonly lines: readonly SaleLine[] } & Pick<
	Settlement,
	'accountMinor' | 'cashKeptMinor' | 'cashRoundingMinor'
>;

/** What came back, or may still come back, of one line of a sale. */
export interface ReturnedLine {
	/** Position in the sale's lines, from 0. */
	readonly lineIndex: number;
	readonly quantityThousandths: number;
	readonly totalMinor: number;
	readonly tax: LineTax;
}

/** How a return is paid: `creditMinor` + `cashMinor` = its total + `cashRoundingMinor`. */
export interface Refund {
	/** Lowers the customer's debt. */
	readonly creditMinor: number;
	readonly cashMinor: number;
	readonly cashRoundingMinor: number;
}

export interface SaleReturn extends Refund {
	readonly lines: readonly ReturnedLine[];
	/** What the returned lines come to, with all taxes, before any cash rounding. */
	readonly totalMinor: number;
}

export interface ReturnWish {
	readonly lineIndex: number;
	readonly quantityThousandths: number;
}

export type RefundRefusal =
	| { readonly kind: 'quantityNotWhole' }
	| { readonly kind: 'quantityNotPositive' }
	| { readonly kind: 'moreThanLeft'; readonly leftThousandths: number };

export type ReturnRefusal =
	| { readonly kind: 'nothingReturned' }
	| { readonly kind: 'noSuchLine'; readonly lineIndex: number }
	| { readonly kind: 'lineTwice'; readonly lineIndex: number }
	| (RefundRefusal & { readonly lineIndex: number });

/** What may still be returned of each line of `sale` after the `earlier` returns, line by line. */
export function returnable(
	sale: SoldSale,
	earlier: readonly SaleReturn[]
): readonly ReturnedLine[] {
	return sale.lines.map((line, lineIndex) => {
		const returned = returnedOf(lineIndex, earlier);
		const quantity = sumOf(returned, (part) => part.quantityThousandths);
		return {
			lineIndex,
			quantityThousandths: Math.max(0, line.quantityThousandths - quantity),
			totalMinor: Math.max(0, line.totalMinor - sumOf(returned, (part) => part.totalMinor)),
			tax: taxLeft(line, returned)
		};
	});
}

/**
 * What comes back for `quantityThousandths` of `line`, of which `alreadyReturned` came back before.
 *
 * All that came back of a line is always the rounded share of its amount, so that no part is more
 * than a minor unit off and the last piece takes the rest. Taxes come back at the sale's rate, by
 * the same rule. Never more than is left, though two devices may have returned one piece apart.
 */
export function refundOf(
	line: SaleLine,
	quantityThousandths: number,
	alreadyReturned: readonly ReturnedLine[]
): Result<Omit<ReturnedLine, 'lineIndex'>, RefundRefusal> {
	const quantity = parseThousandths(quantityThousandths);
	const before = sumOf(alreadyReturned, (part) => part.quantityThousandths);
	const leftThousandths = Math.max(0, line.quantityThousandths - before);
	if (!quantity.ok && quantity.error === 'notWhole') return err({ kind: 'quantityNotWhole' });
	if (!quantity.ok && quantity.error === 'notPositive') return err({ kind: 'quantityNotPositive' });
	if (quantityThousandths > leftThousandths) return err({ kind: 'moreThanLeft', leftThousandths });

	const after = before + quantityThousandths;
	const whole = BigInt(line.quantityThousandths);
	const shareOf = (amount: number, already: number) => {
		const share = Number(roundedQuotient(BigInt(amount) * BigInt(after), whole));
		return Math.max(0, share - already);
	};
	return ok({
		quantityThousandths,
		totalMinor: shareOf(
			line.totalMinor,
			sumOf(alreadyReturned, (returned) => returned.totalMinor)
		),
		tax: taxOfPart(line.tax, alreadyReturned, shareOf)
	});
}

interface ReturnContext {
	readonly earlier: readonly SaleReturn[];
	readonly settings: CurrencySettings;
}

/**
 * Takes back `wishes` of `sale`, and says how they are paid: the part that was put on account is
 * credited first, the rest is cash by the cash step. The return that leaves nothing to return pays
 * out all that is left, so that any parts of a sale end at exactly zero.
 */
export function returnOf(
	sale: SoldSale,
	wishes: readonly ReturnWish[],
	{ earlier, settings }: ReturnContext
): Result<SaleReturn, ReturnRefusal> {
	if (wishes.length === 0) return err({ kind: 'nothingReturned' });
	const lines: ReturnedLine[] = [];
	for (const { lineIndex, quantityThousandths } of wishes) {
		const line = sale.lines[lineIndex];
		if (line === undefined) return err({ kind: 'noSuchLine', lineIndex });
		if (lines.some((other) => other.lineIndex === lineIndex))
			return err({ kind: 'lineTwice', lineIndex });

		const refund = refundOf(line, quantityThousandths, returnedOf(lineIndex, earlier));
		if (!refund.ok) return err({ ...refund.error, lineIndex });
		lines.push({ lineIndex, ...refund.value });
	}

	const totalMinor = sumOf(lines, ({ totalMinor, tax }) => grossMinor(totalMinor, tax));
	const refund = refundParts(sale, { lines, totalMinor, earlier }, settings);
	return ok({ lines, totalMinor, ...refund });
}

/** Pays a return without a receipt: all of it as a credit, or in cash by the cash step. */
export function refundWithoutReceipt(
	totalMinor: number,
	to: 'cash' | 'account',
	settings: CurrencySettings
): Refund {
	if (to === 'account') return { creditMinor: totalMinor, cashMinor: 0, cashRoundingMinor: 0 };
	const { cashMinor, roundingMinor } = cashToGive(totalMinor, settings);
	return { creditMinor: 0, cashMinor, cashRoundingMinor: roundingMinor };
}

interface ThisReturn {
	readonly lines: readonly ReturnedLine[];
	readonly totalMinor: number;
	readonly earlier: readonly SaleReturn[];
}

function refundParts(
	sale: SoldSale,
	{ lines, totalMinor, earlier }: ThisReturn,
	settings: CurrencySettings
): Refund {
	const credited = sumOf(earlier, (past) => past.creditMinor);
	const paidOut = sumOf(earlier, (past) => past.cashMinor);
	const creditLeft = Math.max(0, sale.accountMinor - credited);
	const cashLeft = Math.max(0, sale.cashKeptMinor - paidOut);

	const isLast = returnable(sale, earlier).every(
		({ lineIndex, quantityThousandths }) =>
			quantityThousandths ===
			(lines.find((line) => line.lineIndex === lineIndex)?.quantityThousandths ?? 0)
	);
	const creditMinor = Math.min(totalMinor, creditLeft);
	// Rounding all cash so far, rather than each part, keeps ten small parts from all rounding away.
	const exactSoFar =
		sumOf(earlier, (past) => past.totalMinor - past.creditMinor) + totalMinor - creditMinor;
	const due = Math.max(0, cashToGive(Math.max(0, exactSoFar), settings).cashMinor - paidOut);
	const cashMinor = isLast ? cashLeft : Math.min(due, cashLeft);
	return {
		creditMinor,
		cashMinor,
		cashRoundingMinor: creditMinor + cashMinor - totalMinor
	};
}

function returnedOf(lineIndex: number, earlier: readonly SaleReturn[]): readonly ReturnedLine[] {
	return earlier.flatMap((past) => past.lines.filter((line) => line.lineIndex === lineIndex));
}

/** Names cannot be twice on a line, so a part is known by its name. */
function amountReturned(returned: readonly ReturnedLine[], name: string): number {
	return sumOf(returned, ({ tax }) =>
		tax.mode === 'none' ? 0 : (tax.parts.find((c) => c.name === name)?.minor ?? 0)
	);
}

function taxOfPart(
	tax: LineTax,
	returned: readonly ReturnedLine[],
	shareOf: (amount: number, already: number) => number
): LineTax {
	if (tax.mode === 'none') return tax;
	const parts = tax.parts.map((part) => ({
		...part,
		minor: shareOf(part.minor, amountReturned(returned, part.name))
	}));
	return { ...tax, parts };
}

function taxLeft(line: SaleLine, returned: readonly ReturnedLine[]): LineTax {
	return taxOfPart(line.tax, returned, (amount, already) => Math.max(0, amount - already));
}

function sumOf<T>(parts: readonly T[], amountOf: (part: T) => number): number {
	return Number(sumMinor(parts.map(amountOf)));
}
