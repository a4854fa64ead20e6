import { expect, it } from 'vitest';
import { createShopClock } from './shop-clock.ts';

const HOUR_MS = 3_600_000;

it('stands until it is moved, and never goes back', () => {
	const clock = createShopClock(5);
	expect(clock.now()).toBe(5);
	clock.moveTo(9);
	expect(clock.now()).toBe(9);
	expect(() => {
		clock.moveTo(8);
	}).toThrow('time goes forward');
});

it('rings once what waits for the hour, when the shop has come to it', () => {
	const clock = createShopClock(0);
	const rung: string[] = [];
	clock.timers.after(HOUR_MS, () => rung.push(`first at ${String(clock.now())}`));
	const cancel = clock.timers.after(2 * HOUR_MS, () => rung.push('second'));
	clock.moveTo(HOUR_MS - 1);
	expect(rung).toEqual([]);
	cancel();
	clock.moveTo(3 * HOUR_MS);
	clock.moveTo(4 * HOUR_MS);
	expect(rung).toEqual([`first at ${String(3 * HOUR_MS)}`]);
});

it('waits for the network by the time of this machine', async () => {
	const clock = createShopClock(0);
	await new Promise<void>((resolve) => {
		clock.timers.after(1, resolve);
	});
	const late: string[] = [];
	clock.timers.after(1, () => late.push('late'))();
	await new Promise((resolve) => setTimeout(resolve, 10));
	expect(late).toEqual([]);
});
