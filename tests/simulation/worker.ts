import './early-clock.ts';
import { canaryCalled } from './canary-list.ts';
import { connectServer } from './database.ts';
import { preload } from './preload.ts';
import { runSeed, type SeedOutcome } from './run-seed.ts';
import type { WorkerTask } from './workers.ts';

/** A process that runs seeds one after the other and tells each outcome to who started it. */
// The stock provider listens for the end of the process, once for each open document.
process.setMaxListeners(0);
const task = JSON.parse(process.argv[2] ?? '{}') as WorkerTask;
await preload();
const server = await connectServer(task.database);
const canary = canaryCalled(task.canary);
await canary.database?.(server.sql);
for (const seed of task.seeds) {
	const outcome = await runSeed(server, seed, {
		canary,
		always: task.always ?? [],
		kept: task.isTold === true ? 0 : 40,
		...(task.isTold === true && { tell: print })
	});
	await tell(outcome);
	if (task.isTillCaught === true && outcome.violations.length > 0) break;
}
await server.close();
process.disconnect();

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
