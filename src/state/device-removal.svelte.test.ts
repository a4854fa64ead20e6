import { expect, it } from 'vitest';
import { parseDeviceCode, type DeviceCode } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { openTestDevice } from '#tests/support/test-device.ts';
import type { ApiRefusal } from './account-api.ts';
import { DeviceRemoval } from './device-removal.svelte.ts';

interface Stand {
	readonly removal: DeviceRemoval;
	/** What was asked, and the way to answer it. */
	readonly asked: { readonly code: DeviceCode; readonly password: string }[];
	readonly answer: (place: number, result: Result<undefined, ApiRefusal>) => Promise<void>;
}

async function stand(): Promise<Stand> {
	const { device } = await openTestDevice({ seed: 1 });
	const asked: Stand['asked'] = [];
	const answers: ((result: Result<undefined, ApiRefusal>) => void)[] = [];
	const removal = new DeviceRemoval(
		{ identity: device.identity },
		{
			removeDevice: ({ code, password }) => {
				asked.push({ code, password });
				return new Promise((resolve) => answers.push(resolve));
			}
		}
	);
	return {
		removal,
		asked,
		answer: (place, result) => {
			answers[place]?.(result);
			return new Promise((resolve) => setTimeout(resolve));
		}
	};
}

function code(text: string): DeviceCode {
	const parsed = parseDeviceCode(text);
	if (!parsed.ok) throw new Error('no device code');
	return parsed.value;
}

const [B, C] = [code('B'), code('C')];
const DONE = ok(undefined);

it('[REMOVAL-1] what comes for one device ends the question of that one alone', async () => {
	const { removal, asked, answer } = await stand();
	removal.ask(B);
	removal.password = 'first';
	void removal.remove();
	void removal.remove();
	expect(removal.isAsking).toBe(true);
	removal.ask(C);
	expect(removal).toMatchObject({ code: C, password: '', isAsking: false });
	removal.password = 'second';
	await answer(0, DONE);
	expect(removal).toMatchObject({ code: C, password: 'second' });
	void removal.remove();
	expect(asked).toEqual([
		{ code: B, password: 'first' },
		{ code: C, password: 'second' }
	]);
	await answer(1, err('passwordWrong'));
	expect(removal).toMatchObject({ code: C, password: '', refusal: 'passwordWrong' });
	expect([...removal.removed]).toEqual([B]);
});

it('[REMOVAL-1] a no for a device that is asked about no more is said of no other', async () => {
	const { removal, answer } = await stand();
	removal.ask(B);
	void removal.remove();
	removal.ask(C);
	await answer(0, err('passwordWrong'));
	expect(removal).toMatchObject({ code: C, refusal: undefined });
	expect(removal.removed.size).toBe(0);
});

it('[REMOVAL-2] a device that was removed is known here before the news of it comes', async () => {
	const { removal, answer } = await stand();
	removal.ask(B);
	void removal.remove();
	await answer(0, DONE);
	expect(removal.code).toBeUndefined();
	expect([...removal.removed]).toEqual([B]);
});
