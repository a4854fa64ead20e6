import { describe, expect, it } from 'vitest';
import { fuzz, TARGETS } from './run.ts';

const PINNED_SEEDS = [1, 2, 20_261_121];
const FRESH_SEEDS = [Date.now() % 2 ** 32];
const INPUTS = 2_500;

describe.each([...PINNED_SEEDS, ...FRESH_SEEDS])('seed %i', (seed) => {
	it('[RELAY-1] [RELAY-3] [RELAY-6] nothing that is thrown at the wall crashes it or changes what stands', async () => {
		const { tallies, crashes } = await fuzz({ seed, goesOn: (tried) => tried < INPUTS });
		expect(crashes.map(({ target, input, fault }) => [target, hex(input), fault])).toEqual([]);
		for (const target of TARGETS) {
			const { tried, accepted, refused } = tallies[target];
			expect([target, accepted > 0, refused > 0, accepted + refused]).toEqual([
				target,
				true,
				true,
				tried
			]);
		}
	});
});

it('[RELAY-1] the same seed throws the same', async () => {
	const [one, other] = await Promise.all(
		[5, 5].map((seed) => fuzz({ seed, goesOn: (tried) => tried < 300 }))
	);
	expect(one?.tallies).toEqual(other?.tallies);
});

function hex(bytes: Uint8Array): string {
	return Buffer.from(bytes).toString('hex');
}
