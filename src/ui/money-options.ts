import { currencyKey, type CurrencyKey } from '#domain/confirmation/currency-key.ts';

/** Code and exponent together are the currency. */
interface InCurrency {
	readonly currency: string;
	readonly exponent: number;
}

/**
 * CHOICE-1. Moneys to choose from, each under a name of its own: what a shop signs may name one code with several
 * exponents, and two rows of one name end the page.
 */
export function moneyOptions(
	moneys: readonly InCurrency[]
): readonly { readonly value: CurrencyKey; readonly word: string }[] {
	return moneys.map((money) => {
		const isShared = moneys.some(
			(other) => other.currency === money.currency && other.exponent !== money.exponent
		);
		const value = currencyKey(money);
		return { value, word: isShared ? value : money.currency };
	});
}
