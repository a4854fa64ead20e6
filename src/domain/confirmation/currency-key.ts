/** Code and exponent together, such as `BDT/2`. */
export type CurrencyKey = string & { readonly __brand: 'CurrencyKey' };

export function currencyKey(of: {
	readonly currency: string;
	readonly exponent: number;
}): CurrencyKey {
	return `${of.currency}/${String(of.exponent)}` as CurrencyKey;
}
