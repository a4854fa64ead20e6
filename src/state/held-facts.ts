import { groupBy } from '#domain/group-by.ts';
import type { StoreReader } from '#storage/device-store.ts';

/** A fact by its name. */
export interface FactName {
	readonly id: string;
	readonly code: string;
	readonly n: number;
}

/** Numbers that lie so close together are asked for as a range, each row of which was asked for or is next to one. */
const WIDTH_MAX = 2;

/**
 * Which of these facts are here. What arrives together is mostly numbered in a row: one question for
 * each device's numbers, where one for each fact costs a slow phone more than all else about them.
 */
export async function heldOf(
	rows: StoreReader,
	facts: readonly FactName[]
): Promise<ReadonlySet<string>> {
	const held = new Set<string>();
	for (const [code, ofCode] of groupBy(facts, (one) => one.code)) {
		const numbers = ofCode.map(({ n }) => n);
		const [from, to] = [Math.min(...numbers), Math.max(...numbers)];
		const isClose = to - from < WIDTH_MAX * ofCode.length;
		const found = isClose
			? await rows.find('facts', { index: 'code+n', from: [code, from], to: [code, to] })
			: await rows.getMany(
					'facts',
					ofCode.map(({ id }) => id)
				);
		for (const row of found) if (row !== undefined) held.add(row.id);
	}
	return held;
}
