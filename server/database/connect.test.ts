import { expect, it } from 'vitest';
import { isDatabaseGone } from './connect.ts';

it('[RELAY-14] refuses no fact because the database had no room, no memory or no peace for it', () => {
	for (const code of ['53100', '53200', '40P01', '58030', '57P01', '08006', 'ECONNREFUSED']) {
		expect(isDatabaseGone(Object.assign(new Error('failed'), { code }))).toBe(true);
	}
	for (const code of ['22P02', '22021', '23505', '42601']) {
		expect(isDatabaseGone(Object.assign(new Error('failed'), { code }))).toBe(false);
	}
});
