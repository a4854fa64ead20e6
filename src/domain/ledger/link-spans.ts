import type { LinkSpan } from '#domain/confirmation/standing.ts';
import type { LinkFact } from '#domain/fact/ledger-fact.ts';
import type { FactId } from '#domain/ids.ts';
import { compareFactOrder } from '#domain/stamp.ts';

/** What a fact of a connection, the shop's `link` or the customer's `card`, says of how it stands. */
export interface LinkChange extends Pick<LinkFact, 'id' | 'at'> {
	readonly fields: Pick<LinkFact['fields'], 'state' | 'way' | 'at'>;
}

/**
 * When an account or a proved number stood behind a ledger, oldest first, from all that was ever
 * said of its connection: in any order and any repetition. A fact that names no state says nothing
 * of it; one that names no time speaks of its own.
 */
export function linkSpans(changes: Iterable<LinkChange>): readonly LinkSpan[] {
	const distinct = new Map<FactId, LinkChange>(Array.from(changes, (each) => [each.id, each]));
	const spans: LinkSpan[] = [];
	let open: LinkSpan | undefined;
	const inOrder = [...distinct.values()].sort((a, b) =>
		compareFactOrder({ ...a.at, id: a.id }, { ...b.at, id: b.id })
	);
	for (const { at: stamp, fields } of inOrder) {
		const { state, at = stamp.wall, way = 'app' } = fields;
		const isSame = state === undefined || (state === 'linked' && open?.way === way);
		if (isSame) continue;
		if (open !== undefined) spans.push({ ...open, to: at });
		open = state === 'linked' ? { from: at, to: null, way } : undefined;
	}
	return open === undefined ? spans : [...spans, open];
}
