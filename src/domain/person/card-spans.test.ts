import { expect, it } from 'vitest';
import { factId } from '#domain/ids.ts';
import { cardSpans } from './card-spans.ts';

it('[LINKED-5] the spans of others stand beside those of the customer', () => {
	const cards = [
		{ id: factId('0.1', 1), at: { wall: 30, counter: 0 }, fields: { state: 'linked', since: 7 } },
		{
			id: factId('0.1', 2),
			at: { wall: 30, counter: 0 },
			fields: { before: [[10, 20, 'phone', 5]] }
		}
	] as const;
	expect(cardSpans(cards)).toEqual([
		{ from: 10, to: 20, way: 'phone', since: 5 },
		{ from: 30, to: null, way: 'app', since: 7 }
	]);
	expect(cardSpans(cards.toReversed())).toEqual(cardSpans(cards));
});
