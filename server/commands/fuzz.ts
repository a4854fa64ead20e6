import { endWith, readOptions, wholeNumber } from './command-options.ts';
import { fuzz, TARGETS, type Crash, type FuzzReport } from './fuzz/run.ts';

/** Mutated updates, frames and facts against the relay's wall. */
const USAGE = 'npm run fuzz -- --seconds N [--seed S]';
const SEED_LIMIT = 2 ** 32;
const HEX_BYTES_MAX = 4_096;
const NAMES = ['tried', 'accepted', 'refused', 'crashed'] as const;

const values = readOptions(USAGE, {
	seconds: { type: 'string', default: '10' },
	seed: { type: 'string', default: String(Date.now() % SEED_LIMIT) }
});
const seconds = Number(values.seconds);
if (!(seconds > 0)) endWith(USAGE, `Not a number of seconds: "${values.seconds}".`);
const seed = wholeNumber(USAGE, values.seed);
if (seed >= SEED_LIMIT) endWith(USAGE, `A seed is below ${String(SEED_LIMIT)}.`);
await run();

async function run(): Promise<void> {
	const end = performance.now() + seconds * 1_000;
	// The clock is looked at now and then: it would else be the most of the work.
	const report = await fuzz({ seed, goesOn: (tried) => tried % 64 > 0 || performance.now() < end });
	console.log(table(report));
	for (const crash of report.crashes) complain(crash);
	process.exitCode = report.crashes.length === 0 ? 0 : 1;
}

function table({ tallies }: FuzzReport): string {
	const all = { tried: 0, accepted: 0, refused: 0, crashed: 0 };
	const rows = TARGETS.map((target) => {
		const tally = tallies[target];
		for (const name of NAMES) all[name] += tally[name];
		return rowOf(target, tally);
	});
	const head = `seed ${String(seed)}`.padEnd(18) + NAMES.map((name) => name.padStart(12)).join('');
	return [head, ...rows, rowOf('all', all)].join('\n');
}

function rowOf(name: string, tally: Readonly<Record<(typeof NAMES)[number], number>>): string {
	return name.padEnd(18) + NAMES.map((each) => String(tally[each]).padStart(12)).join('');
}

function complain({ target, input, fault }: Crash): void {
	const hex = Buffer.from(input.subarray(0, HEX_BYTES_MAX)).toString('hex');
	const more = input.byteLength > HEX_BYTES_MAX ? `… (${String(input.byteLength)} bytes)` : '';
	const stack = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
	console.error(`\ncrashed: ${target}, seed ${String(seed)}\ninput: ${hex}${more}\n${stack}`);
}
