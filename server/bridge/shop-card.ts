import type { Sql } from 'postgres';
import { encodeBase64url } from '#domain/bytes.ts';
import { currencySettings, parseCurrency, type Currency } from '#domain/currency.ts';
import type { SettingFields } from '#domain/fact/fact.ts';
import type { CardFields, DeviceKeySpan } from '#domain/fact/ledger-fact.ts';
import type { BusinessId, DeviceCode } from '#domain/ids.ts';

/** What every customer of a shop may know of it: its name and place, its money, the keys it signs by. */
export async function readShopCard(
	sql: Sql,
	business: BusinessId,
	relayKey: Uint8Array
): Promise<CardFields> {
	const [[named], [settings], devices] = await Promise.all([
		sql<{ name: string }[]>`select name from business where business = ${business}`,
		sql<{ fields: SettingFields }[]>`select fields from setting where business = ${business}`,
		sql<{ code: DeviceCode; public_key: Uint8Array; removed_at: string | null }[]>`
			select code, public_key, removed_at from device where business = ${business}
			order by joined_at, code`
	]);
	return {
		...shownSettings(settings?.fields ?? {}, named?.name ?? ''),
		devices: devices.map(({ code, public_key: key, removed_at: removedAt }): DeviceKeySpan => [
			code,
			encodeBase64url(new Uint8Array(key)),
			// A shop signs records before its first contact with a relay.
			0,
			Number(removedAt ?? 0)
		]),
		relayKey: encodeBase64url(relayKey)
	};
}

/** What the shop says of itself; by the name it was claimed with until it says one. */
function shownSettings(
	{ name = '', phone, address, zone, currency, decimals }: SettingFields,
	claimed: string
): CardFields {
	const parsed = parseCurrency(currency ?? '');
	const said = { phone, address, zone, ...(parsed.ok ? shownMoney(parsed.value, decimals) : {}) };
	const given = Object.entries(said).filter(([, value]) => value !== undefined);
	return { shop: name === '' ? claimed : name, ...Object.fromEntries(given) };
}

/** As many decimals as the shop's own devices show: its wish, else what its money is written with. */
function shownMoney(
	of: Currency,
	decimals: number | undefined
): Pick<CardFields, 'currency' | 'exponent' | 'decimals'> {
	const { currency, exponent, shownDecimals } = currencySettings(of);
	return { currency, exponent, decimals: Math.min(decimals ?? shownDecimals, exponent) };
}
