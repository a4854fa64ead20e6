import { parseRecordHash } from '#domain/confirmation/record-hash.ts';
import { parseRecordId } from '#domain/confirmation/record.ts';
import { recordKinds } from '#domain/confirmation/record-kind.ts';
import { DAY_TOTAL_NAMES, DAY_ZERO, type DayTotals } from '#domain/fact/effects.ts';
import {
	isCustomerFields,
	isDeviceFields,
	isMemberFields,
	isProductFields,
	isSettingFields
} from '#domain/fact/fields.ts';
import { groupBy } from '#domain/group-by.ts';
import { isOneOf, isText, isWhole } from '#domain/fact/shape.ts';
import {
	parseBranchId,
	parseDeviceCode,
	parseFactId,
	parseLedgerId,
	parseProductId,
	type LedgerId,
	type ProductId
} from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { unpackRows } from '#domain/packed-rows.ts';
import type {
	BaseRow,
	BaseSums,
	CustomerRow,
	DayRow,
	DeviceRow,
	FieldStamp,
	FieldStamps,
	MemberRow,
	ProductRow,
	RecordRow,
	SettingRow,
	StockRow
} from '#storage/device-store.ts';
import type { FactText } from './arrived-fact.ts';
import { customerKeys, productKeys } from './entity-keys.ts';
import type { CheckpointPlace, NumberRange } from './meta.ts';

/** Where a checkpoint goes on: the part, and the last key of it that came. */
export interface NextPage {
	readonly part: string;
	readonly after: string;
}

/**
 * All facts of a business up to a place in its feed, folded: what a new device begins with. It may
 * be a piece of it: then what it does not name comes in another, of another place.
 */
export interface Checkpoint extends CheckpointPlace {
	readonly settings: readonly SettingRow[];
	readonly members: readonly MemberRow[];
	readonly devices: readonly DeviceRow[];
	readonly products: readonly ProductRow[];
	readonly customers: readonly CustomerRow[];
	/** Every record of every ledger: balances are folded from them here. */
	readonly records: readonly RecordRow[];
	readonly stock: readonly StockRow[];
	readonly days: readonly DayRow[];
	/** What happened to ledgers beside their records, as facts; those that are records count no money. */
	readonly ledgerFacts: readonly FactText[];
	/** What ledgers came to whose records are in later pieces. */
	readonly bases?: readonly Pick<BaseRow, 'ledger' | 'sums'>[];
	/** The ledgers of which nothing is missing any more. */
	readonly whole?: readonly LedgerId[];
	/** What is sold most, most first. */
	readonly often?: readonly ProductId[];
	/** Null after the last piece; absent where there are no pieces. */
	readonly next?: NextPage | null;
}

/**
 * As the relay answers. A later piece names no ranges: what is in it is what was in the first, and what
 * came by the feed since.
 */
export type CheckpointPiece = Omit<Checkpoint, 'ranges'> & Partial<Pick<Checkpoint, 'ranges'>>;

/** Which part of the relay's answer is not of its form. */
export interface CheckpointRefusal {
	readonly kind: 'notACheckpoint';
	readonly part: string;
}

/**
 * Reads the answer of `GET /api/checkpoint`, a piece or the whole: rows as a device keeps them, sums
 * as decimal texts, packed or not. What is not named is empty.
 */
export function parseCheckpoint(value: unknown): Result<CheckpointPiece, CheckpointRefusal> {
	if (!isObject(value)) return refused('checkpoint');
	const { epoch, s } = value;
	if (!isWhole(epoch, 1, Number.MAX_SAFE_INTEGER)) return refused('epoch');
	if (!isWhole(s, 0, Number.MAX_SAFE_INTEGER)) return refused('s');
	const named = value['ranges'];
	const ranges = named === undefined ? undefined : parseRanges(named);
	if (ranges === undefined && named !== undefined) return refused('ranges');
	const tables = parseTables(value);
	if (typeof tables === 'string') return refused(tables);
	const ledgerFacts = parseFactTexts(value['ledgerFacts']);
	if (ledgerFacts === undefined) return refused('ledgerFacts');
	return parsePiece(value, { epoch, s, ...(ranges && { ranges }), ...tables, ledgerFacts });
}

/** Every table by its own parser, or the name of the first that is not of its form. */
function parseTables(value: Readonly<Record<string, unknown>>): Tables | string {
	const stamps = value['stamps'] ?? [];
	if (!Array.isArray(stamps) || !stamps.every(isStamp)) return 'stamps';
	const read: Partial<Record<keyof Tables, readonly unknown[]>> = {};
	for (const [part, parse] of Object.entries(PARSERS)) {
		const rows = all(value[part] ?? [], (row) => parse(row, stamps as readonly FieldStamp[]));
		if (rows === undefined) return part;
		read[part as keyof Tables] = rows;
	}
	return read as unknown as Tables;
}

type Tables = Pick<
	Checkpoint,
	'settings' | 'members' | 'devices' | 'products' | 'customers' | 'records' | 'stock' | 'days'
>;

type ParseRow = (row: Readonly<Record<string, unknown>>, stamps: readonly FieldStamp[]) => unknown;

/** What only a piece says. */
function parsePiece(
	{ bases, whole, often, next }: Readonly<Record<string, unknown>>,
	checkpoint: CheckpointPiece
): Result<CheckpointPiece, CheckpointRefusal> {
	const said = {
		...(bases !== undefined && { bases: parseBases(bases) }),
		...(whole !== undefined && { whole: parseIds(whole, parseLedgerId) }),
		...(often !== undefined && { often: parseIds(often, parseProductId) }),
		...(next !== undefined && { next: parseNext(next) })
	};
	const [wrong] = Object.entries(said).find(([, part]) => part === undefined) ?? [];
	if (wrong !== undefined) return refused(wrong);
	// None is undefined.
	return ok({ ...checkpoint, ...(said as Partial<CheckpointPiece>) });
}

function parseBases(value: unknown): Checkpoint['bases'] {
	const rows = all(value, parseBase);
	return rows === undefined
		? undefined
		: [...groupBy(rows, ({ ledger }) => ledger)].map(([ledger, of]) => ({
				ledger,
				sums: of.map(({ sums }) => sums)
			}));
}

function parseBase(
	row: Readonly<Record<string, unknown>>
): { readonly ledger: LedgerId; readonly sums: BaseSums } | undefined {
	const ledger = parseLedgerId(row['ledger']);
	const { currency, exponent } = row;
	const lastAt = Number(row['lastAt']);
	if (!ledger.ok || !isText(currency, 3) || !isWhole(exponent, 0, 4)) return undefined;
	if (!isWhole(lastAt, 0, Number.MAX_SAFE_INTEGER)) return undefined;
	const [confirmed, waiting, credited, disputed] = [
		parseSum(row['confirmed']),
		parseSum(row['waiting']),
		parseSum(row['credited']),
		parseSum(row['disputed'])
	];
	if (confirmed === undefined || waiting === undefined) return undefined;
	if (credited === undefined || disputed === undefined) return undefined;
	const sums = { currency, exponent, confirmed, waiting, credited, disputed, lastAt };
	return { ledger: ledger.value, sums };
}

function parseIds<Id>(
	value: unknown,
	parse: (text: unknown) => Result<Id, unknown>
): readonly Id[] | undefined {
	if (!Array.isArray(value)) return undefined;
	const ids = value.map(parse);
	return ids.every((id) => id.ok) ? ids.map((id) => id.value) : undefined;
}

function parseNext(value: unknown): NextPage | null | undefined {
	if (value === null) return null;
	if (!isObject(value)) return undefined;
	const { part, after } = value;
	return typeof part === 'string' && typeof after === 'string' ? { part, after } : undefined;
}

/** A relay of before has none. */
function parseFactTexts(value: unknown): readonly FactText[] | undefined {
	if (value === undefined) return [];
	if (!Array.isArray(value)) return undefined;
	const texts = (value as readonly unknown[]).map(parseFactText);
	return texts.every((text) => text !== undefined) ? texts : undefined;
}

function parseFactText(row: unknown): FactText | undefined {
	if (!Array.isArray(row) || row.length !== 2) return undefined;
	const [branch, text] = row as readonly unknown[];
	if (typeof text !== 'string') return undefined;
	if (branch === null) return { branch, text };
	const parsed = parseBranchId(branch);
	return parsed.ok ? { branch: parsed.value, text } : undefined;
}

function refused(part: string): Result<never, CheckpointRefusal> {
	return err({ kind: 'notACheckpoint', part });
}

/** Every row, packed or not, or nothing where one of them is not of its form. */
function all<Row>(
	value: unknown,
	parseRow: (row: Readonly<Record<string, unknown>>) => Row | undefined
): readonly Row[] | undefined {
	if (!Array.isArray(value)) return undefined;
	const list = Array.isArray(value[0]) ? unpackRows(value) : (value as readonly unknown[]);
	if (list === undefined) return undefined;
	const rows: Row[] = [];
	for (const one of list) {
		const row = isObject(one) ? parseRow(one) : undefined;
		if (row === undefined) return undefined;
		rows.push(row);
	}
	return rows;
}

function parseRanges(value: unknown): CheckpointPlace['ranges'] | undefined {
	if (!isObject(value)) return undefined;
	const ranges: Record<string, readonly NumberRange[]> = {};
	for (const [code, list] of Object.entries(value)) {
		if (!Array.isArray(list) || !list.every(isRange)) return undefined;
		ranges[code] = list;
	}
	return ranges;
}

function isRange(value: unknown): value is NumberRange {
	if (!Array.isArray(value) || value.length !== 2) return false;
	const [from, to] = value as readonly unknown[];
	const isFrom = isWhole(from, 1, Number.MAX_SAFE_INTEGER);
	return isFrom && isWhole(to, from, Number.MAX_SAFE_INTEGER);
}

/** Of each field its own, or its place in the list of them, or one for all fields. */
function parseStamps(
	row: Readonly<Record<string, unknown>>,
	fields: object,
	list: readonly FieldStamp[]
): FieldStamps | undefined {
	const value = row['stamps'];
	const named = isObject(value)
		? Object.entries(value)
		: Object.keys(fields).map((field): [string, unknown] => [field, value]);
	const stamps = named.map(([field, stamp]): [string, unknown] => [
		field,
		typeof stamp === 'number' ? list[stamp] : stamp
	]);
	// Each was looked at.
	return stamps.every(([, stamp]) => isStamp(stamp))
		? (Object.fromEntries(stamps) as FieldStamps)
		: undefined;
}

function isStamp(value: unknown): boolean {
	if (!Array.isArray(value) || value.length !== 3) return false;
	const [wall, counter, id] = value as readonly unknown[];
	const max = Number.MAX_SAFE_INTEGER;
	return isWhole(wall, 0, max) && isWhole(counter, 0, max) && parseFactId(id).ok;
}

/** The fields of an entity, apart from its key and stamps, without those that were never set. */
function fieldsOf(row: Readonly<Record<string, unknown>>, key: string): object {
	const apart = [key, 'stamps', 'searchKey', 'codeKeys', 'tileKey'];
	return Object.fromEntries(
		Object.entries(row).filter(([field, value]) => !apart.includes(field) && value !== undefined)
	);
}

function parseSetting(row: Readonly<Record<string, unknown>>): SettingRow | undefined {
	const { field, value } = row;
	const stamps = parseStamps(row, { value }, []);
	if (typeof field !== 'string' || !isSettingFields({ [field]: value })) return undefined;
	// Every form of a setting is one of the row's.
	return stamps && { field, value: value as SettingRow['value'], stamps };
}

function parseMember(row: Readonly<Record<string, unknown>>): MemberRow | undefined {
	const number = row['number'];
	const fields: unknown = fieldsOf(row, 'number');
	const stamps = parseStamps(row, fields as object, []);
	if (!isWhole(number, 1, Number.MAX_SAFE_INTEGER) || !isMemberFields(fields)) return undefined;
	return stamps && { ...fields, number, stamps };
}

function parseDevice(row: Readonly<Record<string, unknown>>): DeviceRow | undefined {
	const code = parseDeviceCode(row['code']);
	const fields: unknown = fieldsOf(row, 'code');
	const stamps = parseStamps(row, fields as object, []);
	if (!code.ok || !isDeviceFields(fields)) return undefined;
	return stamps && { ...fields, code: code.value, stamps };
}

function parseProduct(
	row: Readonly<Record<string, unknown>>,
	list: readonly FieldStamp[]
): ProductRow | undefined {
	const id = parseProductId(row['id']);
	const fields: unknown = fieldsOf(row, 'id');
	const stamps = parseStamps(row, fields as object, list);
	if (!id.ok || stamps === undefined || !isProductFields(fields)) return undefined;
	return {
		...fields,
		id: id.value,
		...productKeys(fields),
		stamps
	};
}

function parseCustomer(
	row: Readonly<Record<string, unknown>>,
	list: readonly FieldStamp[]
): CustomerRow | undefined {
	const ledger = parseLedgerId(row['ledger']);
	const fields: unknown = fieldsOf(row, 'ledger');
	const stamps = parseStamps(row, fields as object, list);
	if (!ledger.ok || stamps === undefined || !isCustomerFields(fields)) return undefined;
	return { ...fields, ledger: ledger.value, ...customerKeys(fields), stamps };
}

function parseRecord(row: Readonly<Record<string, unknown>>): RecordRow | undefined {
	const h = parseRecordHash(row['h']);
	const ledger = parseLedgerId(row['ledger']);
	const factId = parseFactId(row['factId']);
	const rest = parseRecordTerms(row);
	const more = parseRecordMore(row);
	if (!h.ok || !ledger.ok || !factId.ok) return undefined;
	if (rest === undefined || more === undefined) return undefined;
	return { h: h.value, ledger: ledger.value, factId: factId.value.id, ...rest, ...more };
}

type RecordTerms = Pick<
	RecordRow,
	'kind' | 'amount' | 'currency' | 'exponent' | 'at' | 'on' | 'record'
>;

function parseRecordTerms(row: Readonly<Record<string, unknown>>): RecordTerms | undefined {
	const { kind, amount, currency, exponent, at, on, record } = row;
	const max = Number.MAX_SAFE_INTEGER;
	if (!isOneOf(kind, recordKinds()) || !isWhole(amount, 1, max)) return undefined;
	if (!isText(currency, 3) || !isWhole(exponent, 0, 4)) return undefined;
	if (!isWhole(at, 0, max) || !isText(on, 10)) return undefined;
	const id = parseRecordId(record);
	return id.ok ? { kind, amount, currency, exponent, at, on, record: id.value } : undefined;
}

type RecordMore = Pick<
	RecordRow,
	'ref' | 'note' | 'dueAt' | 'receipt' | 'takenBy' | 'allocations' | 'isLate'
>;

/** What only some records say; absent and null are the same. */
function parseRecordMore(row: Readonly<Record<string, unknown>>): RecordMore | undefined {
	const said = Object.entries(RECORD_MORE).flatMap(([name, isRight]) => {
		const value = row[name];
		return value === undefined || value === null ? [] : [{ name, value, isRight }];
	});
	if (!said.every(({ value, isRight }) => isRight(value))) return undefined;
	return Object.fromEntries(said.map(({ name, value }) => [name, value]));
}

const RECORD_MORE: Readonly<Record<keyof RecordMore, (value: unknown) => boolean>> = {
	ref: (value) => parseRecordHash(value).ok,
	note: (value) => typeof value === 'string',
	dueAt: (value) => isWhole(value, 0, Number.MAX_SAFE_INTEGER),
	receipt: (value) => typeof value === 'string',
	takenBy: (value) => typeof value === 'string',
	allocations: (value) => Array.isArray(value) && value.every(isAllocation),
	isLate: (value) => value === true
};

function isAllocation(value: unknown): boolean {
	if (!Array.isArray(value) || value.length !== 2) return false;
	const [h, minor] = value as readonly unknown[];
	return parseRecordHash(h).ok && isWhole(minor, 1, Number.MAX_SAFE_INTEGER);
}

function parseStock(row: Readonly<Record<string, unknown>>): StockRow | undefined {
	const branch = parseBranchId(row['branch']);
	const product = parseProductId(row['product']);
	const level = parseSum(row['level']);
	if (!branch.ok || !product.ok || level === undefined) return undefined;
	return { branch: branch.value, product: product.value, level };
}

function parseDay(row: Readonly<Record<string, unknown>>): DayRow | undefined {
	const branch = parseBranchId(row['branch']);
	const on = row['on'];
	if (!branch.ok || !isText(on, 10)) return undefined;
	let totals: DayTotals = DAY_ZERO;
	for (const name of DAY_TOTAL_NAMES) {
		const sum = parseSum(row[name]);
		if (sum === undefined) return undefined;
		totals = { ...totals, [name]: sum };
	}
	return { ...totals, branch: branch.value, on };
}

function parseSum(value: unknown): bigint | undefined {
	return typeof value === 'string' && /^-?[0-9]{1,40}$/.test(value) ? BigInt(value) : undefined;
}

const PARSERS: Readonly<Record<keyof Tables, ParseRow>> = {
	settings: parseSetting,
	members: parseMember,
	devices: parseDevice,
	products: parseProduct,
	customers: parseCustomer,
	records: parseRecord,
	stock: parseStock,
	days: parseDay
};

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
