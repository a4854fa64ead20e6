import { readOptions, wholeNumber } from '#server/commands/command-options.ts';
import { crash, KILLS, type CrashOptions, type CrashReport } from './crash-run.ts';

/**
 * Kills a relay, its PostgreSQL and PostgreSQL's connections at chance moments, also while they
 * start, and looks after each start for every fact that somebody was told is safe:
 * `npm run crash -- --rounds 200 --seed 7`. Ends with 1 where one is lost or there twice.
 * With `--relaxed` PostgreSQL is set to answer before it has written, which the relay must not let
 * it do.
 */
const USAGE = 'npm run crash -- [--rounds N] [--seed S] [--relaxed]';
const SEED_LIMIT = 2 ** 31;

try {
	const values = readOptions(USAGE, {
		rounds: { type: 'string', default: '20' },
		seed: { type: 'string', default: String(Math.floor(Math.random() * SEED_LIMIT)) },
		relaxed: { type: 'boolean', default: false }
	});
	const rounds = wholeNumber(USAGE, values.rounds, 1);
	await run({ rounds, seed: wholeNumber(USAGE, values.seed), isRelaxed: values.relaxed });
} catch (fault) {
	say(process.stderr, fault instanceof Error ? (fault.stack ?? fault.message) : String(fault));
	process.exitCode = 1;
}

async function run(options: Omit<CrashOptions, 'tell'>): Promise<void> {
	const { rounds, seed } = options;
	say(process.stderr, `seed ${String(seed)}`);
	const startedAt = Date.now();
	const report = await crash({
		...options,
		tell: (line) => {
			say(process.stderr, line);
		}
	});
	for (const line of linesOf(report)) say(process.stdout, line);
	for (const what of report.broken) say(process.stdout, `BROKEN: ${what}`);
	const { kills, saved, acknowledged, lost, doubled, restartMs } = report;
	const restartP50Ms = share(restartMs, 0.5);
	const seconds = Math.round((Date.now() - startedAt) / 1_000);
	const figures = { kills, saved, acknowledged, lost, doubled, restartP50Ms, seconds, seed };
	say(process.stdout, JSON.stringify({ rounds: report.rounds, ...figures }));
	if (report.broken.length === 0) return;
	say(
		process.stdout,
		`again with: npm run crash -- --rounds ${String(rounds)} --seed ${String(seed)}`
	);
	process.exitCode = 1;
}

function linesOf(report: CrashReport): readonly string[] {
	const { rounds, kills, saved, acknowledged, lost, doubled, restartMsByKill } = report;
	return [
		`${String(rounds)} rounds`,
		...KILLS.map((kill) => {
			const ms = restartMsByKill[kill] ?? [];
			const [p50, most] = [share(ms, 0.5), share(ms, 1)];
			return `killed ${kill.padEnd(8)} ${String(kills[kill]).padStart(4)}   back after ${String(p50)} ms, at most ${String(most)} ms`;
		}),
		`${String(saved)} facts saved, ${String(acknowledged)} acknowledged, ${String(lost)} lost, ${String(doubled)} doubled`
	];
}

/** Of sorted figures the one that so large a share is not above. */
function share(sorted: readonly number[], part: number): number {
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

function say(stream: NodeJS.WriteStream, line: string): void {
	stream.write(`${line}\n`);
}
