/** Rows by key, in the order in which they came. Our oldest browsers have no grouping of their own. */
export function groupBy<Row, Key>(
	rows: Iterable<Row>,
	keyOf: (row: Row) => Key
): ReadonlyMap<Key, readonly Row[]> {
	const rowsByKey = new Map<Key, Row[]>();
	for (const row of rows) {
		const key = keyOf(row);
		const group = rowsByKey.get(key);
		if (group === undefined) rowsByKey.set(key, [row]);
		else group.push(row);
	}
	return rowsByKey;
}
