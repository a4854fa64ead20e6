import { isZone } from '#domain/calendar.ts';
import {
	currencySettings,
	parseCurrency,
	type Currency,
	type CurrencySettings
} from '#domain/currency.ts';
import type { SettingFields } from '#domain/fact/fact.ts';
import type { SettingRow } from '#storage/device-store.ts';

/** What the business settled, with what holds until it settles anything. */
export interface ShopSettings extends SettingFields {
	readonly name: string;
	readonly zone: string;
	/** Minutes after midnight at which the business day begins. */
	readonly cutoff: number;
	readonly tax: 'none' | 'in' | 'ex';
	readonly money: CurrencySettings;
}

const CURRENCY_UNTIL_CHOSEN = 'USD';

export function shopSettings(rows: readonly SettingRow[]): ShopSettings {
	const fields: SettingFields = Object.fromEntries(rows.map(({ field, value }) => [field, value]));
	const money = moneyOf(fields);
	let zone: string | undefined;
	return {
		...fields,
		...(fields.currencies !== undefined && { currencies: othersOf(fields.currencies, money) }),
		name: fields.name ?? '',
		// The first clock of a zone takes a slow phone a tenth of a second: no screen waits for it.
		get zone() {
			return (zone ??= zoneOf(fields.zone));
		},
		cutoff: fields.cutoff ?? 0,
		tax: fields.tax ?? 'none',
		money
	};
}

/** A peer may name one twice, and the shop’s own; a list in which two bear one name ends its screen. */
function othersOf(codes: readonly string[], { currency }: CurrencySettings): readonly string[] {
	return [...new Set(codes)].filter((code) => code !== currency);
}

/** A newer device may name a zone that this one's browser has not heard of; its own place is near. */
function zoneOf(zone = 'UTC'): string {
	return isZone(zone) ? zone : new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function moneyOf({ currency, decimals, cashStep }: SettingFields): CurrencySettings {
	const habits = currencySettings(currencyOf(currency));
	return {
		...habits,
		shownDecimals: Math.min(decimals ?? habits.shownDecimals, habits.exponent),
		cashStepMinor: cashStep ?? habits.cashStepMinor
	};
}

function currencyOf(code: string | undefined): Currency {
	const chosen = parseCurrency(code ?? CURRENCY_UNTIL_CHOSEN);
	if (chosen.ok) return chosen.value;
	// A currency that this program does not know: its amounts are still whole minor units.
	return currencyOf(CURRENCY_UNTIL_CHOSEN);
}
