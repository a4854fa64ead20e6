import { fork } from 'node:child_process';
import type { SeedPart } from './plan.ts';
import type { SeedOutcome } from './run-seed.ts';

export interface WorkerTask {
	/** With all tables and no rows; the worker's own. */
	readonly database: string;
	readonly seeds: readonly number[];
	/** The name of a deliberate fault. */
	readonly canary?: string;
	/** What every seed has, that else only some have. */
	readonly always?: readonly SeedPart[];
	/** Whether it stops at the first seed that finds something. */
	readonly isTillCaught?: boolean;
	/** Whether it prints everything that happens. */
	readonly isTold?: boolean;
}

const WORKER = new URL('./worker.ts', import.meta.url);

/** Runs seeds in a process of their own: its time and chance are taken over, and ours are not. */
export async function runWorker(
	task: WorkerTask,
	hear: (outcome: SeedOutcome) => void = () => undefined
): Promise<readonly SeedOutcome[]> {
	const outcomes: SeedOutcome[] = [];
	const worker = fork(WORKER, [JSON.stringify(task)], {
		stdio: 'inherit',
		execArgv: ['--max-semi-space-size=64']
	});
	worker.on('message', (outcome: SeedOutcome) => {
		outcomes.push(outcome);
		hear(outcome);
	});
	const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
		worker.once('error', reject);
		worker.once('close', (...how: [number | null, string | null]) => {
			resolve(how);
		});
	});
	if (code !== 0) throw new Error(`a worker ended with ${String(code ?? signal)}`);
	return outcomes;
}

/** What a person reads of a seed that found something. */
export function reportOf({ seed, violations, tail }: SeedOutcome): string {
	return [
		`seed ${String(seed)} breaks a promise; npm run simulate -- --seeds 1 --seed ${String(seed)}`,
		...violations.slice(0, 6).map(({ promise, detail }) => `  ${promise}: ${detail.slice(0, 600)}`),
		...tail.slice(-12).map((line) => `    ${line.slice(0, 120)}`)
	].join('\n');
}

/** Added up over many seeds. */
export interface Sums {
	readonly seeds: number;
	readonly facts: number;
	readonly faults: Readonly<Record<string, number>>;
	readonly roundsMost: number;
	readonly failed: readonly SeedOutcome[];
}

export function sumsOf(outcomes: readonly SeedOutcome[]): Sums {
	const faults: Record<string, number> = {};
	for (const outcome of outcomes)
		for (const [name, count] of Object.entries(outcome.faults))
			faults[name] = (faults[name] ?? 0) + count;
	return {
		seeds: outcomes.length,
		facts: outcomes.reduce((sum, { facts }) => sum + facts, 0),
		roundsMost: Math.max(0, ...outcomes.map(({ rounds }) => rounds)),
		faults,
		failed: outcomes.filter(({ violations }) => violations.length > 0)
	};
}
