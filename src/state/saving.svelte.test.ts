import { expect, it } from 'vitest';
import { Saving } from './saving.svelte.ts';

const DISK = new Error('no room');

it('[SAVING-1] does an act once while it is being done, and again afterwards', async () => {
	const saving = new Saving<string>(() => 'not saved');
	let done = 0;
	let finish = (): void => undefined;
	const act = (): Promise<undefined> => {
		done += 1;
		return new Promise((resolve) => {
			finish = (): void => {
				resolve(undefined);
			};
		});
	};
	const first = saving.run(act);
	expect(saving.isWorking).toBe(true);
	await saving.run(act);
	expect(done).toBe(1);
	finish();
	await first;
	expect({ isWorking: saving.isWorking, refusal: saving.refusal }).toEqual({
		isWorking: false,
		refusal: undefined
	});
	const again = saving.run(act);
	finish();
	await again;
	expect(done).toBe(2);
});

it('[SAVING-2] keeps why an act was refused until it is tried again', async () => {
	const saving = new Saving<string>(() => 'not saved');
	await saving.run(() => Promise.resolve('a name is missing'));
	expect(saving).toMatchObject({ isWorking: false, refusal: 'a name is missing' });
	let during: string | undefined = 'not tried';
	await saving.run(() => {
		during = saving.refusal;
		return Promise.resolve(undefined);
	});
	expect(during).toBeUndefined();
	expect(saving.refusal).toBeUndefined();
});

it('[SAVING-3] tells a fault where it is to be told, says it here, and lets the act be tried again', async () => {
	const told: unknown[] = [];
	const saving = new Saving<string>((fault) => {
		told.push(fault);
		return 'not saved';
	});
	await saving.run(() => Promise.reject(DISK));
	expect(told).toEqual([DISK]);
	expect(saving).toMatchObject({ isWorking: false, refusal: 'not saved' });
	await saving.run(() => Promise.resolve(undefined));
	expect(saving.refusal).toBeUndefined();
});
