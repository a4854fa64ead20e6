import { readOptions, wholeNumber } from '#server/commands/command-options.ts';
import { startOwnPostgres } from './own-postgres.ts';
import type { SeedOutcome } from './run-seed.ts';
import { reportOf, runWorker, sumsOf } from './workers.ts';

/** That many whole shops, each by its seed; `--told` prints all that happens. */
const USAGE = 'npm run simulate -- --seeds N [--seed S] [--told]';
const values = readOptions(USAGE, {
	seeds: { type: 'string', default: '100' },
	seed: { type: 'string', default: '1' },
	told: { type: 'boolean', default: false }
});
const seeds = wholeNumber(USAGE, values.seeds, 1);
const first = wholeNumber(USAGE, values.seed);

/** Below, a second process costs more than it saves. */
const SEEDS_OF_ONE = 20;
const TOLD_EVERY = 500;

const all = Array.from({ length: seeds }, (_none, at) => first + at);
const shares = seeds > SEEDS_OF_ONE ? [0, 1] : [0];
const postgres = await startOwnPostgres();
const begun = performance.now();
const outcomes: SeedOutcome[] = [];
try {
	await Promise.all(
		shares.map(async (share) =>
			runWorker(
				{
					database: await postgres.create(),
					seeds: all.filter((_seed, at) => at % shares.length === share),
					isTold: values.told
				},
				hear
			)
		)
	);
} finally {
	await postgres.stop();
}
const sums = sumsOf(outcomes);
print(line());
for (const [name, count] of Object.entries(sums.faults).toSorted(([a], [b]) => (a < b ? -1 : 1)))
	print(`  ${String(count).padStart(8)}  ${name}`);
if (sums.failed.length > 0) process.exitCode = 1;

function hear(outcome: SeedOutcome): void {
	outcomes.push(outcome);
	if (outcome.violations.length > 0) print(reportOf(outcome));
	else if (seeds <= SEEDS_OF_ONE) {
		const { seed, digest, facts, rounds } = outcome;
		print(
			`seed ${String(seed)}: trace ${digest}, ${String(facts)} facts, quiet after ${String(rounds)} rounds`
		);
	}
	if (outcomes.length % TOLD_EVERY === 0) print(line());
}

function line(): string {
	const { seeds: done, facts, failed, roundsMost } = sumsOf(outcomes);
	const pace = done / ((performance.now() - begun) / 1_000);
	return (
		`${String(done)} seeds, ${String(Math.round(pace * 10) / 10)} a second, ${String(facts)} facts, ` +
		`quiet after ${String(roundsMost)} rounds at the most, ${String(failed.length)} failed`
	);
}

function print(text: string): void {
	process.stdout.write(`${text}\n`);
}
