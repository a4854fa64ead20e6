import { currencySettings, parseCurrency } from '#domain/currency.ts';
import type { MoneyForm } from '#ui/figures.ts';

/** How money of an invite is written, which names its code alone; undefined where nobody knows it. */
export function invitedMoney(code: string): MoneyForm | undefined {
	const currency = parseCurrency(code);
	if (!currency.ok) return undefined;
	const { exponent, shownDecimals } = currencySettings(currency.value);
	return { currency: currency.value, exponent, shownDecimals };
}
