import { expect, it } from 'vitest';
import type { FactId } from '#domain/ids.ts';
import type { JournalRow } from '#storage/device-store.ts';
import { seeded } from '#tests/support/seeded.ts';
import { createCareful, type Blame, type Careful } from './careful.ts';

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

const rows = (...numbers: readonly number[]): readonly JournalRow[] => numbers.map(row);
const out = (careful: Careful, waiting: readonly JournalRow[]): readonly number[] =>
	careful.pick(DAY, waiting).map(({ n }) => n);

it('[LINK-20] twice as many go out after each that is taken, up to a limit, until nothing is suspected', () => {
	const careful = createCareful();
	expect(careful.isAbout(DAY)).toBe(false);
	expect(out(careful, rows(1, 2, 3))).toEqual([1, 2, 3]);
	careful.begin(DAY);
	let waiting = Array.from({ length: 2_000 }, (_none, place) => row(place + 1));
	const sizes: number[] = [];
	while (waiting.length > 0) {
		expect(careful.isAbout(DAY)).toBe(true);
		const gone = new Set(out(careful, waiting));
		sizes.push(gone.size);
		// What is out and still waits was not answered, and nothing joins it.
		careful.look(DAY, waiting);
		expect(out(careful, waiting)).toEqual([...gone]);
		waiting = waiting.filter(({ n }) => !gone.has(n));
		careful.look(DAY, waiting);
	}
	expect(sizes).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 465]);
	expect(careful.isAbout(DAY)).toBe(false);
});

it('[LINK-20] what is no longer in its document is not blamed, and one goes out again', () => {
	const careful = createCareful();
	careful.begin(DAY);
	expect(out(careful, rows(1, 2, 3, 4))).toEqual([1]);
	careful.look(DAY, rows(2, 3, 4));
	expect(out(careful, rows(2, 3, 4))).toEqual([2, 3]);
	// One of them is answered, and the other alone is out.
	careful.look(DAY, rows(3, 4));
	expect(out(careful, rows(3, 4))).toEqual([3]);
	careful.forget(DAY);
	expect(careful.refuse(DAY)).toEqual({ of: 'relay' });
	expect(out(careful, rows(3, 4))).toEqual([3]);
});

it('[LINK-20] one taken in another document counts where all that waits here was refused alone', () => {
	for (const [waiting, blame] of [
		[rows(1, 2), { of: 'fact', n: 1, isSure: true }],
		[rows(1, 2, 3), { of: 'relay' }]
	] as const) {
		const careful = createCareful();
		careful.begin(DAY);
		for (const n of [1, 2]) {
			expect(out(careful, waiting)).toEqual([n]);
			careful.refuse(DAY);
		}
		careful.lookElsewhere(DAY, waiting);
		out(careful, waiting);
		expect(careful.refuse(DAY)).toEqual(blame);
	}
});

it('[LINK-20] those that were refused alone take turns, and one alone is blamed after another was taken', () => {
	const careful = createCareful();
	careful.begin(DAY);
	const refused = (...waiting: readonly number[]): readonly [number | undefined, Blame['of']] => {
		const [n] = out(careful, rows(...waiting));
		return [n, careful.refuse(DAY).of];
	};
	expect(refused(1, 2)).toEqual([1, 'somebody']);
	for (const n of [2, 1, 2]) expect(refused(1, 2)).toEqual([n, 'relay']);
	expect(out(careful, rows(1, 2, 3))).toEqual([3]);
	careful.look(DAY, rows(1, 2));
	expect(refused(1, 2)).toEqual([1, 'fact']);
	// The relay may be ill by now: nothing was taken since.
	expect(refused(2)).toEqual([2, 'relay']);
});

it('[LINK-28] one with which nothing else waits is doubted when it was refused for long', () => {
	const careful = createCareful();
	careful.begin(DAY);
	const refused = (waiting: readonly JournalRow[], n: number): Blame['of'] | boolean => {
		expect(out(careful, waiting)).toEqual([n]);
		const blame = careful.refuse(DAY);
		return blame.of === 'fact' ? blame.isSure : blame.of;
	};
	const alone = ['somebody', 'relay', 'relay', 'relay', 'relay'];
	expect(alone.map(() => refused(rows(1), 1))).toEqual(alone);
	expect(refused(rows(7), 7)).toBe('relay');
	// Something else waits by now: it goes first, and what was counted is not so any more.
	expect(refused(rows(1, 2), 2)).toBe('relay');
	expect(refused(rows(1, 2), 1)).toBe('relay');
	for (let times = 1; times < 6; times += 1) expect(refused(rows(1), 1)).toBe('relay');
	expect(refused(rows(1), 1)).toBe(false);
});
