import './early-clock.ts';
import { canaryCalled } from './canary-list.ts';
import { connectServer } from './database.ts';
import { preload } from './preload.ts';
import { runSeed, type SeedOutcome } from './run-seed.ts';
import type { WorkerTask } from './workers.ts';

/** A process that runs seeds one after the other and tells each outcome to who started it. */
// The stock provider listens for the end of the process, once for each open document.
process.setMaxListeners(0);
// Nobody is left to be told.
process.once('disconnect', () => process.exit());
const task = JSON.parse(process.argv[2] ?? '{}') as WorkerTask;
await preload();
const server = await connectServer(task.database);
const canary = canaryCalled(task.canary);
await canary.database?.(server.sql);
for (const seed of task.seeds) {
	const outcome = await run(seed);
	await tell(outcome);
	if (task.isTillCaught === true && outcome.violations.length > 0) break;
}
await server.close();
process.disconnect();

/** A seed that cannot be run to its end has failed like any other, and the next ones are run. */
async function run(seed: number): Promise<SeedOutcome> {
	try {
		return await runSeed(server, seed, {
			canary,
			always: task.always ?? [],
			kept: task.isTold === true ? 0 : 40,
			...(task.isTold === true && { tell: print })
		});
	} catch (fault) {
		// A deliberate fault is caught by a promise, or not at all.
		if (task.canary !== undefined) throw fault;
		const detail = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
		const violations = [{ promise: 'a seed is run to its end', detail }];
		return { seed, digest: '', violations, facts: 0, faults: {}, rounds: 0, tail: [] };
	}
}

function print(line: string): void {
	process.stdout.write(`${line}\n`);
}

function tell(outcome: SeedOutcome): Promise<void> {
	return new Promise((resolve) => {
		process.send?.(outcome, undefined, undefined, () => {
			resolve();
		});
	});
}
