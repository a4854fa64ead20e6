import { expect, it } from 'vitest';
import type { TableName } from '#storage/device-store.ts';
import { createChanges, type ChangeChannel } from './changes.ts';

/** Two tabs' ends of one channel. */
function channels(): readonly [ChangeChannel, ChangeChannel] {
	const listeners: [
		((event: { data: unknown }) => void)[],
		((event: { data: unknown }) => void)[]
	] = [[], []];
	const end = (own: 0 | 1, other: 0 | 1): ChangeChannel => ({
		postMessage: (data) => {
			for (const tell of listeners[other]) tell({ data });
		},
		addEventListener: (_type, heard) => {
			listeners[own].push(heard);
		},
		close: () => {
			listeners[own].length = 0;
		}
	});
	return [end(0, 1), end(1, 0)];
}

it('[DEVICE-24] tells this tab and the others which tables moved, until it is stopped', () => {
	const [one, other] = channels();
	const here = createChanges(one);
	const there = createChanges(other);
	const told: (readonly TableName[])[] = [];
	const stop = here.on((tables) => told.push(tables));
	there.on((tables) => told.push(tables));
	here.tell(['stock']);
	here.tell([]);
	there.tell(['days', 'facts']);
	expect(told).toEqual([['stock'], ['stock'], ['days', 'facts'], ['days', 'facts']]);
	stop();
	there.tell(['meta']);
	expect(told.slice(4)).toEqual([['meta']]);
	here.close();
	there.close();
});

it('[DEVICE-24] hears nothing that is no list of tables', () => {
	const [one, other] = channels();
	const here = createChanges(one);
	let told = 0;
	here.on(() => (told += 1));
	for (const message of [null, 'stock', { tables: ['stock'] }, [1]]) other.postMessage(message);
	expect(told).toBe(0);
});
