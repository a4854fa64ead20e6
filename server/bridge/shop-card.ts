import type { Sql } from 'postgres';
import { encodeBase64url } from '#domain/bytes.ts';
import { currencySettings, parseCurrency, type Currency } from '#domain/currency.ts';
import type { SettingFields } from '#domain/fact/fact.ts';
import type { CardFields, DeviceKeySpan } from '#domain/fact/ledger-fact.ts';
import type { BusinessId, DeviceCode, LedgerId } from '#domain/ids.ts';

/** A card has room for so many keys, and for all that a shop may say of itself. */
export const CARD_DEVICES_MAX = 400;

export interface CardAsked {
	readonly business: BusinessId;
	/** Whose records' keys stand before those that ended; no one's where there is none. */
	readonly ledger?: LedgerId;
	/** The relay's point, 65 bytes. */
	readonly relayKey: Uint8Array;
}

/**
 * What every customer of a shop may know of it: its name and place, its money, the keys it signs by. Of
 * more keys than a card has room for those that sign today, those that signed the ledger's records, and
 * of the others those that began or ended last.
 */
export async function readShopCard(
	sql: Sql,
	{ business, ledger, relayKey }: CardAsked
): Promise<CardFields> {
	const [[named], [settings], devices] = await Promise.all([
		sql<{ name: string }[]>`select name from business where business = ${business}`,
		sql<{ fields: SettingFields }[]>`select fields from setting where business = ${business}`,
		sql<{ code: DeviceCode; public_key: Uint8Array; removed_at: string | null }[]>`
			select code, public_key, removed_at from (
				select device.* from device where business = ${business}
				order by removed_at is not null or exists (
					select from device as heir
					where heir.business = ${business} and heir.heir_of = device.code
				), ${ledger === undefined ? sql`` : byLedger(sql, { business, ledger })}
					greatest(removed_at, joined_at) desc, code
				limit ${CARD_DEVICES_MAX}
			) as named order by joined_at, code`
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

/** Orders by whether a device signed none of the ledger's records: under its own name, or that which an heir kept. */
function byLedger(
	sql: Sql,
	{ business, ledger }: { readonly business: BusinessId; readonly ledger: LedgerId }
): ReturnType<Sql> {
	return sql`device.code collate "C" not in (
		select coalesce(fact.was_code, record.code) from record join fact using (business, code, n)
		where record.business = ${business} and record.ledger = ${ledger}
	),`;
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
