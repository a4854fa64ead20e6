import type { LinkSpan } from '#domain/confirmation/standing.ts';
import type { CardFields } from '#domain/fact/ledger-fact.ts';
import { linkSpans, type LinkChange } from '#domain/ledger/link-spans.ts';

/** Since when the customer stands there, or did last; 0 where nothing is known of it. */
export function standsSince(cards: Iterable<LinkChange>): number {
	const own = linkSpans(cards).at(-1);
	return own?.since ?? own?.from ?? 0;
}

/**
 * When somebody stood behind a ledger, from its customer's cards, which say of themselves when he did
 * and beside it when others did before; in no promised order.
 */
export function cardSpans(
	cards: Iterable<LinkChange & { readonly fields: Pick<CardFields, 'before'> }>
): readonly LinkSpan[] {
	const all = Array.from(cards);
	const before = all.flatMap(({ fields }) => fields.before ?? []);
	return [...before.map(([from, to, way, since]) => ({ from, to, way, since })), ...linkSpans(all)];
}
