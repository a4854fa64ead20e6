import { expect, it } from 'vitest';
import { isDatabaseGone } from './connect.ts';

it('[RELAY-14] refuses no fact because the database had no room, no memory or no peace for it', () => {
	const passing = ['53100', '53200', '53300', '40P01', '40001', '58030', '57P01', '57P03', '08006'];
	// A standby that took over, a database shut off by whoever runs it, its password changed.
	const away = ['25006', '25P03', '28P01', '3D000', '55P03', 'F0000', 'XX001'];
	for (const code of [...passing, ...away, 'ECONNREFUSED', 'ETIMEDOUT', 'CONNECTION_CLOSED']) {
		expect([code, isDatabaseGone(Object.assign(new Error('failed'), { code }))]).toEqual([
			code,
			true
		]);
	}
	for (const code of ['22P02', '22021', '23505', '42601', '54000', 'XX000', 'ERR_ASSERTION']) {
		expect(isDatabaseGone(Object.assign(new Error('failed'), { code }))).toBe(false);
	}
});
