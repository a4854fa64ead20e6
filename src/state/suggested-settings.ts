import type { SettingFields } from '#domain/fact/fact.ts';

/** What the browser knows of where it is. */
export interface Whereabouts {
	/** BCP 47, best first: `en-KE`. */
	readonly languages: readonly string[];
	/** IANA zone. */
	readonly zone: string;
}

/**
 * Currencies of regions whose shops take one money (CLDR, current tender). The code of a country's own
 * begins with the country's (ISO 4217, ISO 3166).
 */
const OWN_CURRENCIES =
	'AED AFN ARS AUD BDT BHD BRL CAD CHF CLP CNY COP CZK DKK DZD EGP ETB GBP GHS HKD HUF IDR ' +
	'ILS INR IQD IRR JOD JPY KES KRW KWD LBP LKR LYD MAD MXN MYR NGN NOK NPR NZD OMR PEN PHP ' +
	'PKR PLN QAR RON RUB RWF SAR SDG SEK SGD SOS SYP THB TND TRY TZS UAH UGX USD VND YER ZAR ' +
	'ZMW';
const REGIONS_BY_CURRENCY: Readonly<Record<string, string>> = {
	EUR: 'AT BE DE ES FI FR GR IE IT NL PT',
	XAF: 'CM',
	XOF: 'CI SN'
};

/** The cities that name zones behind their regions, where the language alone says nothing of the place. */
const CITIES =
	'KENairobi NGLagos GHAccra UGKampala TZDar_es_Salaam RWKigali ETAddis_Ababa EGCairo ' +
	'IQBaghdad JOAmman LBBeirut SYDamascus SARiyadh AEDubai KWKuwait QAQatar BHBahrain OMMuscat ' +
	'YEAden SDKhartoum LYTripoli TNTunis DZAlgiers MACasablanca PKKarachi INKolkata INCalcutta ' +
	'BDDhaka LKColombo NPKathmandu PHManila IDJakarta THBangkok TRIstanbul IRTehran AFKabul ' +
	'ZAJohannesburg ZMLusaka GBLondon FRParis DEBerlin ESMadrid ITRome MXMexico_City BRSao_Paulo ' +
	'COBogota PELima JPTokyo KRSeoul CNShanghai';

/** Currency and zone for a shop that begins here; a suggestion that its owner may change. */
export function suggestedSettings({ languages, zone }: Whereabouts): SettingFields {
	const city = zone.split('/').at(-1) ?? '';
	const spoken = languages.map(regionOf).find((region) => region !== undefined);
	const placed = CITIES.split(' ').find((one) => one.slice(2) === city);
	const region = placed?.slice(0, 2) ?? spoken ?? 'US';
	return { currency: currencyOf(region), zone };
}

function currencyOf(region: string): string {
	const [together] =
		Object.entries(REGIONS_BY_CURRENCY).find(([, regions]) => regions.includes(region)) ?? [];
	return (
		together ?? OWN_CURRENCIES.split(' ').find((currency) => currency.startsWith(region)) ?? 'USD'
	);
}

function regionOf(tag: string): string | undefined {
	try {
		return new Intl.Locale(tag).region;
	} catch {
		return undefined;
	}
}
