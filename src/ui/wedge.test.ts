import { expect, it } from 'vitest';
import { WedgeReader } from './wedge.ts';

/** Strikes the keys of `text`, then Enter, each `gapMs` after the one before. */
function struck(reader: WedgeReader, text: string, gapMs: number): string | undefined {
	let at = 1_000;
	for (const key of [...Array.from(text), 'Enter']) {
		const code = reader.strike({ key, at });
		if (code !== undefined) return code;
		at += gapMs;
	}
	return undefined;
}

it.each(['5449000000996', 'AB-12', '6161'])('[SCAN-1] reads %s whole', (code) => {
	expect(struck(new WedgeReader(), code, 8)).toBe(code);
});

it('[SCAN-1] reads one scan after the other, and after a hand', () => {
	const reader = new WedgeReader();
	reader.strike({ key: 'x', at: 0 });
	expect(struck(reader, '5449000000996', 40)).toBe('5449000000996');
	expect(struck(reader, '12345670', 1)).toBe('12345670');
});

it('[SCAN-1] leaves keys out that are no characters', () => {
	const reader = new WedgeReader();
	const keys = ['Shift', 'A', 'Shift', 'B', '1', '2', 'Enter'];
	expect(keys.map((key, place) => reader.strike({ key, at: place * 5 })).at(-1)).toBe('AB12');
});

it('[SCAN-2] takes what a hand types for no scan', () => {
	expect(struck(new WedgeReader(), '5449000000996', 41)).toBeUndefined();
	expect(struck(new WedgeReader(), '123', 5)).toBeUndefined();
	expect(struck(new WedgeReader(), '1'.repeat(65), 5)).toBeUndefined();
	const reader = new WedgeReader();
	for (const [place, key] of Array.from('12345').entries()) reader.strike({ key, at: place * 5 });
	expect(reader.strike({ key: 'Enter', at: 500 })).toBeUndefined();
});
