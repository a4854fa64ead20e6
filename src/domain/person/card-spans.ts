import type { LinkSpan } from '#domain/confirmation/standing.ts';
import type { CardFields } from '#domain/fact/ledger-fact.ts';
import { linkSpans, type LinkChange } from '#domain/ledger/link-spans.ts';

/**
 * When somebody stood behind a ledger, from its customer's cards, which say of themselves when he did
 * and beside it when others did before; in no promised order.
 */
export function cardSpans(
	cards: Iterable<LinkChange & { readonly fields: Pick<CardFields, 'before'> }>
): readonly LinkSpan[] {
	const all = Array.from(cards);
	const before = all.flatMap(({ fields }) => fields.before ?? []);
	return [...before.map(([from, to, way]) => ({ from, to, way })), ...linkSpans(all)];
}
