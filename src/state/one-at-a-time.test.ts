import { expect, it } from 'vitest';
import { oneAtATime } from './one-at-a-time.ts';

it('[CUSTOMER-9] work goes one after the other, and what fails stops nothing', async () => {
	const inTurn = oneAtATime();
	const done: string[] = [];
	const first = inTurn(async () => {
		await Promise.resolve();
		done.push('first');
		throw new Error('broken');
	});
	const second = inTurn(() => {
		done.push('second');
		return Promise.resolve('its answer');
	});
	await expect(first).rejects.toThrow('broken');
	expect(await second).toBe('its answer');
	expect(done).toEqual(['first', 'second']);
});
