import type { LinkSpan } from '#domain/confirmation/standing.ts';
import type { LinkFact } from '#domain/fact/ledger-fact.ts';
import type { FactId } from '#domain/ids.ts';
import { compareFactOrder } from '#domain/stamp.ts';

/** What a fact of a connection, the shop's `link` or the customer's `card`, says of how it stands. */
export interface LinkChange extends Pick<LinkFact, 'id' | 'at'> {
	readonly fields: Pick<LinkFact['fields'], 'state' | 'way' | 'at' | 'since'>;
}

/**
 * When an account or a proved number stood behind a ledger, oldest first, from all that was ever
 * said of its connection: in any order and any repetition.
 */
export function linkSpans(changes: Iterable<LinkChange>): readonly LinkSpan[] {
	const spans: LinkSpan[] = [];
	let open: LinkSpan | undefined;
	for (const { isLinked, at, way, since } of statesOf(changes)) {
		if (isLinked && open?.way === way) continue;
		if (open !== undefined) spans.push({ ...open, to: at });
		open = isLinked
			? { from: at, to: null, way, ...(since !== undefined && { since }) }
			: undefined;
	}
	return open === undefined ? spans : [...spans, open];
}

interface LinkState {
	readonly isLinked: boolean;
	readonly at: number;
	readonly way: LinkSpan['way'];
	readonly since: number | undefined;
}

/**
 * Each once, in the order of facts. One that names no state says nothing of it; one that names no
 * time speaks of its own.
 */
function statesOf(changes: Iterable<LinkChange>): readonly LinkState[] {
	const distinct = new Map<FactId, LinkChange>(Array.from(changes, (each) => [each.id, each]));
	return [...distinct.values()]
		.sort((a, b) => compareFactOrder({ ...a.at, id: a.id }, { ...b.at, id: b.id }))
		.flatMap(({ at: { wall }, fields }): readonly LinkState[] => {
			const { state, at = wall, way = 'app', since } = fields;
			return state === undefined ? [] : [{ isLinked: state === 'linked', at, way, since }];
		});
}
