import { assert } from '#domain/assert.ts';
import type { CurrencySettings } from '#domain/currency.ts';
import { AMOUNT_MINOR_MAX } from '#domain/money.ts';

/** What is paid or given in cash for an exact sum, and the difference that makes. */
export interface CashSum {
	/** What changes hands: a multiple of the cash step. */
	readonly cashMinor: number;
	/** `cashMinor` less the exact sum: the document's own line, never tax base, never a debt. */
	readonly roundingMinor: number;
}

/**
 * What is to be paid in cash for `exactMinor`, by the step and mode of the currency. What is not
 * nothing costs at least one step: no cart is free because its price is below the smallest coin.
 */
export function cashToPay(exactMinor: number, settings: CurrencySettings): CashSum {
	const cashMinor =
		exactMinor === 0 ? 0 : Math.max(toStep(exactMinor, settings), settings.cashStepMinor);
	return { cashMinor, roundingMinor: cashMinor - exactMinor };
}

/** What is given back in cash for `exactMinor`, by the step and mode of the currency. */
export function cashToGive(exactMinor: number, settings: CurrencySettings): CashSum {
	const cashMinor = toStep(exactMinor, settings);
	return { cashMinor, roundingMinor: cashMinor - exactMinor };
}

/**
 * The sums that a customer is likely to hand over for `exactMinor`: what is due, then up to three
 * rounder ones, rising. One of them is one tap. Nothing for nothing.
 *
 * Rounder means the next multiple of half a power of ten and of the power of ten just below the
 * sum, and the next notes and coins, which come as 1, 2, 5 (in Iraq as 1, 2½, 5) of each power.
 */
export function quickCash(exactMinor: number, settings: CurrencySettings): readonly number[] {
	if (exactMinor === 0) return [];
	const due = cashToPay(exactMinor, settings).cashMinor;
	const unit = 10 ** settings.exponent;
	const power = unit * 10 ** Math.max(0, String(Math.floor(due / unit)).length - 1);

	const multiples = [power / 2, power]
		.filter((step) => step >= unit)
		.map((step) => Math.ceil(due / step) * step);
	const faces = settings.currency === 'IQD' ? [10, 25, 50] : [10, 20, 50];
	const notes = [1, 10, 100].flatMap((times) => faces.map((face) => (face * times * power) / 10));

	const rounder = [...multiples, ...notes].filter((sum) => sum > due && isPayable(sum, settings));
	return [due, ...[...new Set(rounder)].sort((a, b) => a - b).slice(0, 3)];
}

function isPayable(sum: number, { cashStepMinor }: CurrencySettings): boolean {
	return Number.isSafeInteger(sum) && sum % cashStepMinor === 0 && sum <= AMOUNT_MINOR_MAX;
}

/** The multiple of the cash step by the mode of the currency; a half goes up. */
function toStep(exactMinor: number, { cashStepMinor, cashRounding }: CurrencySettings): number {
	assert(Number.isSafeInteger(exactMinor) && exactMinor >= 0, 'cash of less than nothing');
	assert(Number.isSafeInteger(cashStepMinor) && cashStepMinor > 0, 'no cash step');
	const over = exactMinor % cashStepMinor;
	const isUp =
		cashRounding === 'up' ? over > 0 : cashRounding === 'nearest' && 2 * over >= cashStepMinor;
	return exactMinor - over + (isUp ? cashStepMinor : 0);
}
