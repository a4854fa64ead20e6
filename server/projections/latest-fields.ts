import type { FactId } from '#domain/ids.ts';
import { compareFactOrder, type FactOrder } from '#domain/stamp.ts';

/** Where in the order of facts a field was last set. */
export type FieldStamp = readonly [wall: number, counter: number, id: string];

/** An entity as its facts left it. */
export interface LatestFields {
	readonly fields: Readonly<Record<string, unknown>>;
	readonly stamps: Readonly<Record<string, FieldStamp>>;
}

export const NO_FIELDS: LatestFields = { fields: {}, stamps: {} };

/** PROJ-5. Takes over each field that is set later, in fact order, than the one that is held. */
export function foldLatest(held: LatestFields, set: object, order: FactOrder): LatestFields {
	const fields = { ...held.fields };
	const stamps = { ...held.stamps };
	for (const [name, value] of Object.entries(set) as readonly (readonly [string, unknown])[]) {
		const stamp = stamps[name];
		if (stamp !== undefined && compareFactOrder(orderOf(stamp), order) >= 0) continue;
		fields[name] = value;
		stamps[name] = [order.wall, order.counter, order.id];
	}
	return { fields, stamps };
}

function orderOf([wall, counter, id]: FieldStamp): FactOrder {
	return { wall, counter, id: id as FactId };
}
