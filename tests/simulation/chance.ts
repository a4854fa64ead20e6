import { seeded } from '#tests/support/seeded.ts';

/** Chance that a seed repeats exactly. Each part of a run draws from a stream of its own. */
export interface Chance {
	/** A whole number from 0 up to, not including, `limit`; up to 53 bits. */
	readonly below: (limit: number) => number;
	/** A whole number between both, both inside. */
	readonly between: (least: number, most: number) => number;
	/** True in `percent` of a hundred. */
	readonly percent: (percent: number) => boolean;
	readonly pick: <T>(of: readonly T[]) => T;
	readonly bytes: (length: number) => Uint8Array;
	readonly uuid: () => string;
	/** Another stream, which moves on its own. */
	readonly apart: (name: string) => Chance;
}

const HIGH = 2 ** 26;
const LOW = 2 ** 27;

export function createChance(seed: number): Chance {
	const draw = seeded(seed);
	const below = (limit: number): number =>
		limit <= LOW ? draw(limit) : (draw(HIGH) * LOW + draw(LOW)) % limit;
	const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => draw(256));
	return {
		below,
		between: (least, most) => least + below(most - least + 1),
		percent: (percent) => below(10_000) < percent * 100,
		pick: (of) => {
			const found = of[below(of.length)];
			if (found === undefined) throw new Error('nothing to pick from');
			return found;
		},
		bytes,
		uuid: () => uuidOf(bytes(16)),
		apart: (name) => createChance(mix(seed, name))
	};
}

function uuidOf(bytes: Uint8Array): string {
	bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
	bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
	const hex = Buffer.from(bytes).toString('hex');
	const ends = [0, 8, 12, 16, 20, 32];
	return ends
		.slice(1)
		.map((end, at) => hex.slice(ends[at], end))
		.join('-');
}

/** FNV-1a over the name, begun with the seed. */
function mix(seed: number, name: string): number {
	let hash = (seed ^ 0x811c9dc5) >>> 0;
	for (const letter of name) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193) >>> 0;
	return hash;
}
