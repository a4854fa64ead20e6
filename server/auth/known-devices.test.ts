import { expect, it } from 'vitest';
import { createKnownDevices } from './known-devices.ts';
import { systemRandom } from './random.ts';

const known = createKnownDevices({ random: systemRandom, key: new Uint8Array(32).fill(1) });

it('[AUTH-23] knows a browser for the account that it signed in to, by what only we can write', () => {
	const kept = known.mint('amina');
	expect(known.recognise('amina', kept)).toBe(kept.split('.')[0]);
	const [name = '', proof = ''] = kept.split('.');
	const others = createKnownDevices({ random: systemRandom, key: new Uint8Array(32).fill(2) });
	for (const forged of [
		undefined,
		'',
		'.',
		name,
		`${name}.`,
		`x${name}.${proof}`,
		`${name}.${proof}A`,
		`${name}.!!!`,
		others.mint('amina')
	])
		expect(known.recognise('amina', forged)).toBeUndefined();
	expect(known.recognise('bakari', kept)).toBeUndefined();
	expect(known.mint('amina')).not.toBe(kept);
});
