import { searchKey } from '#domain/text.ts';

/** What of a product is searched. */
export interface Searched {
	readonly name?: string;
	readonly codes?: readonly string[];
	/** Name and codes, folded. */
	readonly searchKey: string;
	readonly active?: boolean;
}

const CODE_DIGITS_MIN = 3;

/**
 * Products that bear every word of `query` in name or code, the likeliest first: a whole code, a
 * code's last digits, a name that begins so, a word that begins so, any. At most `limit` of them.
 */
export function searchProducts<T extends Searched>(
	products: readonly T[],
	query: string,
	limit: number
): readonly T[] {
	const key = searchKey(query);
	if (key === '') return [];
	const found: { readonly product: T; readonly rank: number }[] = [];
	for (const product of products) {
		const rank = product.active === false ? NO_MATCH : rankOf(product, key);
		if (rank < NO_MATCH) found.push({ product, rank });
	}
	found.sort((a, b) => a.rank - b.rank);
	return found.slice(0, limit).map(({ product }) => product);
}

const NO_MATCH = 5;

function rankOf(product: Searched, key: string): number {
	const codes = product.codes ?? [];
	if (codes.some((code) => searchKey(code) === key)) return 0;
	const isDigits = /^\d+$/.test(key) && key.length >= CODE_DIGITS_MIN;
	if (isDigits && codes.some((code) => searchKey(code).endsWith(key))) return 1;
	if (!key.split(' ').every((word) => product.searchKey.includes(word))) return NO_MATCH;
	if (product.searchKey.startsWith(key)) return 2;
	return product.searchKey.includes(` ${key}`) ? 3 : 4;
}
