import { expect, it } from 'vitest';
import type { FactId } from '#domain/ids.ts';
import type { JournalRow } from '#storage/device-store.ts';
import { seeded } from '#tests/support/seeded.ts';
import { createCareful } from './careful.ts';

const DAY = 'j/shop/branch/20261120';

function row(n: number): JournalRow {
	const id = `A-${String(n)}` as FactId;
	return { n, id, document: DAY, text: '', digest: '', sent: 0, at: 0, minor: 0n };
}

interface Told {
	readonly taken: readonly number[];
	readonly blamed: readonly number[];
	readonly pauses: number;
}

/** Puts rows in round after round, to a relay that takes what `takes` says of it. */
function tell(
	facts: number,
	rounds: number,
	takes: (numbers: readonly number[], round: number) => boolean
): Told {
	const careful = createCareful();
	careful.begin(DAY);
	let waiting = Array.from({ length: facts }, (_none, place) => row(place + 1));
	const taken: number[] = [];
	const blamed: number[] = [];
	let pauses = 0;
	for (let round = 0; round < rounds && waiting.length > 0; round += 1) {
		const out = new Set(careful.pick(DAY, waiting).map(({ n }) => n));
		if (takes([...out], round)) {
			taken.push(...out);
			waiting = waiting.filter(({ n }) => !out.has(n));
			careful.look(DAY, waiting);
			continue;
		}
		const blame = careful.refuse(DAY);
		if (blame.of === 'relay') pauses += 1;
		if (blame.of !== 'fact') continue;
		blamed.push(blame.n);
		waiting = waiting.filter(({ n }) => n !== blame.n);
	}
	return {
		taken: taken.toSorted((a, b) => a - b),
		blamed: blamed.toSorted((a, b) => a - b),
		pauses
	};
}

it('[LINK-21] blames no fact while none is taken, and says of every further one that it is the relay', () => {
	expect(tell(40, 100, () => false)).toEqual({ taken: [], blamed: [], pauses: 99 });
});

it('[LINK-20] blames exactly those that are to blame, in few rounds, wherever they stand', () => {
	for (const bad of [[1], [1, 2], [5, 6, 7, 8], [2, 40, 41, 399]]) {
		const told = tell(400, 120, (numbers) => !numbers.some((n) => bad.includes(n)));
		expect(told.blamed).toEqual(bad);
		expect(told.taken.length).toBe(400 - bad.length);
	}
});

it('[LINK-20] blames at most one fact for each time that the relay falls ill', () => {
	const random = seeded(3);
	let blamed = 0;
	for (let times = 0; times < 200; times += 1) {
		const from = random(12);
		const to = from + 1 + random(40);
		const told = tell(30, 200, (_numbers, round) => round < from || round >= to);
		blamed += told.blamed.length;
		expect(told.blamed.length).toBeLessThanOrEqual(1);
		expect(told.taken.length + told.blamed.length).toBe(30);
	}
	// It was not ill for nothing, and most of the time nobody was blamed at all.
	expect(blamed).toBeLessThan(20);
});
