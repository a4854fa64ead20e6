import { present } from '#domain/assert.ts';
import type { FactId, LedgerId } from '#domain/ids.ts';
import { compareFactOrder, type Stamp } from '#domain/stamp.ts';

/** That two cards are one person's, or are no longer, with the place of its fact. */
export interface CardEdge {
	readonly a: LedgerId;
	readonly b: LedgerId;
	readonly isJoined: boolean;
	readonly at: Stamp;
	readonly id: FactId;
}

export interface CardGroups {
	/** The card under whose name a group goes, for every card of a group: its smallest id. */
	readonly headOf: ReadonlyMap<LedgerId, LedgerId>;
	/** The cards of each group by its head, sorted; a card alone is in none. */
	readonly members: ReadonlyMap<LedgerId, readonly LedgerId[]>;
	/** Edges that would have joined two accounts. */
	readonly refused: readonly CardEdge[];
}

/**
 * Which cards are one person's page. Of the edges between two cards the last in fact order counts;
 * those that join are taken in fact order, and none makes one page of two `linked` cards, whoever
 * stands behind them.
 */
export function cardGroups(edges: Iterable<CardEdge>, linked: ReadonlySet<LedgerId>): CardGroups {
	const last = new Map<string, CardEdge>();
	for (const edge of [...edges].sort(byFactOrder)) last.set(pairOf(edge), edge);
	const groups = new Map<LedgerId, readonly LedgerId[]>();
	const groupOf = (ledger: LedgerId): readonly LedgerId[] => groups.get(ledger) ?? [ledger];
	const refused: CardEdge[] = [];
	for (const edge of [...last.values()].sort(byFactOrder)) {
		const [a, b] = [groupOf(edge.a), groupOf(edge.b)];
		if (!edge.isJoined || a.includes(edge.b)) continue;
		const joined = [...a, ...b].sort();
		if (joined.filter((ledger) => linked.has(ledger)).length > 1) {
			refused.push(edge);
			continue;
		}
		for (const ledger of joined) groups.set(ledger, joined);
	}
	const headOf = new Map<LedgerId, LedgerId>();
	const members = new Map<LedgerId, readonly LedgerId[]>();
	for (const [ledger, group] of groups) {
		const head = present(group[0], 'a group has members');
		headOf.set(ledger, head);
		members.set(head, group);
	}
	return { headOf, members, refused };
}

/** One pair, whoever was named first. */
function pairOf({ a, b }: CardEdge): string {
	return a < b ? `${a} ${b}` : `${b} ${a}`;
}

function byFactOrder(one: CardEdge, other: CardEdge): number {
	return compareFactOrder({ ...one.at, id: one.id }, { ...other.at, id: other.id });
}
