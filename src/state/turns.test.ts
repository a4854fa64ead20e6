import { expect, it } from 'vitest';
import { createTurns } from './turns.ts';

it('[DEVICE-45] what a person does goes before what arrives, also where it fails', async () => {
	const turns = createTurns();
	const order: string[] = [];
	const ended = Promise.withResolvers<string>();
	const act = turns.during(() => ended.promise).catch(() => order.push('act'));
	const arrival = turns.quiet().then(() => order.push('arrival'));
	await Promise.resolve();
	expect(order).toEqual([]);
	ended.reject(new Error('refused'));
	await Promise.all([act, arrival]);
	expect(order).toEqual(['act', 'arrival']);
	await turns.quiet();
	expect(await turns.during(() => Promise.resolve(7))).toBe(7);
});
