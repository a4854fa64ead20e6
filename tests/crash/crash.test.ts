import { expect, it } from 'vitest';
import { crash } from './crash-run.ts';

const ROUNDS = 3;
const FRESH_SEEDS = [Math.floor(Math.random() * 1e9)];

it.each(FRESH_SEEDS)(
	'seed %i: kill -9 of relay and PostgreSQL loses and doubles nothing that was acknowledged',
	async (seed) => {
		const { broken, rounds, kills, saved, acknowledged, lost, doubled } = await crash({
			rounds: ROUNDS,
			seed,
			tell: (line) => process.stderr.write(`${line}\n`)
		});
		expect({ broken, rounds, lost, doubled }).toEqual({
			broken: [],
			rounds: ROUNDS,
			lost: 0,
			doubled: 0
		});
		expect(acknowledged).toBe(saved);
		expect(saved).toBeGreaterThan(100);
		expect(Object.values(kills).reduce((sum, times) => sum + times, 0)).toBeGreaterThan(2);
	}
);
