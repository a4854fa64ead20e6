import { parseArgs } from 'node:util';
import {
	judge,
	WRONG_SHEETS_MAX,
	type CodeMatch,
	type LedgerGuard
} from '#domain/confirmation/judge.ts';
import { recordHashOf } from '#domain/confirmation/record-hash.ts';
import { createChance } from './replay/chance.ts';

/**
 * How often a shop's modified client hits a sheet's code before the lock. It knows the ten bits of
 * each open code's check value, so about one code of 1,024 fits; of those it tries one after the
 * other, at the real judge, until the judge says *locked*.
 */
const CODES = 100_000_000;
const CHECK_VALUES = 1_024;
const SIGMAS = 4;
const AT = 0;
const DRAWS = 2 ** 40;
const H = recordHashOf(new Uint8Array(32));
const RECORD = { h: H, kind: 'due', currency: 'KES', exponent: 2, amount: 100 } as const;
const SHEET = { kind: 'debit', currency: 'KES', exponent: 2, cap: 100 } as const;
const MATCH: CodeMatch = { isCurrent: true, issuedAt: AT, sheet: SHEET };

const { values } = parseArgs({
	options: {
		lockouts: { type: 'string', default: '1000000' },
		seed: { type: 'string', default: '1' }
	}
});
const lockouts = Number(values.lockouts);
const draw = createChance(Number(values.seed));
const chance = (purpose: string): number => draw(purpose, DRAWS) / DRAWS;

let hits = 0;
let tries = 0;
for (let done = 0; done < lockouts; done += 1) hits += lockOut(done) ? 1 : 0;

// Each try is one more of the codes that fit, and one of them is right.
const expected = (lockouts * WRONG_SHEETS_MAX * CHECK_VALUES) / CODES;
const sigma = Math.sqrt(expected);
const isWithin = Math.abs(hits - expected) <= SIGMAS * sigma;
const rate = (count: number): string => (count / lockouts).toExponential(2);
process.stdout.write(
	[
		`${String(lockouts)} lock-outs, ${String(tries)} tries, seed ${values.seed}`,
		`codes hit: ${String(hits)}, ${rate(hits)} a lock-out`,
		`expected: ${String(Math.round(expected))} (3 × 1,024 ÷ 10⁸ = ${rate(expected)}), 4 σ = ${String(Math.round(SIGMAS * sigma))}`,
		isWithin ? 'within 4 σ' : 'NOT within 4 σ',
		''
	].join('\n')
);
process.exitCode = isWithin ? 0 : 1;

/** One attacker at one set of codes, until the lock; whether a code of it confirmed. */
function lockOut(number: number): boolean {
	const right = Math.floor(chance(`right ${String(number)}`) * candidatesOf(number));
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

/** How many of all codes bear the check value of the right one: binomial, drawn as its normal limit. */
function candidatesOf(number: number): number {
	const mean = CODES / CHECK_VALUES;
	const deviation = Math.sqrt(mean * (1 - 1 / CHECK_VALUES));
	const normal =
		Math.sqrt(-2 * Math.log(1 - chance(`far ${String(number)}`))) *
		Math.cos(2 * Math.PI * chance(`angle ${String(number)}`));
	return Math.max(1, Math.round(mean + deviation * normal));
}
