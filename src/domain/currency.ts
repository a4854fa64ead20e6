import { err, ok, type Result } from './result.ts';

/** ISO 4217 code, such as `INR`. Made only by `parseCurrency`. */
export type Currency = string & { readonly __brand: 'Currency' };

/** What a business settles for one of its currencies. Steps are minor units of the currency. */
export interface CurrencySettings {
	readonly currency: Currency;
	/** Decimals of the minor unit: 0, 2, 3 or 4. Every stored amount is counted in it. */
	readonly exponent: number;
	/** Decimals that people see and type; never more than `exponent`. */
	readonly shownDecimals: number;
	/** The smallest sum that can be paid in cash. */
	readonly cashStepMinor: number;
	readonly cashRounding: CashRounding;
}

export type CashRounding = 'nearest' | 'down' | 'up';

/**
 * The codes of ISO 4217 in use that have a minor unit, by its exponent; metals, test codes and
 * drawing rights have none. Source: the list of SIX, the maintenance agency, without withdrawals.
 */
const CODES_BY_EXPONENT: readonly (readonly [exponent: number, codes: string])[] = [
	[
		2,
		'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD ' +
			'CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP ' +
			'GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK ' +
			'LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO ' +
			'NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS ' +
			'SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST ' +
			'XAD XCD XCG YER ZAR ZMW ZWG'
	],
	[0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'],
	[3, 'BHD IQD JOD KWD LYD OMR TND'],
	[4, 'CLF UYW']
];

const EXPONENT_BY_CODE: ReadonlyMap<string, number> = new Map(
	CODES_BY_EXPONENT.flatMap(([exponent, codes]) =>
		codes.split(' ').map((code) => [code, exponent] as const)
	)
);

/** What shops really show and pay, where it differs from the exponent. */
const HABITS: ReadonlyMap<
	string,
	Pick<CurrencySettings, 'shownDecimals' | 'cashStepMinor'>
> = new Map([
	['IQD', { shownDecimals: 0, cashStepMinor: 250_000 }],
	['KES', { shownDecimals: 0, cashStepMinor: 100 }],
	['INR', { shownDecimals: 2, cashStepMinor: 100 }],
	['PEN', { shownDecimals: 2, cashStepMinor: 10 }]
]);

/** All currencies that may be chosen, in the order of their codes. */
export const CURRENCIES: readonly Currency[] = Array.from(
	EXPONENT_BY_CODE.keys(),
	(code) => code as Currency
).sort();

/** Reads a code of three capital letters. Refuses what ISO 4217 does not have, or has withdrawn. */
export function parseCurrency(code: string): Result<Currency, 'unknownCurrency'> {
	return EXPONENT_BY_CODE.has(code) ? ok(code as Currency) : err('unknownCurrency');
}

/** Decimals of the minor unit by ISO 4217: 0, 2, 3 or 4. */
export function exponentOf(currency: Currency): number {
	return EXPONENT_BY_CODE.get(currency) ?? 2;
}

/** What a new business starts with: the habits of the currency, else all decimals and no step. */
export function currencySettings(currency: Currency): CurrencySettings {
	const exponent = exponentOf(currency);
	const habit = HABITS.get(currency) ?? { shownDecimals: exponent, cashStepMinor: 1 };
	return { currency, exponent, ...habit, cashRounding: 'nearest' };
}
