import { describe, expect, it } from 'vitest';
import { createChance } from './chance.ts';
import { planTrade, type Step } from './schedule.ts';
import type { Act } from './trade-rules.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Twenty days of ten hours, an act every six minutes. */
const ACTS: readonly Act[] = Array.from({ length: 20 * 101 }, (_, index) => ({
	kind: 'sale',
	invoice: String(index),
	atMs: Math.floor(index / 101) * DAY_MS + 8 * HOUR_MS + (index % 101) * (HOUR_MS / 10),
	customer: null,
	lines: []
}));

function plan(offline: number, seed = 1): readonly Step[] {
	return planTrade(ACTS, { devices: 3, offline, chance: createChance(seed) });
}

describe('planTrade', () => {
	it('plays the same way for the same seed, and another for another', () => {
		expect(plan(0.3)).toEqual(plan(0.3));
		expect(plan(0.3)).not.toEqual(plan(0.3, 2));
	});

	it('gives every act once, in the order of time, to all devices alike', () => {
		const steps = plan(0.3);
		const acts = steps.filter((step) => step.kind === 'act');
		expect(acts.map(({ act }) => act)).toEqual(ACTS);
		const times = steps.map(({ atMs }) => atMs);
		expect(times).toEqual(times.toSorted((a, b) => a - b));
		for (const device of [0, 1, 2]) {
			const share = acts.filter((act) => act.device === device).length / acts.length;
			expect(share).toBeGreaterThan(0.3);
			expect(share).toBeLessThan(0.37);
		}
	});

	it('begins every day with a morning before its first act, that knows the day', () => {
		const mornings = plan(0.3).filter((step) => step.kind === 'morning');
		expect(mornings.map(({ acts }) => acts.length)).toEqual(Array.from({ length: 20 }, () => 101));
		expect(mornings[0]?.atMs).toBe(7.5 * HOUR_MS);
	});

	it('takes every device off the network for its part of every day', () => {
		const steps = plan(0.3);
		const leaves = steps.filter((step) => step.kind === 'leave');
		expect(leaves).toHaveLength(60);
		let isUntilClosing = 0;
		for (const { atMs, device } of leaves) {
			const join = steps
				.filter((step) => step.kind === 'join')
				.find((step) => step.device === device && step.atMs > atMs);
			const isSameDay = join !== undefined && join.atMs - atMs < DAY_MS / 2;
			if (!isSameDay) isUntilClosing += 1;
			expect(isSameDay ? join.atMs - atMs : 18 * HOUR_MS - (atMs % DAY_MS)).toBe(3 * HOUR_MS);
		}
		expect(isUntilClosing).toBeGreaterThan(5);
		expect(isUntilClosing).toBeLessThan(40);
	});

	it('leaves nobody off the network at 0, and everybody all day at 1', () => {
		expect(plan(0).some(({ kind }) => kind === 'leave')).toBe(false);
		const leaves = plan(1).filter(({ kind }) => kind === 'leave');
		expect(leaves.every(({ atMs }) => atMs % DAY_MS === 8 * HOUR_MS)).toBe(true);
	});

	it('plays one act alone', () => {
		const steps = planTrade(ACTS.slice(0, 1), {
			devices: 2,
			offline: 0.5,
			chance: createChance(1)
		});
		expect(steps.filter(({ kind }) => kind === 'act')).toHaveLength(1);
	});
});
