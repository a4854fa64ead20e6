import { assert } from '../assert.ts';
import { concatBytes, tag, utf8 } from '../bytes.ts';
import { parseDay } from '../calendar.ts';
import type { CryptoParts } from '../crypto.ts';
import {
	parseBranchId,
	parseDeviceCode,
	parsePersonId,
	type BranchId,
	type DeviceCode,
	type PersonId
} from '../ids.ts';
import { err, ok, type Result } from '../result.ts';
import {
	checkHashedJson,
	encodeHashedJson,
	parseHashedJson,
	type HashedJson,
	type HashedJsonRefusal,
	type HashedObject
} from './hashed-json.ts';
import {
	ALLOCATIONS_MAX,
	AMOUNT_MAX,
	isAmount,
	isCurrencyCode,
	isExponent,
	isInstant,
	isWhole,
	ITEM_NAME_CHARACTERS_MAX,
	ITEMS_MAX,
	NOTE_CHARACTERS_MAX,
	RECEIPT_CHARACTERS_MAX,
	STATEMENT_RECORDS_MAX,
	TAKEN_BY_CHARACTERS_MAX
} from './limits.ts';
import { isHashText, type RecordHash } from './record-hash.ts';

/** Name (at most 40 characters), quantity in thousandths, unit price in minor units. */
export type RestItem = readonly [name: string, thousandths: number, unitPrice: number];

/** What a record says beside its core: bound by its hash, never needed to confirm it. */
export interface RecordRest {
	readonly br: BranchId;
	/** The device's code. */
	readonly d: DeviceCode;
	/** The device's sequence: the n of the fact that carries the record. */
	readonly n: number;
	/** Who wrote it. */
	readonly u: PersonId;
	/** The shop's business day, `2026-11-20`. */
	readonly on: string;
	/** The receipt's number. */
	readonly rc?: string;
	/** The record that this one reverses or lowers. */
	readonly ref?: RecordHash;
	/** When the debt falls due, ms UTC. */
	readonly due?: number;
	/** At most 50 items, then `["…", how many more, 0]` where there are more. */
	readonly items?: readonly RestItem[];
	/** SHA-256 of the whole sale, base64url. */
	readonly sale?: string;
	/** Who took the goods. */
	readonly by?: string;
	/** What was handed over where it was another currency; 1 unit of it is numerator / denominator. */
	readonly paid?: readonly [
		currency: string,
		exponent: number,
		amount: number,
		rateNumerator: number,
		rateDenominator: number
	];
	/** A statement's count and the SHA-256 of its raw Hs, sorted bytewise and joined, base64url. */
	readonly list?: readonly [count: number, hash: string];
	/** Which debits a credit settles, where the person said so. */
	readonly for?: readonly (readonly [RecordHash, amount: number])[];
	readonly note?: string;
}

/** Why a value is not a record's rest; the first that applies. */
export type RestRefusal =
	| { readonly kind: HashedJsonRefusal }
	| { readonly kind: 'missingKey' | 'unknownKey' | 'wrongValue'; readonly key: string };

/** The name of the item that stands for those that did not fit. */
export const MORE_ITEMS = '…';

const REQUIRED: readonly string[] = ['br', 'd', 'n', 'u', 'on'];

const SHAPES: Readonly<Record<keyof RecordRest, (value: unknown) => boolean>> = {
	br: (value) => parseBranchId(value).ok,
	d: (value) => parseDeviceCode(value).ok,
	n: (value) => isWhole(value) && value >= 1,
	u: (value) => parsePersonId(value).ok,
	on: (value) => typeof value === 'string' && parseDay(value).ok,
	rc: textOf(1, RECEIPT_CHARACTERS_MAX),
	ref: isHashText,
	due: isInstant,
	items: areItems,
	sale: isHashText,
	by: textOf(1, TAKEN_BY_CHARACTERS_MAX),
	paid: isPaid,
	list: isList,
	for: areAllocations,
	note: textOf(1, NOTE_CHARACTERS_MAX)
};
const SHAPE_BY_KEY: ReadonlyMap<string, (value: unknown) => boolean> = new Map(
	Object.entries(SHAPES)
);

/** The hashed JSON of `rest`. Asserts every limit that `parseRest` refuses. */
export function encodeRest(rest: RecordRest): string {
	const read = restOf(checkHashedJson(rest));
	assert(read.ok, `a rest we make is right: ${JSON.stringify(read)}`);
	return encodeHashedJson(rest);
}

/** Reads the one text of a rest: known keys of known shapes, each within its limit. */
export function parseRest(text: string): Result<RecordRest, RestRefusal> {
	return restOf(parseHashedJson(text));
}

/** Reads a rest that stands as an object inside other JSON, and gives its one text. */
export function restText(value: unknown): Result<string, RestRefusal> {
	const checked = checkHashedJson(value);
	if (!checked.ok) return err({ kind: checked.error });
	const { json } = checked.value;
	return JSON.stringify(value) === json ? ok(json) : err({ kind: 'notCanonical' });
}

/** SHA-256(tag "cp/rest/v1" || JSON). */
export function restHash(json: string, crypto: CryptoParts): Promise<Uint8Array> {
	return crypto.sha256(concatBytes(tag('cp/rest/v1'), utf8(json)));
}

function restOf(parsed: Result<HashedJson, HashedJsonRefusal>): Result<RecordRest, RestRefusal> {
	if (!parsed.ok) return err({ kind: parsed.error });
	const refusal = refusalOf(parsed.value.value);
	return refusal === undefined ? ok(parsed.value.value as unknown as RecordRest) : err(refusal);
}

function refusalOf(value: HashedObject): RestRefusal | undefined {
	const missing = REQUIRED.find((key) => !Object.hasOwn(value, key));
	if (missing !== undefined) return { kind: 'missingKey', key: missing };
	for (const [key, child] of Object.entries(value)) {
		const holds = SHAPE_BY_KEY.get(key);
		if (holds === undefined) return { kind: 'unknownKey', key };
		if (!holds(child)) return { kind: 'wrongValue', key };
	}
	return undefined;
}

/** Counted in code points, so that a script outside the basic plane is not cut short. */
function textOf(min: number, max: number): (value: unknown) => boolean {
	return (value) => {
		if (typeof value !== 'string') return false;
		const length = Array.from(value).length;
		return length >= min && length <= max;
	};
}

function areItems(value: unknown): boolean {
	if (!isTuple(value) || value.length === 0 || !value.every(isItem)) return false;
	if (value.length <= ITEMS_MAX) return true;
	return value.length === ITEMS_MAX + 1 && isMoreItems(value.at(-1));
}

function isItem(value: unknown): boolean {
	if (!isTuple(value) || value.length !== 3) return false;
	const [name, thousandths, unitPrice] = value;
	return (
		isItemName(name) &&
		isWhole(thousandths) &&
		isWhole(unitPrice) &&
		unitPrice >= 0 &&
		unitPrice <= AMOUNT_MAX
	);
}

const isItemName = textOf(0, ITEM_NAME_CHARACTERS_MAX);

function isMoreItems(value: unknown): boolean {
	return isTuple(value) && value[0] === MORE_ITEMS && Number(value[1]) >= 1 && value[2] === 0;
}

function isPaid(value: unknown): boolean {
	if (!isTuple(value) || value.length !== 5) return false;
	const [currency, exponent, ...amounts] = value;
	return isCurrencyCode(currency) && isExponent(exponent) && amounts.every(isAmount);
}

function isList(value: unknown): boolean {
	if (!isTuple(value) || value.length !== 2) return false;
	const [count, hash] = value;
	return isWhole(count) && count >= 1 && count <= STATEMENT_RECORDS_MAX && isHashText(hash);
}

function areAllocations(value: unknown): boolean {
	if (!isTuple(value) || value.length === 0 || value.length > ALLOCATIONS_MAX) return false;
	if (!value.every(isAllocation)) return false;
	return new Set(value.map(([hash]) => hash)).size === value.length;
}

function isAllocation(value: unknown): value is readonly [string, number] {
	return isTuple(value) && value.length === 2 && isHashText(value[0]) && isAmount(value[1]);
}

function isTuple(value: unknown): value is readonly unknown[] {
	return Array.isArray(value);
}
