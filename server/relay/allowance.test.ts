import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { TRADE_BUSINESS } from '#tests/support/trade.ts';
import { DAY_LIMITS, itemsOf, readAllowance, type Allowance } from './allowance.ts';

const NOW = Date.UTC(2026, 10, 20, 9);
const DEVICE = { scope: TRADE_BUSINESS, code: 'B' };
const PHONE = { scope: TRADE_BUSINESS, code: 'p1' };

let database: TestDatabase;
beforeAll(async () => {
	database = await createTestDatabase();
});
afterAll(() => database.close());

function read(now = NOW): Promise<Allowance> {
	return readAllowance(database.sql, [DEVICE, PHONE], { batch: [], now, limits: DAY_LIMITS });
}

it('[RELAY-51] a day has room for so much, of a phone less, and of others apart', async () => {
	const limits = [
		[DEVICE, false, DAY_LIMITS.device],
		[DEVICE, true, DAY_LIMITS.carried],
		[PHONE, false, DAY_LIMITS.phone],
		[PHONE, true, DAY_LIMITS.phoneCarried]
	] as const;
	const first = await read();
	for (const [bearer, isCarried, items] of limits) {
		expect(first.beyond(bearer, { facts: [], items: items + 1, isCarried })).toBe('all');
		expect(first.beyond(bearer, { facts: [], items, isCarried })).toEqual([]);
		first.take(bearer, { facts: [], items, isCarried });
	}
	await first.keep(database.sql);
	const [second, tomorrow] = [await read(), await read(NOW + 86_400_000)];
	for (const [bearer, isCarried] of limits) {
		const one = { facts: [], items: 1, isCarried };
		expect(second.beyond(bearer, one)).toBe('all');
		expect(tomorrow.beyond(bearer, one)).toEqual([]);
	}
	expect(DAY_LIMITS.phoneCarried).toBeLessThan(DAY_LIMITS.carried);
});

it('[RELAY-51] a long text counts for each 4 kB, and one of others for each kB', () => {
	const of = (length: number): readonly number[] =>
		[false, true].map((isCarried) => itemsOf('x'.repeat(length), isCarried));
	expect([0, 1_023].map(of)).toEqual([
		[1, 1],
		[1, 1]
	]);
	expect([1_024, 4_095].map(of)).toEqual([
		[1, 2],
		[1, 4]
	]);
	expect([4_096, 65_536].map(of)).toEqual([
		[2, 5],
		[17, 65]
	]);
	expect(itemsOf(undefined, false)).toBe(1);
});
