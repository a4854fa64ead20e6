import { dayFromNumber } from '#domain/calendar.ts';
import { parseRecordHash } from '#domain/confirmation/record-hash.ts';
import {
	isRelayCode,
	parseDeviceCode,
	parseFactId,
	parseLedgerId,
	parseProductId,
	type FactId,
	type ProductId
} from '#domain/ids.ts';
import { AMOUNT_MINOR_MAX } from '#domain/money.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { STAMP_COUNTER_MAX } from '#domain/stamp.ts';
import { TAX_PARTS_MAX, TAX_RATE_PPM_MAX, type TaxPart } from '#domain/tax.ts';
import {
	changeMinor,
	documentTotalMinor,
	sumOf,
	sumOfKind,
	toPayMinor,
	type SoldDocument
} from './document-total.ts';
import {
	ADJUST_REASONS,
	FACT_BYTES_MAX,
	FACT_KINDS,
	FACT_LINES_MAX,
	FACT_RECORDS_MAX,
	FACT_ROWS_MAX,
	FACT_TENDERS_MAX,
	NAME_LENGTH_MAX,
	TAX_SIDES,
	RELAY_SIGNED_KINDS,
	UNDONE_KINDS,
	type AdjustFact,
	type CustomerFact,
	type Fact,
	type FactHead,
	type FactKind,
	type FactRecord,
	type FactTender,
	type ProductFact,
	type RecordFact,
	type ReturnedLine,
	type ReturnFact,
	type SaleFact,
	type SettingFact,
	type SoldLine,
	type SoldTax,
	type StockDelta
} from './fact.ts';
import {
	ANSWER_WAYS,
	LEDGER_FACT_KINDS,
	LIST_MAX,
	PERSON_FACT_KINDS,
	RECORD_TENDERS,
	type ShopAnswer
} from './ledger-fact.ts';
import { asMeant, AGAIN_BYTES_MAX, firstText, parseStart } from './issued-again.ts';
import { parseListed, type ListedKind } from './ledger-bodies.ts';
import { parseFactRecord } from './parse-fact-record.ts';
import { isCustomerFields, isProductFields, isSettingFields } from './fields.ts';
import {
	hasOnly,
	isAmount,
	isListOf,
	isOneOf,
	isSignedAmount,
	isText,
	isTuple,
	isWhole
} from './shape.ts';

export type FactRefusal =
	| 'tooLarge'
	| 'notJson'
	| 'notCompact'
	| 'badText'
	| 'badHead'
	| 'unknownKind'
	| 'badBody';

/**
 * Whether the fact may be one of a later program: its head is right, and its kind or its form is not known
 * here. The relay takes none that it does not know, so what it gives out is.
 */
export function isOfLater(refusal: FactRefusal): boolean {
	return refusal === 'unknownKind' || refusal === 'badBody';
}

const DAY_MAX = 60_000;
const MEMBER_MAX = 1_000_000;
const HEAD_LENGTH = 6;
const BODY_LENGTH_MAX = 11;
const NOTE_LENGTH_MAX = 500;
const WALL_MAX_MS = 8_640_000_000_000;

/**
 * Reads a fact as it travels and rests (SPEC FACT-1). Whatever it returns may be folded without
 * another look. It proves the form only: signatures and rights are the relay's.
 */
export function parseFact(text: string): Result<Fact, FactRefusal> {
	if (isTooLarge(text)) return err('tooLarge');
	const json = parseCompactJson(text);
	if (!json.ok) return json;
	if (UNSAFE_ESCAPE.test(text)) return err('badText');
	if (!isTuple(json.value, HEAD_LENGTH, HEAD_LENGTH + BODY_LENGTH_MAX)) return err('badHead');

	const head = parseHead(json.value);
	if (!head.ok) return head;
	const [, kind] = json.value;
	if (!isOneOf(kind, FACT_KINDS)) return err('unknownKind');
	const fact = isOfAuthor(kind, head.value.code)
		? BODIES[kind](head.value, json.value.slice(HEAD_LENGTH))
		: null;
	return fact === null ? err('badBody') : ok(asMeant(fact));
}

/** What a shop's device alone writes; the other kinds look at their author themselves. */
const DEVICE_KINDS: ReadonlySet<FactKind> = new Set([
	...(['sale', 'return', 'adjust', 'product', 'customer', 'setting', 'record'] as const)
]);

function isOfAuthor(kind: FactKind, code: string): boolean {
	return !DEVICE_KINDS.has(kind) || parseDeviceCode(code).ok;
}

/** What was issued again may be larger by its names, and by nothing else. */
function isTooLarge(text: string): boolean {
	if (text.length > FACT_BYTES_MAX + AGAIN_BYTES_MAX) return true;
	const first = firstText(text);
	return first.length > FACT_BYTES_MAX || utf8Length(first) > FACT_BYTES_MAX;
}

/** `JSON.stringify` writes a NUL and a lone surrogate as escapes, so they are looked for in that form. */
const UNSAFE_ESCAPE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

/** What nests so deep that it cannot be written again is no JSON of ours either. */
function parseCompactJson(text: string): Result<unknown, 'notJson' | 'notCompact'> {
	try {
		const value: unknown = JSON.parse(text);
		return JSON.stringify(value) === text ? ok(value) : err('notCompact');
	} catch {
		return err('notJson');
	}
}

function parseHead([name, kind, wall, counter, on, by]: readonly unknown[]): Result<
	FactHead,
	'badHead'
> {
	const start = parseStart(name);
	if (start === null || typeof kind !== 'string') return err('badHead');
	if (!isWhole(wall, 0, WALL_MAX_MS) || !isWhole(counter, 0, STAMP_COUNTER_MAX))
		return err('badHead');
	if (!isWhole(on, 0, DAY_MAX) || !isWhole(by, 0, MEMBER_MAX)) return err('badHead');
	if (isRelayCode(start.code) !== (by === 0)) return err('badHead');
	return ok({ ...start, at: { wall, counter }, on: dayFromNumber(on), by });
}

type BodyParser = (head: FactHead, body: readonly unknown[]) => Fact | null;

const BODIES: Readonly<Record<FactKind, BodyParser>> = {
	sale: parseSale,
	return: parseReturn,
	adjust: parseAdjust,
	product: parseProduct,
	customer: parseCustomer,
	setting: parseSetting,
	record: parseRecord,
	...(Object.fromEntries(
		[...LEDGER_FACT_KINDS, ...PERSON_FACT_KINDS, ...RELAY_SIGNED_KINDS].map((kind) => [
			kind,
			(head: FactHead, body: readonly unknown[]) => parseListed(kind, head, body)
		])
	) as Record<ListedKind, BodyParser>)
};

function parseSale(head: FactHead, body: readonly unknown[]): SaleFact | null {
	if (!isTuple(body, 3, 4)) return null;
	const [receipt, rawLines, rawTenders, rawMore] = body;
	const lines = parseAll(rawLines, FACT_LINES_MAX, parseSoldLine);
	const tenders = parseAll(rawTenders, FACT_TENDERS_MAX, parseTender);
	const more = parseMore(rawMore);
	if (!isReceipt(receipt) || lines === null || tenders === null || more === null) return null;
	if (!isDocument({ lines, ...more }) || !agreesWithAccount(tenders, more, 'due')) return null;
	if (!isSettled({ lines, tenders, ...more })) return null;
	return { ...head, kind: 'sale', receipt, lines, tenders, ...more };
}

function parseReturn(head: FactHead, body: readonly unknown[]): ReturnFact | null {
	if (!isTuple(body, 4, 5)) return null;
	const [receipt, rawSale, rawLines, rawRefunds, rawMore] = body;
	const sale = parseSaleId(rawSale);
	const lines = parseAll(rawLines, FACT_LINES_MAX, parseReturnedLine);
	const refunds = parseAll(rawRefunds, FACT_TENDERS_MAX, parseTender);
	const more = parseMore(rawMore);
	if (!isReceipt(receipt) || sale === undefined) return null;
	if (lines === null || refunds === null || more === null) return null;
	if (!isDocument({ lines, ...more }) || !agreesWithAccount(refunds, more, 'credit')) return null;
	if (sumOf(refunds, ({ minor }) => minor) !== toPayMinor({ lines, ...more })) return null;
	return { ...head, kind: 'return', receipt, saleId: sale, lines, refunds, ...more };
}

function parseAdjust(head: FactHead, body: readonly unknown[]): AdjustFact | null {
	if (!isTuple(body, 2)) return null;
	const rows = parseAll(body[0], FACT_ROWS_MAX, parseStockDelta);
	const reason = body[1];
	if (rows === null || rows.length === 0 || !isOneOf(reason, ADJUST_REASONS)) return null;
	return { ...head, kind: 'adjust', rows, reason };
}

function parseProduct(head: FactHead, body: readonly unknown[]): ProductFact | null {
	const rows = isTuple(body, 1) ? parseAll(body[0], FACT_ROWS_MAX, parseProductRow) : null;
	return rows === null || rows.length === 0 ? null : { ...head, kind: 'product', rows };
}

function parseCustomer(head: FactHead, body: readonly unknown[]): CustomerFact | null {
	const rows = isTuple(body, 1) ? parseAll(body[0], FACT_ROWS_MAX, parseCustomerRow) : null;
	return rows === null || rows.length === 0 ? null : { ...head, kind: 'customer', rows };
}

function parseSetting(head: FactHead, body: readonly unknown[]): SettingFact | null {
	const [fields] = body;
	return isTuple(body, 1) && isSettingFields(fields) ? { ...head, kind: 'setting', fields } : null;
}

function parseRecord(head: FactHead, body: readonly unknown[]): RecordFact | null {
	if (!isTuple(body, 1, 2)) return null;
	const records = parseAll(body[0], FACT_RECORDS_MAX, parseFactRecord);
	const more = parseRecordMore(body[1]);
	if (records === null || more === null) return null;
	if ((records.length === 0) !== (more.answer?.way === 'insist')) return null;
	const hasStatement = records.some(({ core }) => core.kind === 'statement');
	if (hasStatement !== (more.list !== undefined)) return null;
	return { ...head, kind: 'record', records, ...more };
}

type RecordMore = Omit<RecordFact, keyof FactHead | 'kind' | 'records'>;

function parseRecordMore(value: unknown): RecordMore | null {
	if (value === undefined) return {};
	if (!hasOnly(value, RECORD_MORE) || Object.keys(value).length === 0) return null;
	const { answer, late, apart, ...same } = value as Omit<
		RecordMore,
		'answer' | 'isLate' | 'isApart'
	> & {
		answer?: readonly [ShopAnswer['h'], ShopAnswer['way'], string];
		late?: true;
		apart?: true;
	};
	return {
		...same,
		...(answer !== undefined && {
			answer: { h: answer[0], way: answer[1], note: answer[2] }
		}),
		...(late !== undefined && { isLate: late }),
		...(apart !== undefined && { isApart: apart })
	};
}

function parseSoldLine(row: unknown): SoldLine | null {
	if (!isTuple(row, 5, 6)) return null;
	const goods = parseGoods(row);
	if (goods === null || row.length === 5) return goods;
	const tax = parseTax(row[5]);
	return tax === null ? null : { ...goods, tax };
}

function parseReturnedLine(row: unknown): ReturnedLine | null {
	if (!isTuple(row, 7, 8)) return null;
	const goods = parseGoods(row);
	const [, , , , , saleLine, condition, rawTax] = row;
	if (goods === null || !isWhole(saleLine, -1, FACT_LINES_MAX - 1)) return null;
	if (condition !== 0 && condition !== 1) return null;
	const line = { ...goods, saleLine, isDamaged: condition === 1 };
	if (row.length === 7) return line;
	const tax = parseTax(rawTax);
	return tax === null ? null : { ...line, tax };
}

function parseGoods(row: readonly unknown[]): SoldLine | null {
	const [rawProduct, name, quantity, unitPrice, total] = row;
	const productId = parseProductRef(rawProduct);
	if (productId === undefined || !isText(name, NAME_LENGTH_MAX)) return null;
	if (!isWhole(quantity, 1, AMOUNT_MINOR_MAX)) return null;
	if (!isAmount(unitPrice) || !isAmount(total)) return null;
	return {
		productId,
		name,
		quantityThousandths: quantity,
		unitPriceMinor: unitPrice,
		totalMinor: total
	};
}

function parseTax(value: unknown): SoldTax | null {
	if (!isTuple(value, 3)) return null;
	const [side, taxClass, rawParts] = value;
	const parts = parseAll(rawParts, TAX_PARTS_MAX, parseTaxPart);
	if (!isOneOf(side, TAX_SIDES) || !isText(taxClass, NAME_LENGTH_MAX)) return null;
	return parts === null ? null : { side, taxClass, parts };
}

function parseTaxPart(value: unknown): TaxPart | null {
	if (!isTuple(value, 3)) return null;
	const [name, ratePpm, minor] = value;
	if (!isText(name, NAME_LENGTH_MAX) || !isWhole(ratePpm, 0, TAX_RATE_PPM_MAX)) return null;
	return isAmount(minor) ? { name, ratePpm, minor } : null;
}

function parseTender(value: unknown): FactTender | null {
	if (!isTuple(value, 2)) return null;
	const [kind, minor] = value;
	if (!isOneOf(kind, ['cash', 'account'])) return null;
	return isWhole(minor, 1, AMOUNT_MINOR_MAX) ? { kind, minor } : null;
}

interface More {
	readonly record?: FactRecord;
	readonly roundingMinor?: number;
}

/** What only some sales and returns say. */
function parseMore(value: unknown): More | null {
	if (value === undefined) return {};
	if (!hasOnly(value, SALE_MORE)) return null;
	const { rec, round } = value as { rec?: unknown; round?: number };
	const record = rec === undefined ? undefined : parseFactRecord(rec);
	if (record === null) return null;
	return {
		...(record !== undefined && { record }),
		...(round !== undefined && { roundingMinor: round })
	};
}

const SALE_MORE = new Map<string, (field: unknown) => boolean>([
	['rec', (field) => field !== null],
	['round', (field) => isSignedAmount(field) && field !== 0]
]);
const RECORD_MORE = new Map<string, (field: unknown) => boolean>([
	['tender', (field) => isOneOf(field, RECORD_TENDERS)],
	['undoes', (field) => isOneOf(field, UNDONE_KINDS)],
	['answer', isAnswer],
	[
		'list',
		(field) => isListOf(field, { min: 1, max: LIST_MAX }, (h): h is string => parseRecordHash(h).ok)
	],
	['slip', (field) => parseFactId(field).ok],
	['pending', (field) => parseFactId(field).ok],
	['late', (field) => field === true],
	['apart', (field) => field === true]
]);

function isAnswer(value: unknown): boolean {
	if (!isTuple(value, 3)) return false;
	const [h, way, note] = value;
	return parseRecordHash(h).ok && isOneOf(way, ANSWER_WAYS) && isText(note, NOTE_LENGTH_MAX);
}

/** A sale or return names something, and stays within bounds. */
function isDocument(document: SoldDocument): boolean {
	if (document.lines.length === 0) return false;
	return documentTotalMinor(document) <= BigInt(AMOUNT_MINOR_MAX) && toPayMinor(document) >= 0n;
}

/** What went on account is exactly what its record says: one tender, one record, one amount. */
function agreesWithAccount(
	tenders: readonly FactTender[],
	{ record }: More,
	kind: 'due' | 'credit'
): boolean {
	const onAccount = tenders.filter((tender) => tender.kind === 'account');
	if (onAccount.length === 0) return record === undefined;
	if (onAccount.length > 1 || record?.core.kind !== kind) return false;
	return record.core.amount === onAccount[0]?.minor;
}

/** Nothing is missing, and change came out of cash. */
function isSettled(sale: SoldDocument & { readonly tenders: readonly FactTender[] }): boolean {
	const change = changeMinor(sale);
	return change >= 0n && (change === 0n || change <= sumOfKind(sale.tenders, 'cash'));
}

function parseStockDelta(row: unknown): StockDelta | null {
	if (!isTuple(row, 2)) return null;
	const product = parseProductId(row[0]);
	const delta = row[1];
	if (!product.ok || !isSignedAmount(delta) || delta === 0) return null;
	return { productId: product.value, deltaThousandths: delta };
}

function parseProductRow(row: unknown): ProductFact['rows'][number] | null {
	if (!isTuple(row, 2)) return null;
	const productId = parseProductRef(row[0]);
	return productId === undefined || !isProductFields(row[1]) ? null : { productId, fields: row[1] };
}

function parseCustomerRow(row: unknown): CustomerFact['rows'][number] | null {
	if (!isTuple(row, 2)) return null;
	const ledger = parseLedgerId(row[0]);
	return ledger.ok && isCustomerFields(row[1]) ? { ledgerId: ledger.value, fields: row[1] } : null;
}

/** A product's id, null where 0 stands for none, undefined where it is neither. */
function parseProductRef(value: unknown): ProductId | null | undefined {
	if (value === 0) return null;
	const product = parseProductId(value);
	return product.ok ? product.value : undefined;
}

function parseSaleId(value: unknown): FactId | null | undefined {
	if (value === 0) return null;
	const sale = parseFactId(value);
	return sale.ok ? sale.value.id : undefined;
}

function isReceipt(value: unknown): value is number {
	return isWhole(value, 1, 999_999_999);
}

/** Every row parsed, or null when the value is no list, is too long, or one row is not of its form. */
function parseAll<T>(
	value: unknown,
	lengthMax: number,
	parseRow: (row: unknown) => T | null
): readonly T[] | null {
	if (!isTuple(value, 0, lengthMax)) return null;
	const rows: T[] = [];
	for (const row of value) {
		const parsed = parseRow(row);
		if (parsed === null) return null;
		rows.push(parsed);
	}
	return rows;
}

/** Bytes of well-formed text in UTF-8, counted without an encoder. */
function utf8Length(text: string): number {
	let bytes = 0;
	for (let index = 0; index < text.length; index++) {
		const unit = text.charCodeAt(index);
		if (unit < 0x80) bytes += 1;
		else if (unit < 0x800 || (unit >= 0xd800 && unit < 0xe000)) bytes += 2;
		else bytes += 3;
	}
	return bytes;
}
