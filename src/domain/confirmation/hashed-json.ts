import { assert } from '../assert.ts';
import { utf8 } from '../bytes.ts';
import { err, ok, type Result } from '../result.ts';
import { HASHED_JSON_BYTES_MAX, HASHED_JSON_DEPTH_MAX, isWhole } from './limits.ts';

/** A value that has exactly one text (RFC 8785 restricted): no floats, no null. */
type HashedValue = boolean | number | string | readonly HashedValue[] | HashedObject;

export interface HashedObject {
	readonly [key: string]: HashedValue;
}

/** Why a text or value is not hashed JSON; the first that applies, from the outside inwards. */
export type HashedJsonRefusal =
	| 'notJson'
	| 'notAnObject'
	| 'tooDeep'
	| 'wrongKey'
	| 'wrongValue'
	| 'wrongNumber'
	| 'wrongText'
	| 'tooLong'
	| 'notCanonical';

export interface HashedJson {
	readonly json: string;
	readonly value: HashedObject;
}

const KEY = /^[a-z][a-zA-Z0-9]{0,15}$/;
const NOT_HASHED = /[\0\p{Cs}]/u;

/** The one text of `value`, of which hashes and signatures are made. Asserts what the parsers refuse. */
export function encodeHashedJson(value: unknown): string {
	const checked = checkHashedJson(value);
	assert(checked.ok, `not hashed JSON: ${checked.ok ? '' : checked.error}`);
	return checked.value.json;
}

/** Reads hashed JSON from text, writes it again and refuses every other text of the same value. */
export function parseHashedJson(text: string): Result<HashedJson, HashedJsonRefusal> {
	if (text.length > HASHED_JSON_BYTES_MAX) return err('tooLong');
	const given = parseJson(text);
	if (!given.ok) return given;
	const checked = checkHashedJson(given.value);
	if (checked.ok && checked.value.json !== text) return err('notCanonical');
	return checked;
}

/** Finds the one text of a value that came as part of other JSON; its keys may stand in any order. */
export function checkHashedJson(value: unknown): Result<HashedJson, HashedJsonRefusal> {
	if (!isObject(value)) return err('notAnObject');
	const refusal = refusalOf(value, 1);
	if (refusal !== undefined) return err(refusal);
	const json = JSON.stringify(sorted(value as HashedObject));
	if (utf8(json).length > HASHED_JSON_BYTES_MAX) return err('tooLong');
	return ok({ json, value: value as HashedObject });
}

/** The nearest text that hashed JSON may hold: NFC, without NUL, a cut emoji's half replaced. */
export function hashableText(text: string): string {
	return text
		.replaceAll('\0', '')
		.replace(/\p{Cs}/gu, '\ufffd')
		.normalize('NFC');
}

function parseJson(text: string): Result<unknown, 'notJson'> {
	try {
		return ok(JSON.parse(text));
	} catch {
		return err('notJson');
	}
}

function refusalOf(value: unknown, depth: number): HashedJsonRefusal | undefined {
	if (typeof value !== 'object' || value === null) return scalarRefusalOf(value);
	if (depth > HASHED_JSON_DEPTH_MAX) return 'tooDeep';
	if (isObject(value) && !Object.keys(value).every((key) => KEY.test(key))) return 'wrongKey';
	return firstRefusal(Object.values(value), depth + 1);
}

function scalarRefusalOf(value: unknown): HashedJsonRefusal | undefined {
	if (typeof value === 'boolean') return undefined;
	if (typeof value === 'number') return isWhole(value) ? undefined : 'wrongNumber';
	if (typeof value === 'string') return isHashable(value) ? undefined : 'wrongText';
	return 'wrongValue';
}

function firstRefusal(values: readonly unknown[], depth: number): HashedJsonRefusal | undefined {
	for (const value of values) {
		const refusal = refusalOf(value, depth);
		if (refusal !== undefined) return refusal;
	}
	return undefined;
}

function isHashable(text: string): boolean {
	return !NOT_HASHED.test(text) && text.normalize('NFC') === text;
}

/** The keys are plain ASCII, so the order of UTF-16 units is the order of bytes. */
function sorted(value: HashedValue): HashedValue {
	if (Array.isArray(value)) return value.map(sorted);
	if (!isObject(value)) return value;
	const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
	return Object.fromEntries(entries.map(([key, child]) => [key, sorted(child)]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
