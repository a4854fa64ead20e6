import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { factId } from './ids.ts';
import {
	compareFactOrder,
	compareStamps,
	followStamp,
	nextStamp,
	STAMP_AHEAD_MAX_MS,
	STAMP_COUNTER_MAX
} from './stamp.ts';

const stamps = fc.record({ wall: fc.nat(1_000), counter: fc.nat(5) });

it('[STAMP-1] every next stamp is later, whatever the clock does', () => {
	fc.assert(
		fc.property(stamps, fc.nat(2_000), (last, now) => {
			expect(compareStamps(nextStamp(last, now), last)).toBeGreaterThan(0);
		})
	);
	expect(nextStamp({ wall: 5, counter: 3 }, 9)).toEqual({ wall: 9, counter: 0 });
	expect(nextStamp({ wall: 5, counter: 3 }, 5)).toEqual({ wall: 5, counter: 4 });
	// A peer may count as far as a fact can.
	expect(nextStamp({ wall: 5, counter: STAMP_COUNTER_MAX }, 5)).toEqual({ wall: 6, counter: 0 });
	expect(nextStamp({ wall: 5, counter: 499_999 }, 5)).toEqual({ wall: 5, counter: 500_000 });
	expect(nextStamp({ wall: 5, counter: 500_000 }, 5)).toEqual({ wall: 6, counter: 0 });
});

it('[STAMP-2] follows a peer, but not one whose clock is more than five minutes ahead', () => {
	const last = { wall: 10, counter: 1 };
	const edge = { wall: 10 + STAMP_AHEAD_MAX_MS, counter: 0 };
	expect(followStamp(last, edge, 10)).toEqual(edge);
	expect(followStamp(last, { ...edge, wall: edge.wall + 1 }, 10)).toEqual(last);
	expect(followStamp(last, { wall: 10, counter: 0 }, 10)).toEqual(last);
});

it('[STAMP-3] orders facts by stamp and then by id, so that no two are ever equal', () => {
	const facts = fc.record({
		wall: fc.nat(3),
		counter: fc.nat(1),
		id: fc.nat(50).map((n) => factId('A', n + 1))
	});
	fc.assert(
		fc.property(facts, facts, (a, b) => {
			const order = compareFactOrder(a, b);
			expect(order + compareFactOrder(b, a)).toBe(0);
			expect(order === 0).toBe(a.wall === b.wall && a.counter === b.counter && a.id === b.id);
		})
	);
});
