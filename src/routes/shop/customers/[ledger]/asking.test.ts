import { expect, it } from 'vitest';
import { recordHashOf } from '#domain/confirmation/record-hash.ts';
import { parseLedgerId, type LedgerId } from '#domain/ids.ts';
import type { ThreadRecord } from '#state/ledger-views.ts';
import { asksNow, questionOf } from './asking.ts';

function ledger(): LedgerId {
	const parsed = parseLedgerId('7b0c2f60-5c1d-4c6e-9a51-0f3a3f9f2b11');
	if (!parsed.ok) throw new Error('a ledger id is one');
	return parsed.value;
}

/** A line as far as the asking looks at it. */
function line(place: number, of: Partial<ThreadRecord>): ThreadRecord {
	const h = recordHashOf(new Uint8Array(32).fill(place));
	const amount = of.amount ?? 100;
	return {
		h,
		ledger: ledger(),
		kind: 'due',
		amount,
		leftMinor: amount,
		standsMinor: amount,
		currency: 'KES',
		exponent: 2,
		isAskable: true,
		...of
	} as ThreadRecord;
}

it('[ASK-1] asks one question for what waits of one money and side', () => {
	const lines = [
		line(1, { amount: 250 }),
		// A sale's: it goes back by its receipt, and is asked all the same.
		line(2, { amount: 400, leftMinor: 0, standsMinor: 150 }),
		line(3, { currency: 'USD' }),
		line(4, { kind: 'payment', isAskable: true }),
		line(5, { isAskable: false })
	];
	expect(questionOf(lines, 'Amina')).toEqual({
		ledger: ledger(),
		hs: [lines[0]?.h, lines[1]?.h],
		name: 'Amina',
		side: 'took',
		sumMinor: 400,
		currency: 'KES',
		exponent: 2
	});
	expect(questionOf([line(5, { isAskable: false })], 'Amina')).toBeUndefined();
});

it('[ASK-2] asks at once when the shop settled so', () => {
	const due = line(1, { amount: 500 });
	const paid = line(2, { kind: 'payment' });
	expect(asksNow({}, [due])).toBe(true);
	expect(asksNow({ ask: 'above', askAbove: 500 }, [due])).toBe(false);
	expect(asksNow({ ask: 'above', askAbove: 499 }, [due])).toBe(true);
	expect(asksNow({ ask: 'payment' }, [due])).toBe(false);
	expect(asksNow({ ask: 'payment' }, [due, paid])).toBe(true);
	expect(asksNow({ ask: 'never' }, [due, paid])).toBe(false);
});
