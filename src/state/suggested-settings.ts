import type { SettingFields } from '#domain/fact/fact.ts';

/** What the browser knows of where it is. */
export interface Whereabouts {
	/** BCP 47, best first: `en-KE`. */
	readonly languages: readonly string[];
	/** IANA zone. */
	readonly zone: string;
}

/** Currencies by ISO 3166 region, where a region's shops take one money (CLDR, current tender). */
const CURRENCY_BY_REGION: Readonly<Record<string, string>> = {
	AE: 'AED',
	AF: 'AFN',
	AR: 'ARS',
	AT: 'EUR',
	AU: 'AUD',
	BD: 'BDT',
	BE: 'EUR',
	BH: 'BHD',
	BR: 'BRL',
	CA: 'CAD',
	CH: 'CHF',
	CI: 'XOF',
	CL: 'CLP',
	CM: 'XAF',
	CN: 'CNY',
	CO: 'COP',
	CZ: 'CZK',
	DE: 'EUR',
	DK: 'DKK',
	DZ: 'DZD',
	EG: 'EGP',
	ES: 'EUR',
	ET: 'ETB',
	FI: 'EUR',
	FR: 'EUR',
	GB: 'GBP',
	GH: 'GHS',
	GR: 'EUR',
	HK: 'HKD',
	HU: 'HUF',
	ID: 'IDR',
	IE: 'EUR',
	IL: 'ILS',
	IN: 'INR',
	IQ: 'IQD',
	IR: 'IRR',
	IT: 'EUR',
	JO: 'JOD',
	JP: 'JPY',
	KE: 'KES',
	KR: 'KRW',
	KW: 'KWD',
	LB: 'LBP',
	LK: 'LKR',
	LY: 'LYD',
	MA: 'MAD',
	MX: 'MXN',
	MY: 'MYR',
	NG: 'NGN',
	NL: 'EUR',
	NO: 'NOK',
	NP: 'NPR',
	NZ: 'NZD',
	OM: 'OMR',
	PE: 'PEN',
	PH: 'PHP',
	PK: 'PKR',
	PL: 'PLN',
	PT: 'EUR',
	QA: 'QAR',
	RO: 'RON',
	RU: 'RUB',
	RW: 'RWF',
	SA: 'SAR',
	SD: 'SDG',
	SE: 'SEK',
	SG: 'SGD',
	SN: 'XOF',
	SO: 'SOS',
	SY: 'SYP',
	TH: 'THB',
	TN: 'TND',
	TR: 'TRY',
	TZ: 'TZS',
	UA: 'UAH',
	UG: 'UGX',
	US: 'USD',
	VN: 'VND',
	YE: 'YER',
	ZA: 'ZAR',
	ZM: 'ZMW'
};

/** Regions by the city that names a zone, where the language alone says nothing of the place. */
const REGION_BY_CITY: Readonly<Record<string, string>> = {
	Nairobi: 'KE',
	Lagos: 'NG',
	Accra: 'GH',
	Kampala: 'UG',
	Dar_es_Salaam: 'TZ',
	Kigali: 'RW',
	Addis_Ababa: 'ET',
	Cairo: 'EG',
	Baghdad: 'IQ',
	Amman: 'JO',
	Beirut: 'LB',
	Damascus: 'SY',
	Riyadh: 'SA',
	Dubai: 'AE',
	Kuwait: 'KW',
	Qatar: 'QA',
	Bahrain: 'BH',
	Muscat: 'OM',
	Aden: 'YE',
	Khartoum: 'SD',
	Tripoli: 'LY',
	Tunis: 'TN',
	Algiers: 'DZ',
	Casablanca: 'MA',
	Karachi: 'PK',
	Kolkata: 'IN',
	Calcutta: 'IN',
	Dhaka: 'BD',
	Colombo: 'LK',
	Kathmandu: 'NP',
	Manila: 'PH',
	Jakarta: 'ID',
	Bangkok: 'TH',
	Istanbul: 'TR',
	Tehran: 'IR',
	Kabul: 'AF',
	Johannesburg: 'ZA',
	Lusaka: 'ZM',
	London: 'GB',
	Paris: 'FR',
	Berlin: 'DE',
	Madrid: 'ES',
	Rome: 'IT',
	Mexico_City: 'MX',
	Sao_Paulo: 'BR',
	Bogota: 'CO',
	Lima: 'PE',
	Tokyo: 'JP',
	Seoul: 'KR',
	Shanghai: 'CN'
};

/** Currency and zone for a shop that begins here; a suggestion that its owner may change. */
export function suggestedSettings({ languages, zone }: Whereabouts): SettingFields {
	const city = zone.split('/').at(-1) ?? '';
	const spoken = languages.map(regionOf).find((region) => region !== undefined);
	const region = REGION_BY_CITY[city] ?? spoken ?? 'US';
	return { currency: CURRENCY_BY_REGION[region] ?? 'USD', zone };
}

function regionOf(tag: string): string | undefined {
	try {
		return new Intl.Locale(tag).region;
	} catch {
		return undefined;
	}
}
