import { groupBy } from '#domain/group-by.ts';
import type { FactRow, StoreReader } from '#storage/device-store.ts';

/** A fact by its name. */
export interface FactName {
	readonly id: string;
	readonly code: string;
	readonly n: number;
}

/** So many numbers, in a range no wider than twice as many, are asked for at once. */
const ROW = { least: 16, width: 2 } as const;

/**
 * Those of these facts that are here, by id. What arrives together is mostly numbered in a row: one question for
 * each device's numbers, where one for each fact costs a slow phone more than all else about them.
 */
export async function heldOf(
	rows: StoreReader,
	facts: readonly FactName[]
): Promise<ReadonlyMap<string, FactRow>> {
	const held = new Map<string, FactRow>();
	for (const [code, ofCode] of groupBy(facts, (one) => one.code)) {
		const numbers = ofCode.map(({ n }) => n);
		const [from, to] = [Math.min(...numbers), Math.max(...numbers)];
		const isRow = ofCode.length >= ROW.least && to - from < ROW.width * ofCode.length;
		const found = isRow
			? await rows.find('facts', { index: 'code+n', from: [code, from], to: [code, to] })
			: await rows.getMany(
					'facts',
					ofCode.map(({ id }) => id)
				);
		for (const row of found) if (row !== undefined) held.set(row.id, row);
	}
	return held;
}
