import { expect, it } from 'vitest';
import { factId, type LedgerId } from '#domain/ids.ts';
import { permutations } from '#tests/support/permutations.ts';
import { cardGroups, type CardEdge } from './cards.ts';

const [A, B, C, D] = ['a', 'b', 'c', 'd'].map(
	(letter) => `${letter.repeat(8)}-1111-4111-8111-111111111111` as LedgerId
) as [LedgerId, LedgerId, LedgerId, LedgerId];

function edge(n: number, a: LedgerId, b: LedgerId): CardEdge {
	return { a, b, isJoined: true, at: { wall: n, counter: 0 }, id: factId('A', n) };
}

function undone(of: CardEdge): CardEdge {
	return { ...of, isJoined: false };
}

/** The pages that come out, the same in every order. */
function pages(edges: readonly CardEdge[], linked: readonly LedgerId[] = []): unknown {
	const of = (given: readonly CardEdge[]): unknown => {
		const { members, headOf, refused } = cardGroups([...given, ...given], new Set(linked));
		for (const [head, group] of members)
			for (const ledger of group) expect(headOf.get(ledger)).toBe(head);
		return [[...members.values()], refused.length];
	};
	const first = of(edges);
	for (const order of permutations(edges)) expect(of(order)).toEqual(first);
	return first;
}

it('[CARD-1] makes one page of two cards, whoever was named first, and of what hangs together', () => {
	expect(pages([edge(1, A, B)])).toEqual([[[A, B]], 0]);
	expect(pages([edge(1, A, B), edge(2, B, A)])).toEqual(pages([edge(1, B, A), edge(2, A, B)]));
	expect(pages([edge(1, A, B), edge(2, C, B), edge(3, A, C)])).toEqual([[[A, B, C]], 0]);
	expect(pages([])).toEqual([[], 0]);
});

it('[CARD-1] makes two of it again', () => {
	expect(pages([edge(1, A, B), undone(edge(2, A, B))])).toEqual([[], 0]);
	expect(pages([edge(1, A, B), undone(edge(2, A, B)), edge(3, A, B)])).toEqual([[[A, B]], 0]);
	expect(pages([edge(1, A, B), edge(2, B, C), undone(edge(3, A, B))])).toEqual([[[B, C]], 0]);
});

it('[CARD-2] never makes one page of two accounts, by whatever path', () => {
	expect(pages([edge(1, A, B)], [A, B])).toEqual([[], 1]);
	expect(pages([edge(1, A, B), edge(2, B, C)], [A, C])).toEqual([[[A, B]], 1]);
	expect(pages([edge(1, A, B), edge(2, C, D), edge(3, B, C)], [A, D])).toEqual([
		[
			[A, B],
			[C, D]
		],
		1
	]);
	expect(pages([edge(1, A, B)], [A])).toEqual([[[A, B]], 0]);
});
