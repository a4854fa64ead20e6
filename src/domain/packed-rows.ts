/**
 * Rows as columns: those that name the same fields together, each field once with a list of its
 * values. What repeats then stands side by side, where gzip finds it.
 */
export type PackedRows = readonly PackedGroup[];
type PackedGroup = readonly [
	fields: readonly string[],
	...columns: readonly (readonly unknown[])[]
];

type Row = Readonly<Record<string, unknown>>;

/** Rows of one set of fields stay in their order. */
export function packRows(rows: readonly object[]): PackedRows {
	const groups = new Map<string, object[]>();
	for (const row of rows) {
		const key = Object.keys(row).join('\n');
		const group = groups.get(key);
		if (group === undefined) groups.set(key, [row]);
		else group.push(row);
	}
	return [...groups.values()].map((group): PackedGroup => {
		const fields = Object.keys(group[0] ?? {});
		return [fields, ...fields.map((field) => group.map((row): unknown => Reflect.get(row, field)))];
	});
}

/** Undefined where it is not of the form. */
export function unpackRows(packed: unknown): readonly Row[] | undefined {
	if (!Array.isArray(packed)) return undefined;
	const groups = packed.map(unpackGroup);
	return groups.every((group) => group !== undefined) ? groups.flat() : undefined;
}

function unpackGroup(group: unknown): readonly Row[] | undefined {
	if (!Array.isArray(group)) return undefined;
	const [fields, ...columns] = group as readonly unknown[];
	if (!isFields(fields) || columns.length !== fields.length) return undefined;
	const [first] = columns;
	if (!Array.isArray(first)) return undefined;
	const { length } = first;
	if (!columns.every((column) => Array.isArray(column) && column.length === length))
		return undefined;
	// Looked at one by one above.
	const lists = columns as readonly (readonly unknown[])[];
	return Array.from({ length }, (_none, place) =>
		Object.fromEntries(fields.map((field, at) => [field, lists[at]?.[place]]))
	);
}

function isFields(fields: unknown): fields is readonly string[] {
	return Array.isArray(fields) && fields.every((field) => typeof field === 'string');
}
