import { expect, it, vi } from 'vitest';
import { createLeftWork } from './left-work.ts';

it('runs once at a time, once more for all that woke it, and stops after what is in hand', async () => {
	const runs: (() => void)[] = [];
	const stop = vi.fn();
	const work = createLeftWork(
		{ fault: vi.fn(), every: () => stop },
		() => new Promise((done) => runs.push(done))
	);
	work.wake();
	work.wake();
	work.wake();
	expect(runs).toHaveLength(1);
	runs[0]?.();
	await vi.waitFor(() => {
		expect(runs).toHaveLength(2);
	});
	work.wake();
	const closed = work.close();
	runs[1]?.();
	await closed;
	work.wake();
	expect(runs).toHaveLength(2);
	expect(work.isClosed()).toBe(true);
	expect(stop).toHaveBeenCalledOnce();
});

it('tells a fault and is woken again by itself', async () => {
	const faults: unknown[] = [];
	let look = (): void => undefined;
	let runs = 0;
	createLeftWork(
		{
			fault: (fault) => faults.push(fault),
			every: (_ms, act) => {
				look = act;
				return () => undefined;
			}
		},
		() => {
			runs += 1;
			return runs === 1 ? Promise.reject(new Error('no database')) : Promise.resolve();
		}
	);
	look();
	await vi.waitFor(() => {
		expect(faults).toHaveLength(1);
	});
	look();
	expect(runs).toBe(2);
});
