import type { Effects, EntityChange } from '#domain/fact/effects.ts';
import type { FactId } from '#domain/ids.ts';
import { compareFactOrder } from '#domain/stamp.ts';
import type { FieldStamp, FieldStamps } from '#storage/device-store.ts';

/** What a fact does, and its place in the order of facts. */
export interface Stamped {
	readonly effects: Effects;
	readonly stamp: FieldStamp;
}

export interface EntityTable<Key, Row> {
	changesOf(effects: Effects): readonly EntityChange<Key, object>[];
	held(keys: readonly Key[]): Promise<readonly (Row | undefined)[]>;
	create(key: Key): Row;
	put(rows: readonly Row[]): Promise<void>;
}

/** Puts what facts say of entities in their rows; answers whether there was anything. */
export async function foldEntities<Key, Row extends { readonly stamps: FieldStamps }>(
	counted: readonly Stamped[],
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
export function laterFields<Row extends { readonly stamps: FieldStamps }>(
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

export function compareFieldStamps(a: FieldStamp, b: FieldStamp): number {
	return compareFactOrder(orderOf(a), orderOf(b));
}

function orderOf([wall, counter, id]: FieldStamp): { wall: number; counter: number; id: FactId } {
	return { wall, counter, id };
}
