import { foldLedger, type LedgerRecord } from '#domain/confirmation/ledger-fold.ts';
import {
	addDayTotals,
	DAY_ZERO,
	effectsOf,
	type DayTotals,
	type Effects,
	type EntityChange
} from '#domain/fact/effects.ts';
import {
	compareFactIds,
	type BranchId,
	type BusinessId,
	type DeviceCode,
	type FactId,
	type LedgerId,
	type ProductId
} from '#domain/ids.ts';
import { compareFactOrder } from '#domain/stamp.ts';
import { codeKey, searchKey } from '#domain/text.ts';
import { groupBy } from '#domain/group-by.ts';
import type {
	CustomerRow,
	DeviceRow,
	FieldStamp,
	FieldStamps,
	MemberRow,
	ProductRow,
	RecordRow,
	SettingRow,
	StoreWriter,
	TableName
} from '#storage/device-store.ts';
import type { ArrivedFact } from './arrived-fact.ts';
import { readMeta, type CheckpointPlace } from './meta.ts';
import { ledgerRecordOf } from './record-row.ts';

/** Every table that folding may read or write. */
export const READ_MODEL_TABLES: readonly TableName[] = [
	'meta',
	'facts',
	'products',
	'customers',
	'settings',
	'members',
	'devices',
	'records',
	'balances',
	'stock',
	'days'
];

/**
 * Keeps facts and adds what they do to the numbers, each id once whatever came before: all of it
 * inside one transaction over `READ_MODEL_TABLES`. A fact that a checkpoint held already is kept and
 * not added again. Answers which tables moved, and the facts that were new.
 */
export async function foldArrived(
	rows: StoreWriter,
	arrived: readonly ArrivedFact[],
	business: BusinessId
): Promise<FoldReport> {
	const byId = new Map(arrived.map((one) => [one.row.id, one]));
	const distinct = [...byId.values()];
	const held = await rows.getMany('facts', [...byId.keys()]);
	const fresh = distinct.filter((_one, place) => held[place] === undefined);
	if (fresh.length === 0) return { moved: [], fresh };
	await rows.put(
		'facts',
		fresh.map(({ row }) => row)
	);

	const checkpoint = await readMeta(rows, 'checkpoint');
	const counted = fresh.filter(({ row }) => !isInside(row, checkpoint));
	const moved = await addAll(rows, counted, business);
	return { moved: ['facts', ...moved], fresh };
}

export interface FoldReport {
	readonly moved: readonly TableName[];
	readonly fresh: readonly ArrivedFact[];
}

/** Adds facts that are kept already, and were not counted yet. */
export async function addAll(
	rows: StoreWriter,
	arrived: readonly ArrivedFact[],
	business: BusinessId
): Promise<readonly TableName[]> {
	const counted = arrived.flatMap(({ fact, row, records }): Counted[] => {
		if (fact === null) return [];
		const stamp: FieldStamp = [row.wall, row.counter, row.id];
		return [{ effects: effectsOf(fact), stamp, branch: row.branch, on: row.on, records }];
	});
	const moved: TableName[] = [];
	if (await addStock(rows, counted)) moved.push('stock');
	if (await addDayRows(rows, counted)) moved.push('days');
	if (await foldProducts(rows, counted)) moved.push('products');
	if (await foldCustomers(rows, counted)) moved.push('customers');
	if (await foldSettings(rows, counted)) moved.push('settings');
	if (await foldMembers(rows, counted)) moved.push('members');
	if (await foldDevices(rows, counted)) moved.push('devices');
	const records = counted.flatMap((one) => one.records);
	if (await addRecords(rows, records, business)) moved.push('records', 'balances');
	return moved;
}

/** Whether the checkpoint's rows hold what the fact does. */
export function isInside(
	{ code, n }: { readonly code: string; readonly n: number },
	checkpoint: CheckpointPlace | undefined
): boolean {
	return checkpoint?.ranges[code]?.some(([from, to]) => n >= from && n <= to) === true;
}

interface Counted {
	readonly effects: Effects;
	readonly stamp: FieldStamp;
	readonly branch: BranchId | '';
	readonly on: string;
	readonly records: readonly RecordRow[];
}

async function addStock(rows: StoreWriter, counted: readonly Counted[]): Promise<boolean> {
	const added = new Map<string, { branch: BranchId; product: ProductId; level: bigint }>();
	for (const { effects, branch } of counted) {
		if (branch === '') continue;
		for (const { productId, deltaThousandths } of effects.stock) {
			const key = `${branch} ${productId}`;
			const level = (added.get(key)?.level ?? 0n) + BigInt(deltaThousandths);
			added.set(key, { branch, product: productId, level });
		}
	}
	const deltas = [...added.values()];
	if (deltas.length === 0) return false;
	const before = await rows.getMany(
		'stock',
		deltas.map(({ branch, product }) => [branch, product])
	);
	await rows.put(
		'stock',
		deltas.map((delta, place) => ({ ...delta, level: delta.level + (before[place]?.level ?? 0n) }))
	);
	return true;
}

async function addDayRows(rows: StoreWriter, counted: readonly Counted[]): Promise<boolean> {
	const added = new Map<string, { branch: BranchId; on: string; totals: DayTotals }>();
	for (const { effects, branch, on } of counted) {
		if (branch === '' || effects.day === null) continue;
		const key = `${branch} ${on}`;
		const totals = addDayTotals(added.get(key)?.totals ?? DAY_ZERO, effects.day);
		added.set(key, { branch, on, totals });
	}
	const deltas = [...added.values()];
	if (deltas.length === 0) return false;
	const before = await rows.getMany(
		'days',
		deltas.map(({ branch, on }) => [branch, on])
	);
	await rows.put(
		'days',
		deltas.map(({ branch, on, totals }, place) => ({
			...addDayTotals(before[place] ?? DAY_ZERO, totals),
			branch,
			on
		}))
	);
	return true;
}

function foldProducts(rows: StoreWriter, counted: readonly Counted[]): Promise<boolean> {
	return foldEntities<ProductId, ProductRow>(counted, {
		changesOf: ({ products }) => products,
		held: (ids) => rows.getMany('products', ids),
		create: (id) => ({ id, searchKey: '', codeKeys: [], stamps: {} }),
		put: (changed) =>
			rows.put(
				'products',
				changed.map((row) => ({
					...row,
					searchKey: searchKey(row.name ?? ''),
					codeKeys: [...new Set((row.codes ?? []).map(codeKey))]
				}))
			)
	});
}

function foldCustomers(rows: StoreWriter, counted: readonly Counted[]): Promise<boolean> {
	return foldEntities<LedgerId, CustomerRow>(counted, {
		changesOf: ({ customers }) => customers,
		held: (ledgers) => rows.getMany('customers', ledgers),
		create: (ledger) => ({ ledger, searchKey: '', stamps: {} }),
		put: (changed) =>
			rows.put(
				'customers',
				changed.map((row) => ({
					...row,
					searchKey: searchKey([row.name ?? '', row.nick ?? '', row.phone ?? ''].join(' '))
				}))
			)
	});
}

function foldMembers(rows: StoreWriter, counted: readonly Counted[]): Promise<boolean> {
	return foldEntities<number, MemberRow>(counted, {
		changesOf: ({ members }) => members,
		held: (numbers) => rows.getMany('members', numbers),
		create: (number) => ({ number, stamps: {} }),
		put: (changed) => rows.put('members', changed)
	});
}

function foldDevices(rows: StoreWriter, counted: readonly Counted[]): Promise<boolean> {
	return foldEntities<DeviceCode, DeviceRow>(counted, {
		changesOf: ({ devices }) => devices,
		held: (codes) => rows.getMany('devices', codes),
		create: (code) => ({ code, stamps: {} }),
		put: (changed) => rows.put('devices', changed)
	});
}

/** A setting is an entity of one field, so that two settings may come from two facts. */
function foldSettings(rows: StoreWriter, counted: readonly Counted[]): Promise<boolean> {
	return foldEntities<string, SettingRow>(counted, {
		changesOf: ({ settings }) =>
			Object.entries(settings ?? {}).map(([key, value]: [string, unknown]) => ({
				key,
				fields: { value }
			})),
		held: (fields) => rows.getMany('settings', fields),
		create: (field) => ({ field, value: '', stamps: {} }),
		put: (changed) => rows.put('settings', changed)
	});
}

interface EntityTable<Key, Row> {
	changesOf(effects: Effects): readonly EntityChange<Key, object>[];
	held(keys: readonly Key[]): Promise<readonly (Row | undefined)[]>;
	create(key: Key): Row;
	put(rows: readonly Row[]): Promise<void>;
}

async function foldEntities<Key, Row extends { readonly stamps: FieldStamps }>(
	counted: readonly Counted[],
	table: EntityTable<Key, Row>
): Promise<boolean> {
	const changes = counted.flatMap(({ effects, stamp }) =>
		table.changesOf(effects).map(({ key, fields }) => ({ key, fields, stamp }))
	);
	const keys = [...new Set(changes.map(({ key }) => key))];
	if (keys.length === 0) return false;
	const held = await table.held(keys);
	const rowByKey = new Map(keys.map((key, place) => [key, held[place] ?? table.create(key)]));
	for (const { key, fields, stamp } of changes) {
		rowByKey.set(key, laterFields(rowByKey.get(key) ?? table.create(key), fields, stamp));
	}
	await table.put([...rowByKey.values()]);
	return true;
}

/** Each field by the latest fact that named it. */
function laterFields<Row extends { readonly stamps: FieldStamps }>(
	row: Row,
	fields: object,
	stamp: FieldStamp
): Row {
	const later = Object.entries(fields).filter(([field]) => {
		const before = row.stamps[field];
		return before === undefined || compareFieldStamps(stamp, before) > 0;
	});
	const stamps = Object.fromEntries(later.map(([field]) => [field, stamp]));
	return { ...row, ...Object.fromEntries(later), stamps: { ...row.stamps, ...stamps } };
}

function compareFieldStamps(a: FieldStamp, b: FieldStamp): number {
	return compareFactOrder(orderOf(a), orderOf(b));
}

function orderOf([wall, counter, id]: FieldStamp): { wall: number; counter: number; id: FactId } {
	return { wall, counter, id };
}

/** Keeps each H once, under the first fact that carried it, and folds the ledgers anew that they are of. */
async function addRecords(
	rows: StoreWriter,
	records: readonly RecordRow[],
	business: BusinessId
): Promise<boolean> {
	if (records.length === 0) return false;
	const hashes = [...new Set(records.map(({ h }) => h))];
	const held = await rows.getMany('records', hashes);
	const rowByHash = new Map(held.flatMap((row) => (row === undefined ? [] : [[row.h, row]])));
	for (const row of records) {
		const before = rowByHash.get(row.h);
		if (before === undefined || compareFactIds(row.factId, before.factId) < 0) {
			rowByHash.set(row.h, row);
		}
	}
	await rows.put('records', [...rowByHash.values()]);
	await foldBalances(rows, [...new Set(records.map(({ ledger }) => ledger))], business);
	return true;
}

export async function foldBalances(
	rows: StoreWriter,
	ledgers: readonly LedgerId[],
	business: BusinessId
): Promise<void> {
	const records = await rows.findAny('records', 'ledger', ledgers);
	const recordsByLedger = groupBy(records, ({ ledger }) => ledger);
	const balances = [...recordsByLedger].flatMap(([ledgerId, ofLedger]) => {
		const scope = { businessId: business, ledgerId };
		const folded = ofLedger.map((row): LedgerRecord => ledgerRecordOf(row, business));
		const lastAt = ofLedger.reduce((last, { at }) => Math.max(last, at), 0);
		const sums = foldLedger(scope, { records: folded, events: [] });
		return [...sums].map(([currency, of]) => ({ ...of, ledger: ledgerId, currency, lastAt }));
	});
	await rows.put('balances', balances);
}
