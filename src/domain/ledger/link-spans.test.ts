import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { factId } from '#domain/ids.ts';
import { linkSpans, type LinkChange } from './link-spans.ts';

describe('the spans of a connection', () => {
	it('[LINKED-1] begin and end as was said, and the last one lasts', () => {
		expect(
			linkSpans([
				said(1, { state: 'linked', at: 10 }),
				said(2, { state: 'ended', at: 20 }),
				said(3, { state: 'linked', at: 30, way: 'phone' })
			])
		).toEqual([
			{ from: 10, to: 20, way: 'app' },
			{ from: 30, to: null, way: 'phone' }
		]);
		expect(linkSpans([])).toEqual([]);
		expect(linkSpans([said(1, { state: 'ended' }), said(2, { state: 'none' })])).toEqual([]);
	});

	it('[LINKED-1] go on when it is said again, and begin anew by another way', () => {
		const changes = [
			said(1, { state: 'linked', at: 10, way: 'phone' }),
			said(2, { state: 'linked', at: 15, way: 'phone' }),
			said(3, { at: 17 }),
			said(4, { state: 'linked', at: 20, way: 'app' }),
			said(5, { state: 'none', at: 25 })
		];
		expect(linkSpans(changes)).toEqual([
			{ from: 10, to: 20, way: 'phone' },
			{ from: 20, to: 25, way: 'app' }
		]);
	});

	it('[LINKED-1] take the moment of the fact where it names none', () => {
		expect(linkSpans([said(3, { state: 'linked' }), said(9, { state: 'ended' })])).toEqual([
			{ from: 3, to: 9, way: 'app' }
		]);
	});

	it('[LINKED-2] are the same in every order and repetition, the tenth fact after the ninth', () => {
		const at = { wall: 1, counter: 0 };
		const changes: readonly LinkChange[] = [
			{ at, id: factId('0.1', 9), fields: { state: 'linked' } },
			{ at, id: factId('0.1', 10), fields: { state: 'ended' } },
			{ at, id: factId('0.1', 11), fields: { state: 'linked', way: 'phone' } }
		];
		const spans = linkSpans(changes);
		expect(spans.at(-1)).toEqual({ from: 1, to: null, way: 'phone' });
		fc.assert(
			fc.property(
				fc.shuffledSubarray([...changes, ...changes], { minLength: 6, maxLength: 6 }),
				(some) => {
					expect(linkSpans(some)).toEqual(spans);
				}
			)
		);
	});
});

function said(n: number, fields: LinkChange['fields']): LinkChange {
	return { id: factId('0.1', n), at: { wall: n, counter: 0 }, fields };
}
