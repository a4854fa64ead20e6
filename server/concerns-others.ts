import { recordsOf } from '#domain/fact/effects.ts';
import type { Fact, FactKind } from '#domain/fact/fact.ts';

/** What a shop writes of itself alone, unless it carries a record. */
const OF_ONE_SHOP: ReadonlySet<FactKind> = new Set([
	'sale',
	'return',
	'adjust',
	'product',
	'customer'
] as const);

/** Whether a fact may have to be judged, or carried between a shop and its customers. */
export function concernsOthers(fact: Fact): boolean {
	return !OF_ONE_SHOP.has(fact.kind) || recordsOf(fact).length > 0;
}
