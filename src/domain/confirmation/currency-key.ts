/** Code and exponent together, such as `BDT/2`. */
export type CurrencyKey = string & { readonly __brand: 'CurrencyKey' };

/** What may be added up bears one key. A module of its own: the till asks for it, and folds no ledgers. */
export function currencyKey(of: {
	readonly currency: string;
	readonly exponent: number;
}): CurrencyKey {
	return `${of.currency}/${String(of.exponent)}` as CurrencyKey;
}
