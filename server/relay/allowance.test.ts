import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { ReplyFact } from '#domain/fact/ledger-fact.ts';
import { factId, type BusinessId } from '#domain/ids.ts';
import { ok } from '#domain/result.ts';
import { RECORD_ANSWERS_MAX } from '#sync/limits.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { TRADE_BUSINESS } from '#tests/support/trade.ts';
import { DAY_LIMITS, itemsOf, readAllowance, type Allowance } from './allowance.ts';
import type { NewFact, Submission } from './submission.ts';

const NOW = Date.UTC(2026, 10, 20, 9);
const DAY_MS = 86_400_000;
const DEVICE = { scope: TRADE_BUSINESS, code: 'B' };
const PHONE = { scope: TRADE_BUSINESS, code: 'p1' };
const OTHER = { scope: '0192f0c1-7a00-4000-8000-000000000002' as BusinessId, code: 'p1' };

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
	const [second, tomorrow] = [await read(), await read(NOW + DAY_MS)];
	for (const [bearer, isCarried] of limits) {
		const one = { facts: [], items: 1, isCarried };
		expect(second.beyond(bearer, one)).toBe('all');
		expect(tomorrow.beyond(bearer, one)).toEqual([]);
	}
	expect(DAY_LIMITS.phoneCarried).toBeLessThan(DAY_LIMITS.carried);
});

it('[RELAY-51] what is brought on one day adds up, and the next day begins anew', async () => {
	const half = DAY_LIMITS.device / 2;
	const bringing = (items: number, isCarried = false): Parameters<Allowance['take']>[1] => ({
		...{ facts: [], items, isCarried }
	});
	for (const now of [NOW + 2 * DAY_MS, NOW + 3 * DAY_MS]) {
		for (const isCarried of [false, true]) {
			for (let times = 0; times < 2; times += 1) {
				const allowance = await read(now);
				const most = isCarried ? DAY_LIMITS.carried / 2 : half;
				expect(allowance.beyond(DEVICE, bringing(most, isCarried))).toEqual([]);
				allowance.take(DEVICE, bringing(most, isCarried));
				await allowance.keep(database.sql);
			}
			expect((await read(now)).beyond(DEVICE, bringing(1, isCarried))).toBe('all');
		}
	}
});

it('[RELAY-51] a person answers one record so often a day, however the answers come', async () => {
	const [one, other] = ['h'.repeat(43), 'i'.repeat(43)] as [RecordHash, RecordHash];
	const answer = (h: RecordHash, device = PHONE): NewFact => {
		const fact = { id: factId('p1', 1), kind: 'reply', h } as ReplyFact;
		return { device, fact, carriedBy: null, text: '', digest: 0n, room: {} as never };
	};
	/** As a batch of its own; how many were too many. */
	const bring = async (facts: readonly NewFact[], now: number): Promise<number> => {
		const batch = facts.map(({ device, fact }) => {
			const checks: Submission['checks'] = new Map([[{} as never, ok(fact)]]);
			return { caller: device, checks } as Submission;
		});
		const bearers = facts.map(({ device }) => device);
		const parts = { batch, now, limits: DAY_LIMITS };
		const allowance = await readAllowance(database.sql, bearers, parts);
		const given = { facts, items: facts.length, isCarried: false };
		const beyond = allowance.beyond(PHONE, given);
		if (beyond === 'all') throw new Error('a day is full');
		const taken = facts.filter((fact) => !beyond.includes(fact));
		allowance.take(PHONE, { ...given, facts: taken });
		await allowance.keep(database.sql);
		return beyond.length;
	};
	for (const now of [NOW + 4 * DAY_MS, NOW + 5 * DAY_MS]) {
		const most = Array.from({ length: RECORD_ANSWERS_MAX - 1 }, () => answer(one));
		expect(await bring(most, now)).toBe(0);
		expect(await bring([answer(one), answer(one), answer(other)], now)).toBe(1);
		expect(await bring([answer(one), answer(one, OTHER), answer(other)], now)).toBe(1);
	}
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
