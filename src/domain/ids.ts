import { assert } from './assert.ts';
import { err, ok, type Result } from './result.ts';

/** A business, minted by its first device: UUID v4, lower case. */
export type BusinessId = string & { readonly __brand: 'BusinessId' };
export type BranchId = string & { readonly __brand: 'BranchId' };
export type PersonId = string & { readonly __brand: 'PersonId' };
/** One business's page for one customer: UUID v4, lower case. */
export type LedgerId = string & { readonly __brand: 'LedgerId' };
/** The letters on a receipt: `A` for the device that founded the business, then `B` … `Z`, `AA` … */
export type DeviceCode = string & { readonly __brand: 'DeviceCode' };
/** `{device code}-{n}`; a relay's own facts read `0.{epoch}-{n}`, a customer's phone's `p{number}-{n}`. */
export type FactId = string & { readonly __brand: 'FactId' };
/** A product is named by the fact that made it, and by its row where that fact made several. */
export type ProductId = string & { readonly __brand: 'ProductId' };

export type IdRefusal = 'notAnId';

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const DEVICE_CODE = /^[A-Z]{1,3}$/;
const FACT_ID = /^([A-Z]{1,3}|0\.[1-9][0-9]{0,8}|p[1-9][0-9]{0,5})-([1-9][0-9]{0,14})$/;
const PRODUCT_ID = /^[A-Z]{1,3}-[1-9][0-9]{0,14}(\.[1-9][0-9]{0,4})?$/;
const LETTERS = 26;
const CODE_LETTERS_MAX = 3;

export function parseBusinessId(text: unknown): Result<BusinessId, IdRefusal> {
	return matching<BusinessId>(text, UUID_V4);
}

export function parseBranchId(text: unknown): Result<BranchId, IdRefusal> {
	return matching<BranchId>(text, UUID_V4);
}

export function parsePersonId(text: unknown): Result<PersonId, IdRefusal> {
	return matching<PersonId>(text, UUID_V4);
}

export function parseLedgerId(text: unknown): Result<LedgerId, IdRefusal> {
	return matching<LedgerId>(text, UUID_V4);
}

export function parseDeviceCode(text: unknown): Result<DeviceCode, IdRefusal> {
	return matching<DeviceCode>(text, DEVICE_CODE);
}

export function parseProductId(text: unknown): Result<ProductId, IdRefusal> {
	return matching<ProductId>(text, PRODUCT_ID);
}

export interface FactIdParts {
	readonly id: FactId;
	/** The device's code, `0.{epoch}` for the relay, `p{number}` for a customer's phone. */
	readonly code: string;
	readonly n: number;
}

export function parseFactId(text: unknown): Result<FactIdParts, IdRefusal> {
	const match = typeof text === 'string' ? FACT_ID.exec(text) : null;
	if (match === null) return err('notAnId');
	const [id, code = '', n = ''] = match;
	return Number.isSafeInteger(Number(n))
		? ok({ id: id as FactId, code, n: Number(n) })
		: err('notAnId');
}

export function factId(code: string, n: number): FactId {
	const parsed = parseFactId(`${code}-${String(n)}`);
	assert(parsed.ok, `not a fact's id: ${code}-${String(n)}`);
	return parsed.value.id;
}

/** Whether the relay, not a device, wrote the fact of this code. */
export function isRelayCode(code: string): boolean {
	return code.startsWith('0.');
}

/** The code of a customer's phone: its number at the relay, never given again. */
export function phoneCode(number: number): string {
	assert(Number.isSafeInteger(number) && number > 0, 'phones are numbered from 1');
	return `p${String(number)}`;
}

export function isPhoneCode(code: string): boolean {
	return code.startsWith('p');
}

/** The product that row `row` (from 0) of the fact `id` makes. */
export function productIdOf(id: FactId, row: number): ProductId {
	const parsed = parseProductId(row === 0 ? id : `${id}.${String(row)}`);
	assert(parsed.ok, `no product is made by row ${String(row)} of ${id}`);
	return parsed.value;
}

/** The order of facts with one stamp: by code, then by n as a number. The same on every machine. */
export function compareFactIds(a: FactId, b: FactId): number {
	if (a === b) return 0;
	const [codeA, nA] = split(a);
	const [codeB, nB] = split(b);
	if (codeA !== codeB) return codeA < codeB ? -1 : 1;
	return nA - nB;
}

/** `A` → `B`, `Z` → `AA`. Codes are given once and never again, so the relay asks for the one after the last. */
export function nextDeviceCode(last: DeviceCode): DeviceCode {
	const ordinal = Array.from(last).reduce(
		(sum, letter) => sum * LETTERS + letterOrdinal(letter),
		0
	);
	let rest = ordinal + 1;
	let code = '';
	while (rest > 0) {
		const digit = (rest - 1) % LETTERS;
		code = String.fromCharCode(0x41 + digit) + code;
		rest = Math.floor((rest - 1 - digit) / LETTERS);
	}
	assert(code.length <= CODE_LETTERS_MAX, 'a business has used every device code');
	return code as DeviceCode;
}

/** What a receipt says: the device's letters and its own counter, six digits at the least. */
export function receiptNumber(code: string, counter: number): string {
	return `${code}-${String(counter).padStart(6, '0')}`;
}

function letterOrdinal(letter: string): number {
	return letter.charCodeAt(0) - 0x40;
}

function split(id: FactId): readonly [string, number] {
	const dash = id.lastIndexOf('-');
	return [id.slice(0, dash), Number(id.slice(dash + 1))];
}

function matching<Id extends string>(text: unknown, form: RegExp): Result<Id, IdRefusal> {
	return typeof text === 'string' && form.test(text) ? ok(text as Id) : err('notAnId');
}
