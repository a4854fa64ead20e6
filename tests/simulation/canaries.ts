import { endWith, readOptions, wholeNumber } from '#server/commands/command-options.ts';
import { CANARIES } from './canary-list.ts';
import { startOwnPostgres } from './own-postgres.ts';
import { runWorker } from './workers.ts';

/** Each deliberate fault until a seed catches it. */
const USAGE = 'npm run canaries -- [--seeds N] [--only NAME]';
const values = readOptions(USAGE, {
	seeds: { type: 'string', default: '200' },
	only: { type: 'string' }
});
const count = wholeNumber(USAGE, values.seeds, 1);
const seeds = Array.from({ length: count }, (_none, at) => at + 1);
if (values.only !== undefined && !CANARIES.some(({ name }) => name === values.only))
	endWith(USAGE, `There is no such fault: ${CANARIES.map(({ name }) => name).join(', ')}.`);
const postgres = await startOwnPostgres();
try {
	const waiting = CANARIES.filter(({ name }) => values.only === undefined || name === values.only);
	const lanes = [
		waiting.filter((_one, at) => at % 2 === 0),
		waiting.filter((_one, at) => at % 2 === 1)
	];
	await Promise.all(
		lanes.map(async (lane) => {
			for (const { name } of lane) await hunt(name);
		})
	);
} finally {
	await postgres.stop();
}

async function hunt(canary: string): Promise<void> {
	const database = await postgres.create();
	const outcomes = await runWorker({ database, seeds, canary, isTillCaught: true });
	const caught = outcomes.find(({ violations }) => violations.length > 0);
	const [violation] = caught?.violations ?? [];
	if (caught === undefined || violation === undefined) {
		process.exitCode = 1;
		print(`SURVIVED ${canary}: ${String(seeds.length)} seeds`);
		return;
	}
	const detail = violation.detail.slice(0, 160);
	print(`caught ${canary}: seed ${String(caught.seed)}, ${violation.promise} (${detail})`);
}

function print(text: string): void {
	process.stdout.write(`${text}\n`);
}
