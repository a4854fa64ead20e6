import { parseBranchId, parseDeviceCode, parsePersonId } from '#domain/ids.ts';
import {
	ASK_TIMES,
	NAME_LENGTH_MAX,
	PRODUCT_KINDS,
	PRODUCT_UNITS,
	type CustomerFields,
	type DeviceFields,
	type MemberFields,
	type ProductFields,
	type SettingFields
} from './fact.ts';
import { hasOnly, isAmount, isListOf, isOneOf, isText, isWhole } from './shape.ts';

/** The form of each field that an entity's fact may set. A field that is not named here is refused. */
type Forms<Fields> = { readonly [Name in keyof Required<Fields>]: (field: unknown) => boolean };

export const CODES_MAX = 20;
const CODE_LENGTH_MAX = 48;
const NOTE_LENGTH_MAX = 500;
const DAYS_MAX = 3_660;
const MINUTES_A_DAY = 1_440;
const SMS_LIMIT_MAX = 100_000;
const CURRENCIES_MAX = 8;

const isName = (field: unknown): boolean => isText(field, NAME_LENGTH_MAX) && field !== '';
const isWords = (field: unknown): boolean => isText(field, NAME_LENGTH_MAX);
const isNote = (field: unknown): boolean => isText(field, NOTE_LENGTH_MAX);
const isFlag = (field: unknown): boolean => typeof field === 'boolean';
const isCode = (code: unknown): code is string => isText(code, CODE_LENGTH_MAX) && code !== '';
const isCurrencyCode = (field: unknown): field is string =>
	isText(field, 3) && /^[A-Z]{3}$/.test(field);
const isNullOr =
	(form: (field: unknown) => boolean) =>
	(field: unknown): boolean =>
		field === null || form(field);

const PRODUCT_FORMS: Forms<ProductFields> = {
	name: isName,
	price: isAmount,
	codes: (field) => isListOf(field, { min: 0, max: CODES_MAX }, isCode),
	category: isWords,
	unit: (field) => isOneOf(field, PRODUCT_UNITS),
	kind: (field) => isOneOf(field, PRODUCT_KINDS),
	sku: isWords,
	favourite: isFlag,
	low: isNullOr(isAmount),
	active: isFlag,
	taxClass: isWords
};

const CUSTOMER_FORMS: Forms<CustomerFields> = {
	name: isName,
	nick: isWords,
	phone: isWords,
	address: isNote,
	note: isNote,
	limit: isNullOr(isAmount),
	terms: isNullOr((field) => isWhole(field, 0, DAYS_MAX)),
	active: isFlag,
	takers: isWords,
	colour: (field) => isWhole(field, 0, 11)
};

const SETTING_FORMS: Forms<SettingFields> = {
	name: isName,
	address: isNote,
	phone: isWords,
	currency: isCurrencyCode,
	zone: (field) => isText(field, 64) && field !== '',
	cutoff: (field) => isWhole(field, 0, MINUTES_A_DAY - 1),
	tax: (field) => isOneOf(field, ['none', 'in', 'ex']),
	decimals: (field) => isWhole(field, 0, 4),
	cashStep: (field) => isAmount(field) && field > 0,
	accent: (field) => isText(field, 16) && /^[a-z]+$/.test(field),
	ask: (field) => isOneOf(field, ASK_TIMES),
	askAbove: isAmount,
	sms: isFlag,
	smsLimit: (field) => isWhole(field, 0, SMS_LIMIT_MAX),
	currencies: (field) => isListOf(field, { min: 0, max: CURRENCIES_MAX }, isCurrencyCode),
	terms: isNullOr((field) => isWhole(field, 0, DAYS_MAX)),
	payday: (field) => isWhole(field, 1, 31)
};

const isInstant = (field: unknown): boolean => isWhole(field, 0, Number.MAX_SAFE_INTEGER);

const MEMBER_FORMS: Forms<MemberFields> = {
	name: isName,
	role: (field) => field === 'owner',
	person: (field) => parsePersonId(field).ok,
	removedAt: isInstant
};

const DEVICE_FORMS: Forms<DeviceFields> = {
	key: (field) => isText(field, 87) && /^[A-Za-z0-9_-]{87}$/.test(field),
	member: (field) => isWhole(field, 1, 1_000_000),
	sight: (field) => isOneOf(field, ['office', 'counter']),
	branch: (field) => parseBranchId(field).ok,
	heirOf: (field) => parseDeviceCode(field).ok,
	removedAt: isInstant
};

export function isProductFields(value: unknown): value is ProductFields {
	return hasOnly(value, PRODUCT_MAP);
}

export function isCustomerFields(value: unknown): value is CustomerFields {
	return hasOnly(value, CUSTOMER_MAP);
}

export function isSettingFields(value: unknown): value is SettingFields {
	return hasOnly(value, SETTING_MAP);
}

export function isMemberFields(value: unknown): value is MemberFields {
	return hasOnly(value, MEMBER_MAP);
}

export function isDeviceFields(value: unknown): value is DeviceFields {
	return hasOnly(value, DEVICE_MAP);
}

const PRODUCT_MAP = new Map(Object.entries(PRODUCT_FORMS));
const CUSTOMER_MAP = new Map(Object.entries(CUSTOMER_FORMS));
const SETTING_MAP = new Map(Object.entries(SETTING_FORMS));
const MEMBER_MAP = new Map(Object.entries(MEMBER_FORMS));
const DEVICE_MAP = new Map(Object.entries(DEVICE_FORMS));
