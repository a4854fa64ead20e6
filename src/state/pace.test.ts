import { expect, it } from 'vitest';
import { createPace, type Ask } from './pace.ts';

/** Work that takes as long as told, by a clock of its own. */
function slow(tookMs: number): {
	readonly ask: Ask;
	readonly begun: number[];
	readonly faults: unknown[];
	readonly run: (untilMs: number) => Promise<void>;
	fails: boolean;
} {
	let at = 0;
	const timers: { readonly at: number; readonly work: () => void }[] = [];
	const begun: number[] = [];
	const faults: unknown[] = [];
	const after = (ms: number, work: () => void): void => {
		timers.push({ at: at + ms, work });
	};
	const stand = {
		begun,
		faults,
		fails: false,
		ask: createPace(
			() => {
				begun.push(at);
				return new Promise((resolve, reject) => {
					after(tookMs, () => {
						if (stand.fails) reject(new Error('no answer'));
						else resolve();
					});
				});
			},
			{ now: () => at, after, onFault: (fault) => faults.push(fault) }
		),
		run: async (untilMs: number) => {
			for (;;) {
				for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
				const next = timers.toSorted((a, b) => a.at - b.at)[0];
				if (next === undefined || next.at > untilMs) break;
				timers.splice(timers.indexOf(next), 1);
				at = next.at;
				next.work();
			}
			at = untilMs;
		}
	};
	return stand;
}

it('[PACE-1] is done at once, and once more for all who asked meanwhile', async () => {
	const stand = slow(10);
	stand.ask();
	expect(stand.begun).toEqual([0]);
	stand.ask();
	stand.ask();
	await stand.run(1_000);
	expect(stand.begun).toEqual([0, 50]);
	stand.ask();
	expect(stand.begun).toEqual([0, 50, 1_000]);
});

it('[PACE-1] takes a fifth of the time, however often it is asked for', async () => {
	const stand = slow(500);
	for (let ms = 0; ms < 10_000; ms += 100) {
		stand.ask();
		await stand.run(ms + 100);
	}
	expect(stand.begun).toEqual([0, 2_500, 5_000, 7_500, 10_000]);
});

it('[PACE-1] rests no longer than ten seconds, and after a fault too', async () => {
	const stand = slow(20_000);
	stand.fails = true;
	stand.ask();
	await stand.run(1);
	stand.ask();
	await stand.run(60_000);
	expect(stand.begun).toEqual([0, 30_000]);
	expect(stand.faults.length).toBe(2);
});

it('[PACE-1] does not put off what somebody waits for', async () => {
	const stand = slow(1_000);
	stand.ask();
	await stand.run(1_100);
	stand.ask();
	await stand.run(1_200);
	stand.ask('now');
	stand.ask();
	expect(stand.begun).toEqual([0, 1_200]);
	await stand.run(60_000);
	expect(stand.begun).toEqual([0, 1_200, 6_200]);
	stand.ask('now');
	await stand.run(60_500);
	stand.ask('now');
	await stand.run(70_000);
	expect(stand.begun).toEqual([0, 1_200, 6_200, 60_000, 61_000]);
});

it('[PACE-2] is asked for again after a fault until it succeeds, and the fault is told once', async () => {
	const stand = slow(10);
	stand.fails = true;
	stand.ask();
	await stand.run(80_000);
	expect([stand.begun, stand.faults.length]).toEqual([[0, 30_010, 60_020], 1]);
	stand.fails = false;
	await stand.run(200_000);
	expect(stand.begun).toEqual([0, 30_010, 60_020, 90_030]);
	stand.fails = true;
	stand.ask();
	await stand.run(210_000);
	expect(stand.faults.length).toBe(2);
});

it('[PACE-2] what was asked for and done since a fault is not done once more for it', async () => {
	const stand = slow(10);
	stand.fails = true;
	stand.ask();
	await stand.run(20_000);
	stand.fails = false;
	stand.ask('now');
	await stand.run(200_000);
	expect([stand.begun, stand.faults.length]).toEqual([[0, 20_000], 1]);
});
