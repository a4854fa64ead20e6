import { setTimeout as passed } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rateLimit } from '#server/database/accounts.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { addressGroup, createLimits, LIMITS } from './limits.ts';
import { PAUSE_MS_MAX, pauseMs } from './sign-in-pace.ts';

let database: TestDatabase;

beforeAll(async () => {
	database = await createTestDatabase();
});

afterAll(() => database.close());

describe('a limit', () => {
	const table = { ...LIMITS, joinsByAddress: { times: 3, withinMs: 1_000 } };

	it('[AUTH-11] takes as many as it says, of ten at once, from two relays together', async () => {
		const one = createLimits(database.orm, table);
		const two = createLimits(database.orm, table);
		const counts = Array.from({ length: 10 }, (_, n) =>
			(n % 2 === 0 ? one : two).count('joinsByAddress', 'crowd')
		);
		expect((await Promise.all(counts)).filter(({ ok }) => ok)).toHaveLength(3);
		expect(await one.count('joinsByAddress', 'another')).toEqual({ ok: true, value: 1 });
		expect(await one.count('noncesByAddress', 'crowd')).toEqual({ ok: true, value: 1 });
	});

	it('[AUTH-11] says when to come back, and is right', async () => {
		const limits = createLimits(database.orm, table);
		for (let n = 0; n < 3; n += 1) await limits.count('joinsByAddress', 'patient');
		const refused = await limits.count('joinsByAddress', 'patient');
		if (refused.ok) throw new Error('the fourth is past the limit');
		expect(refused.error.retryAfterMs).toBeLessThanOrEqual(1_000);
		await passed(refused.error.retryAfterMs + 20);
		expect(await limits.count('joinsByAddress', 'patient')).toEqual({ ok: true, value: 1 });
	});

	it('[AUTH-15] takes away counts whose time ended, and keeps no address', async () => {
		const limits = createLimits(database.orm, table);
		await limits.count('joinsByAddress', '203.0.113.9');
		await passed(1_020);
		await limits.count('joinsByAddress', '203.0.113.10');
		const rows = await database.orm.select().from(rateLimit);
		const ended = rows.filter(({ expire }) => expire !== null && expire.getTime() < Date.now());
		expect(ended).toEqual([]);
		expect(JSON.stringify(rows)).not.toContain('203.0.113');
	});
});

describe('addressGroup', () => {
	it.each([
		['203.0.113.7', '203.0.113.7'],
		['::ffff:203.0.113.7', '203.0.113.7'],
		['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
		['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
		['2001:db8::1', '2001:db8:0:0::/64'],
		['fe80::1%eth0', 'fe80:0:0:0::/64'],
		['::1', '0:0:0:0::/64'],
		['unknown', 'unknown']
	])('[AUTH-14] counts %s as %s', (address, group) => {
		expect(addressGroup(address)).toBe(group);
	});
});

describe('pauseMs', () => {
	it('[AUTH-12] is nothing for five tries, then doubles up to its limit', () => {
		const pauses = [1, 5, 6, 7, 8, 10, 11, 12, 1_000_000].map(pauseMs);
		const most = PAUSE_MS_MAX;
		expect(pauses).toEqual([0, 0, 250, 500, 1_000, 4_000, most, most, most]);
	});
});
