import type { Receipt } from './book.ts';
import type { ProductId } from '#domain/ids.ts';

/** Products by how many of these sales they stand on, most first; at most `limit`. */
export function oftenSold(receipts: readonly Receipt[], limit: number): readonly ProductId[] {
	const sales = new Map<ProductId, number>();
	for (const { fact } of receipts) {
		if (fact.kind !== 'sale') continue;
		const ids = new Set(fact.lines.flatMap(({ productId }) => productId ?? []));
		for (const id of ids) sales.set(id, (sales.get(id) ?? 0) + 1);
	}
	return [...sales]
		.toSorted(([a, salesA], [b, salesB]) =>
			salesA === salesB ? (a < b ? -1 : 1) : salesB - salesA
		)
		.slice(0, limit)
		.map(([id]) => id);
}
