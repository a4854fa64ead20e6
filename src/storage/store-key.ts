import type { Key } from './device-store.ts';

/** The order of IndexedDB: every number before every text before every list; lists by their first difference. */
export function compareKeys(a: Key, b: Key): number {
	const byKind = kindOf(a) - kindOf(b);
	if (byKind !== 0) return byKind;
	if (isList(a) && isList(b)) return compareLists(a, b);
	if (a === b) return 0;
	return a < b ? -1 : 1;
}

/** A text that two keys share only if they are the same key. */
export function nameOfKey(key: Key): string | number {
	return isList(key) ? JSON.stringify(key) : key;
}

/** The key made of a row's fields; undefined where one of them is no key, as an index leaves such rows out. */
export function keyOf(row: object, fields: readonly string[]): Key | undefined {
	const parts = fields.map((field): unknown => Reflect.get(row, field));
	if (!parts.every(isPart)) return undefined;
	return parts.length === 1 ? parts[0] : parts;
}

function compareLists(a: readonly (number | string)[], b: readonly (number | string)[]): number {
	for (const [place, part] of a.entries()) {
		const other = b[place];
		if (other === undefined) return 1;
		const order = compareKeys(part, other);
		if (order !== 0) return order;
	}
	return a.length - b.length;
}

function kindOf(key: Key): number {
	if (typeof key === 'number') return 0;
	return typeof key === 'string' ? 1 : 2;
}

function isList(key: Key): key is readonly (number | string)[] {
	return typeof key === 'object';
}

function isPart(part: unknown): part is number | string {
	return typeof part === 'string' || typeof part === 'number';
}
