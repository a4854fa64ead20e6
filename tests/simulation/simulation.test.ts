import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { CANARIES } from './canary-list.ts';
import { reportOf, runWorker } from './workers.ts';

let database: TestDatabase;
beforeAll(async () => {
	database = await createTestDatabase();
});
afterAll(() => database.close());

/** Those that one of a few seeds catches; `npm run canaries` hunts them all. */
const QUICK = [
	'ack before commit',
	'last-writer-wins balance',
	'projection outside the transaction'
];
const CATCHING = [11, 16, 17, 19];
const SEEDS = Array.from({ length: 240 }, (_none, at) => at + 1);

let outcomesOfAll: ReturnType<typeof runWorker> | undefined;
function shops(): ReturnType<typeof runWorker> {
	outcomesOfAll ??= runWorker({ database: database.url, seeds: SEEDS });
	return outcomesOfAll;
}

describe('whole shops on a machine that breaks', { timeout: 1_200_000 }, () => {
	it('keep every promise, seeds 1 to 240', async () => {
		const outcomes = await shops();
		expect(outcomes).toHaveLength(SEEDS.length);
		const failed = outcomes.filter(({ violations }) => violations.length > 0);
		expect(failed.map(reportOf).join('\n')).toBe('');
	});

	it('do the same again for the same seed, whatever ran before', async () => {
		const seeds = [37, 24, 19, 11, 7];
		const once = (await shops()).filter(({ seed }) => seeds.includes(seed));
		const again = await runWorker({ database: database.url, seeds });
		const digests = (of: typeof again): string[] =>
			of.map(({ seed, digest }) => `${String(seed)} ${digest}`).toSorted();
		expect(digests(again)).toEqual(digests(once));
		expect(new Set(digests(once)).size).toBe(seeds.length);
	});

	it.each(QUICK)('catch the deliberate fault “%s”', async (canary) => {
		expect(CANARIES.map(({ name }) => name)).toContain(canary);
		const task = { database: database.url, seeds: CATCHING, canary, isTillCaught: true };
		const outcomes = await runWorker(task);
		expect(outcomes.at(-1)?.violations ?? []).not.toEqual([]);
	});
});
