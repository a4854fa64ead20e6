import { afterEach, expect, it, vi } from 'vitest';
import { LoneKey } from './lone-key.ts';

afterEach(() => {
	vi.useRealTimers();
});

it('[SCAN-3] does what a key of a hand means once no other has followed it, and nothing for one of a scan', async () => {
	vi.useFakeTimers();
	const lone = new LoneKey();
	const done: string[] = [];
	const strike = (key: string, at: number): void => {
		if (lone.hear({ at })) done.push(`${key} alone`);
		lone.act(() => done.push(key));
	};
	for (const [place, key] of Array.from('5901').entries()) {
		strike(key, place * 90);
		await vi.advanceTimersByTimeAsync(90);
	}
	expect(lone.hear({ at: 360 })).toBe(false);
	await vi.advanceTimersByTimeAsync(1_000);
	expect(done).toEqual(['5 alone']);
	strike('2', 2_000);
	await vi.advanceTimersByTimeAsync(120);
	expect(done).toEqual(['5 alone', '2 alone', '2']);
	expect(lone.hear({ at: 3_000 })).toBe(true);
	lone.cancel();
	expect(lone.hear({ at: 3_001 })).toBe(true);
});
