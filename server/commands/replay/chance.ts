import { createHash } from 'node:crypto';

/**
 * A whole number below `limit`, the same for the same seed and purpose. Each purpose draws for
 * itself, so that one more draw somewhere moves no other.
 */
export type Chance = (purpose: string, limit: number) => number;

export function createChance(seed: number): Chance {
	return (purpose, limit) => {
		const digest = createHash('sha256')
			.update(`${String(seed)}/${purpose}`)
			.digest();
		return digest.readUIntBE(0, 6) % limit;
	};
}
