import { exponentOf, parseCurrency } from '#domain/currency.ts';
import { isZone } from '#domain/calendar.ts';
import type { Fact, SettingFields } from '#domain/fact/fact.ts';
import { isSettingFields } from '#domain/fact/fields.ts';
import { err, ok, type Result } from '#domain/result.ts';
import {
	changedOf,
	cleanTexts,
	NAME_MAX,
	NOTE_MAX,
	nothingWritten,
	wrongField,
	type FieldRefusal,
	type TextFields
} from './clean-fields.ts';
import type { Act } from './write-path.ts';

export type SettingsRefusal = FieldRefusal | { readonly kind: 'currencyFixed' };

/** Amounts of two currencies are never added, so the currency stands once money was written. */
export function changeSettingsAct(draft: SettingFields): Act<boolean, undefined, SettingsRefusal> {
	return {
		tables: ['days', 'balances'],
		load: async (rows) => (await rows.count('days')) + (await rows.count('balances')) > 0,
		decide: (hasMoney, moment) => {
			const fields = cleanSettings(draft);
			if (!fields.ok) return Promise.resolve(fields);
			const { currency } = fields.value;
			const isOther = currency !== undefined && currency !== moment.settings.money.currency;
			if (hasMoney && isOther) return Promise.resolve(err({ kind: 'currencyFixed' }));
			const changed = changedOf(fields.value, moment.settings);
			if (Object.keys(changed).length === 0) return nothingWritten();
			const fact: Fact = { ...moment.head(0), kind: 'setting', fields: changed };
			return Promise.resolve(ok({ facts: [fact], value: undefined }));
		}
	};
}

const SETTING_TEXTS: TextFields = { name: NAME_MAX, address: NOTE_MAX / 2, phone: NAME_MAX };

function cleanSettings(draft: SettingFields): Result<SettingFields, FieldRefusal> {
	const fields = cleanTexts(draft, SETTING_TEXTS, 0);
	if (!fields.ok) return fields;
	const wrong = wrongField(fields.value, isSettingFields) ?? unknownPlace(fields.value);
	return wrong === undefined
		? fields
		: err({ kind: 'fieldRefused', field: wrong, row: 0, why: 'wrong' });
}

/** Of the form of a zone or currency, and yet none. */
function unknownPlace(fields: SettingFields): string | undefined {
	const { zone, currency, decimals, currencies = [] } = fields;
	if (!currencies.every((code) => parseCurrency(code).ok)) return 'currencies';
	if (zone !== undefined && !isZone(zone)) return 'zone';
	if (currency === undefined) return undefined;
	const parsed = parseCurrency(currency);
	if (!parsed.ok) return 'currency';
	return decimals !== undefined && decimals > exponentOf(parsed.value) ? 'decimals' : undefined;
}
