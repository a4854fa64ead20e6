import {
	judge,
	WRONG_SHEETS_MAX,
	type CodeMatch,
	type LedgerGuard
} from '#domain/confirmation/judge.ts';
import { recordHashOf } from '#domain/confirmation/record-hash.ts';
import { readOptions, wholeNumber } from './command-options.ts';
import { createChance } from './replay/chance.ts';

/**
 * How often a shop's modified client hits a sheet's code before the lock. It knows the ten bits of
 * each open code's check value, so one code of 1,024 fits, and it knows how codes are made: 31 bits
 * modulo 10⁸, so that the codes below 2³¹ mod 10⁸ have 22 ways to come about and the others 21. It
 * tries likely codes that fit, one after the other, at the real judge, until the judge says *locked*.
 *
 * A hit needs a right code that is likely, 22 · L ÷ 2³¹, and its place among the first three of the
 * K likely ones that fit, 3 ÷ K. K is 1 + binomial(L − 1, 1 ÷ 1,024), so that the mean of 1 ÷ K is
 * 1,024 ÷ L but for a part that no float can tell from nothing, and L goes out: 3 · 22 · 1,024 ÷ 2³¹.
 * Whoever works out all five open counters and takes that with the fewest codes gains 0.4 % on this.
 */
const CODES = 100_000_000;
const CHECK_VALUES = 1_024;
const NUMBERS = 2 ** 31;
const LIKELY_CODES = NUMBERS % CODES;
const LIKELY_WAYS = Math.ceil(NUMBERS / CODES);
const STATED_RATE = 3.1e-5;
const SIGMAS = 4;
const AT = 0;
const DRAWS = 2 ** 40;
const H = recordHashOf(new Uint8Array(32));
const RECORD = { h: H, kind: 'due', currency: 'KES', exponent: 2, amount: 100 } as const;
const SHEET = { kind: 'debit', currency: 'KES', exponent: 2, cap: 100 } as const;
const MATCH: CodeMatch = { isCurrent: true, issuedAt: AT, sheet: SHEET };

const USAGE = 'npm run simulate-guesses -- [--lockouts 1000000] [--seed 1]';
const values = readOptions(USAGE, {
	lockouts: { type: 'string', default: '1000000' },
	seed: { type: 'string', default: '1' }
});
const lockouts = wholeNumber(USAGE, values.lockouts, 1);
const draw = createChance(wholeNumber(USAGE, values.seed));
const chance = (purpose: string): number => draw(purpose, DRAWS) / DRAWS;

let hits = 0;
let tries = 0;
for (let done = 0; done < lockouts; done += 1) hits += lockOut(done) ? 1 : 0;

const expectedRate = (WRONG_SHEETS_MAX * LIKELY_WAYS * CHECK_VALUES) / NUMBERS;
const expected = lockouts * expectedRate;
const sigma = Math.sqrt(expected * (1 - expectedRate));
const isNear = (mean: number): boolean => Math.abs(hits - mean) <= SIGMAS * sigma;
const isWithin = hits > 0 && isNear(expected) && isNear(lockouts * STATED_RATE);
const rate = (count: number): string => (count / lockouts).toExponential(2);
process.stdout.write(
	[
		`${String(lockouts)} lock-outs, ${String(tries)} tries, seed ${values.seed}`,
		`codes hit: ${String(hits)}, ${rate(hits)} a lock-out`,
		`expected: ${expected.toPrecision(4)}, ${expectedRate.toExponential(4)} a lock-out (3 × 22 × 1,024 ÷ 2³¹)`,
		`stated: ${STATED_RATE.toExponential(1)}; 4 σ = ${(SIGMAS * sigma).toPrecision(3)} hits`,
		isWithin ? 'within 4 σ of both' : 'NOT within 4 σ of both',
		''
	].join('\n')
);
process.exitCode = isWithin ? 0 : 1;

/** One attacker at one set of codes, until the lock; whether a code of it confirmed. */
function lockOut(number: number): boolean {
	const isLikely = draw(`code ${String(number)}`, NUMBERS) % CODES < LIKELY_CODES;
	const place = Math.floor(chance(`place ${String(number)}`) * candidatesOf(number));
	const right = isLikely ? place : Infinity;
	let guard: LedgerGuard = {
		linked: 'app',
		wrongSheet: 0,
		wrongPhone: 0,
		shopWrongToday: 0,
		wrongSend: 0
	};
	for (let guess = 0; ; guess += 1) {
		const match = guess === right ? MATCH : undefined;
		const { result, isWrong } = judge({ way: 'sheet', record: RECORD, match, guard, at: AT });
		if (result === 'locked') return false;
		tries += 1;
		if (result === 'ok') return true;
		if (isWrong) guard = { ...guard, wrongSheet: guard.wrongSheet + 1 };
	}
}

/** How many likely codes bear the check value of the right one, drawn as the binomial's normal limit. */
function candidatesOf(number: number): number {
	const mean = 1 + (LIKELY_CODES - 1) / CHECK_VALUES;
	const deviation = Math.sqrt(mean * (1 - 1 / CHECK_VALUES));
	const normal =
		Math.sqrt(-2 * Math.log(1 - chance(`far ${String(number)}`))) *
		Math.cos(2 * Math.PI * chance(`angle ${String(number)}`));
	return Math.max(1, Math.round(mean + deviation * normal));
}
