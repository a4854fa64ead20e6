import { expect, it } from 'vitest';
import { only } from '#storage/device-store.ts';
import { openTestDevice } from '#tests/support/test-device.ts';
import { keepRefused } from './have.ts';
import { sortUnsent } from './refused-facts.svelte.ts';

it('[UNSENT-3] tells of a removed device what could not be left to the owner, and of no other', async () => {
	const { device, store } = await openTestDevice({ seed: 4, currency: 'INR' });
	for (const minor of [100, 200, 300]) {
		const line = { name: '', quantityThousandths: 1_000, unitPriceMinor: minor };
		await device.sell({ lines: [line], tenders: [{ kind: 'cash', minor }] });
	}
	await keepRefused(store, [
		['A-2', 'badBody'],
		['A-3', 'withOwner']
	]);
	const rows = await store.read(['journal'], (read) => read.find('journal', only('sent', 0)));
	const idsOf = (isOut: boolean): unknown => {
		const { facts, withOwner, notLeft } = sortUnsent(rows, isOut);
		return [facts, withOwner, notLeft].map((list) => list.map(({ id }) => id));
	};
	expect(idsOf(false)).toEqual([['A-2'], ['A-3'], []]);
	expect(idsOf(true)).toEqual([['A-2'], ['A-3'], ['A-1', 'A-4']]);
});
