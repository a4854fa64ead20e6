import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { reportOf, runWorker } from './workers.ts';

let database: TestDatabase;
beforeAll(async () => {
	database = await createTestDatabase();
});
afterAll(() => database.close());

const SEEDS = Array.from({ length: 260 }, (_none, at) => at + 241);

/** A file of its own, so that it runs beside the other. */
it('whole shops keep every promise, seeds 241 to 500', { timeout: 1_200_000 }, async () => {
	const outcomes = await runWorker({ database: database.url, seeds: SEEDS });
	expect(outcomes).toHaveLength(SEEDS.length);
	const failed = outcomes.filter(({ violations }) => violations.length > 0);
	expect(failed.map(reportOf).join('\n')).toBe('');
});
