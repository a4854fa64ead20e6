import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { CANARIES } from './canary-list.ts';
import { reportOf, runWorker } from './workers.ts';

let database: TestDatabase;
beforeAll(async () => {
	database = await createTestDatabase();
});
afterAll(() => database.close());

/** Those that the first seeds catch; `npm run canaries` hunts them all. */
const QUICK = [
	'ack before commit',
	'last-writer-wins balance',
	'projection outside the transaction'
];
const SEEDS = Array.from({ length: 240 }, (_none, at) => at + 1);

describe('whole shops on a machine that breaks', { timeout: 600_000 }, () => {
	it('keep every promise, seeds 1 to 240', async () => {
		const outcomes = await runWorker({ database: database.url, seeds: SEEDS });
		expect(outcomes).toHaveLength(SEEDS.length);
		const failed = outcomes.filter(({ violations }) => violations.length > 0);
		expect(failed.map(reportOf).join('\n')).toBe('');
	});

	it('do the same again for the same seed, whatever ran before', async () => {
		const seeds = [7, 11, 19, 24, 37];
		const url = database.url;
		const once = await runWorker({ database: url, seeds });
		const again = await runWorker({ database: url, seeds: seeds.toReversed() });
		const digests = (of: typeof once): string[] =>
			of.map(({ seed, digest }) => `${String(seed)} ${digest}`).toSorted();
		expect(digests(again)).toEqual(digests(once));
		expect(new Set(digests(once)).size).toBe(seeds.length);
	});

	it.each(QUICK)('catch the deliberate fault “%s”', async (canary) => {
		expect(CANARIES.map(({ name }) => name)).toContain(canary);
		const url = database.url;
		const seeds = SEEDS.slice(0, 12);
		const outcomes = await runWorker({ database: url, seeds, canary, isTillCaught: true });
		expect(outcomes.at(-1)?.violations ?? []).not.toEqual([]);
	});
});
