import { expect, it } from 'vitest';
import { isWholePieces, parseThousandths, pieces, QUANTITY_THOUSANDTHS_MAX } from './quantity.ts';

it('[QTY-1] takes whole thousandths above zero, up to the limit', () => {
	expect(parseThousandths(1)).toEqual({ ok: true, value: 1 });
	expect(parseThousandths(QUANTITY_THOUSANDTHS_MAX)).toMatchObject({ ok: true });
	expect(parseThousandths(QUANTITY_THOUSANDTHS_MAX + 1)).toEqual({ ok: false, error: 'tooLarge' });
	expect(parseThousandths(0)).toEqual({ ok: false, error: 'notPositive' });
	expect(parseThousandths(-1)).toEqual({ ok: false, error: 'notPositive' });
	expect(parseThousandths(0.5)).toEqual({ ok: false, error: 'notWhole' });
	expect(parseThousandths(NaN)).toEqual({ ok: false, error: 'notWhole' });
});

it('[QTY-3] counts a piece as a thousand thousandths', () => {
	expect(pieces(6)).toBe(6_000);
	expect(() => pieces(0.5)).toThrow('not a whole number of pieces');
	expect([6_000, 6_001, 0, -2_000].map(isWholePieces)).toEqual([true, false, true, true]);
});
