import { assert } from '#domain/assert.ts';
import { TABLES, type Key, type Span, type TableName } from './device-store.ts';
import { compareKeys, keyOf, nameOfKey } from './store-key.ts';

/** One table in memory, with its indexes. Rows are frozen as they come in. */
export interface MemoryTable<Row extends object> {
	get(key: Key): Row | undefined;
	put(row: Row): Row | undefined;
	remove(key: Key): Row | undefined;
	find(span: Span): readonly Row[];
	all(): readonly Row[];
	size(): number;
}

type Name = string | number;
interface Held<Row> {
	readonly key: Key;
	readonly row: Row;
}
interface Entry<Row> {
	readonly key: Key;
	readonly held: Map<Name, Held<Row>>;
}
type Index<Row> = Map<Name, Entry<Row>>;

export function createMemoryTable<Row extends object>(table: TableName): MemoryTable<Row> {
	const form = TABLES[table];
	const rows = new Map<Name, Held<Row>>();
	const indexes = new Map(
		form.indexes.map((name): [string, Index<Row>] => [name, new Map<Name, Entry<Row>>()])
	);

	function take(name: Name): Row | undefined {
		const held = rows.get(name);
		if (held === undefined) return undefined;
		rows.delete(name);
		for (const [spelling, index] of indexes) leave(index, indexKeys(spelling, held.row), name);
		return held.row;
	}

	function put(row: Row): Row | undefined {
		const key = keyOf(row, form.key);
		assert(key !== undefined, `a row of ${table} has no key`);
		const name = nameOfKey(key);
		const before = take(name);
		const held = { key, row: freeze(row) };
		rows.set(name, held);
		for (const [spelling, index] of indexes) enter(index, indexKeys(spelling, row), [name, held]);
		return before;
	}

	function find(span: Span): readonly Row[] {
		const found = span.index === undefined ? byKey(rows, span) : byIndex(indexOf(span.index), span);
		if (span.isReverse === true) found.reverse();
		return found.slice(0, span.limit ?? found.length).map(({ row }) => row);
	}

	function indexOf(name: string): Index<Row> {
		const index = indexes.get(name) ?? indexes.get(`*${name}`);
		assert(index !== undefined, `${table} has no index ${name}`);
		return index;
	}

	return {
		get: (key) => rows.get(nameOfKey(key))?.row,
		put,
		remove: (key) => take(nameOfKey(key)),
		find,
		all: () => [...rows.values()].sort((a, b) => compareKeys(a.key, b.key)).map(({ row }) => row),
		size: () => rows.size
	};
}

/** The keys under which an index lists a row: one, several of a list, or none. */
function indexKeys(spelling: string, row: object): readonly Key[] {
	if (spelling.startsWith('*')) {
		const list: unknown = Reflect.get(row, spelling.slice(1));
		return Array.isArray(list) ? [...new Set(list.filter((part) => typeof part === 'string'))] : [];
	}
	const key = keyOf(row, spelling.split('+'));
	return key === undefined ? [] : [key];
}

function enter<Row>(
	index: Index<Row>,
	keys: readonly Key[],
	[name, held]: readonly [Name, Held<Row>]
): void {
	for (const key of keys) {
		const entry = index.get(nameOfKey(key)) ?? { key, held: new Map<Name, Held<Row>>() };
		entry.held.set(name, held);
		index.set(nameOfKey(key), entry);
	}
}

function leave<Row>(index: Index<Row>, keys: readonly Key[], name: Name): void {
	for (const key of keys) {
		const entry = index.get(nameOfKey(key));
		entry?.held.delete(name);
		if (entry?.held.size === 0) index.delete(nameOfKey(key));
	}
}

function byKey<Row>(rows: ReadonlyMap<Name, Held<Row>>, span: Span): Held<Row>[] {
	return [...rows.values()]
		.filter(({ key }) => isWithin(key, span))
		.sort((a, b) => compareKeys(a.key, b.key));
}

function byIndex<Row>(index: Index<Row>, span: Span): Held<Row>[] {
	const entries =
		compareKeys(span.from, span.to) === 0
			? [index.get(nameOfKey(span.from))].filter((entry) => entry !== undefined)
			: [...index.values()].filter(({ key }) => isWithin(key, span));
	return entries
		.sort((a, b) => compareKeys(a.key, b.key))
		.flatMap(({ held }) => [...held.values()].sort((a, b) => compareKeys(a.key, b.key)));
}

function isWithin(key: Key, { from, to }: Span): boolean {
	return compareKeys(key, from) >= 0 && compareKeys(key, to) <= 0;
}

function freeze<T>(value: T): T {
	if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
	if (!Object.isFrozen(value)) {
		Object.freeze(value);
		Object.values(value).forEach(freeze);
	}
	return value;
}
