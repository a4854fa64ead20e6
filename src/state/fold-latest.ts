import { effectsOf } from '#domain/fact/effects.ts';
import type { BranchId, DeviceCode, LedgerId, ProductId } from '#domain/ids.ts';
import type {
	CustomerRow,
	DeviceRow,
	FieldStamp,
	MemberRow,
	ProductRow,
	RecordRow,
	SettingRow,
	StoreWriter,
	TableName
} from '#storage/device-store.ts';
import type { ArrivedFact } from './arrived-fact.ts';
import { customerKeys, productKeys } from './entity-keys.ts';
import { foldEntities } from './fold-entities.ts';
import type { LedgerCounted } from './fold-ledger-facts.ts';
import type { CheckpointPlace } from './meta.ts';
import { isInRanges } from './number-ranges.ts';

export interface Counted extends LedgerCounted {
	readonly branch: BranchId | '';
	readonly records: readonly RecordRow[];
}

/** What a fact does, ready to be counted; nothing of a kind that is not known. */
export function countedOf({ fact, row, records }: ArrivedFact): readonly Counted[] {
	if (fact === null) return [];
	const { wall, counter, id, branch, on, by } = row;
	const stamp: FieldStamp = [wall, counter, id];
	return [{ effects: effectsOf(fact), stamp, branch, on, by, fact, records }];
}

/** Whether the checkpoint's rows hold what the fact does. */
export function isInside(
	fact: { readonly code: string; readonly n: number },
	checkpoint: CheckpointPlace | undefined
): boolean {
	return isInRanges(fact, checkpoint?.ranges);
}

/** What the latest fact says of each field; folded again it says the same. */
export async function foldLatest(
	rows: StoreWriter,
	counted: readonly Counted[]
): Promise<readonly TableName[]> {
	const moved: TableName[] = [];
	for (const [table, fold] of LATEST) if (await fold(rows, counted)) moved.push(table);
	return moved;
}

export type Fold = (rows: StoreWriter, counted: readonly Counted[]) => Promise<boolean>;

const LATEST: readonly (readonly [TableName, Fold])[] = [
	['products', foldProducts],
	['customers', foldCustomers],
	['settings', foldSettings],
	['members', foldMembers],
	['devices', foldDevices]
];

function foldProducts(rows: StoreWriter, counted: readonly Counted[]): Promise<boolean> {
	return foldEntities<ProductId, ProductRow>(counted, {
		changesOf: ({ products }) => products,
		held: (ids) => rows.getMany('products', ids),
		create: (id) => ({ id, ...productKeys({}), stamps: {} }),
		put: (changed) =>
			rows.put(
				'products',
				changed.map((row) => ({ ...row, ...productKeys(row) }))
			)
	});
}

function foldCustomers(rows: StoreWriter, counted: readonly Counted[]): Promise<boolean> {
	return foldEntities<LedgerId, CustomerRow>(counted, {
		changesOf: ({ customers }) => customers,
		held: (ledgers) => rows.getMany('customers', ledgers),
		create: (ledger) => ({ ledger, ...customerKeys({}), stamps: {} }),
		put: (changed) =>
			rows.put(
				'customers',
				changed.map((row) => ({ ...row, ...customerKeys(row) }))
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
