import type { HaveRange } from '#sync/frames.ts';
import { HAVE_RANGE_LENGTH } from '#sync/limits.ts';

/** A run of a device's committed facts inside one block, and the XOR of their digests. */
export interface Run {
	from: number;
	to: number;
	digest: bigint;
}

/**
 * Which facts of one device are committed: by block, in runs that never cross a multiple of 512. Plain, since a
 * relay holds one for each device.
 */
export type HaveBook = Map<number, Run[]>;

export function createHaveBook(runs: Iterable<Readonly<Run>>): HaveBook {
	const book: HaveBook = new Map();
	for (const run of runs) runsIn(book, blockOf(run.from)).push({ ...run });
	return book;
}

/** Adds a committed fact; one that is in already changes nothing, and answers false. */
export function addToBook(book: HaveBook, n: number, digest: bigint): boolean {
	return addTo(runsIn(book, blockOf(n)), n, digest);
}

/** All runs, or those of the blocks that hold the given facts, as they go over the wire. */
export function haveRanges(book: HaveBook, ofFacts?: readonly number[]): readonly HaveRange[] {
	return rangesIn(book, new Set(ofFacts?.map(blockOf) ?? book.keys()));
}

/** The runs of the block of this number and of all behind it. */
export function haveRangesFrom(book: HaveBook, n: number): readonly HaveRange[] {
	const first = blockOf(n);
	return rangesIn(
		book,
		Array.from(book.keys()).filter((block) => block >= first)
	);
}

function rangesIn(book: HaveBook, blocks: Iterable<number>): readonly HaveRange[] {
	return Array.from(blocks)
		.sort((a, b) => a - b)
		.flatMap((block) => (book.get(block) ?? []).map(encodeRun));
}

/** Runs never cross from one into the next. */
export function blockOf(n: number): number {
	return Math.floor(n / HAVE_RANGE_LENGTH);
}

function runsIn(book: HaveBook, block: number): Run[] {
	const runs = book.get(block);
	if (runs !== undefined) return runs;
	const fresh: Run[] = [];
	book.set(block, fresh);
	return fresh;
}

/** Keeps the runs in order and apart: a fact extends one, joins two, or begins one. */
function addTo(runs: Run[], n: number, digest: bigint): boolean {
	// Facts come in order nearly always, so the place is looked for from the end.
	const at = runs.findLastIndex((run) => run.from <= n);
	const before = runs[at];
	const after = runs[at + 1];
	if (before !== undefined && n <= before.to) return false;
	if (before?.to === n - 1) {
		before.to = n;
		before.digest ^= digest;
		if (after?.from !== n + 1) return true;
		before.to = after.to;
		before.digest ^= after.digest;
		runs.splice(at + 1, 1);
	} else if (after?.from === n + 1) {
		after.from = n;
		after.digest ^= digest;
	} else {
		runs.splice(at + 1, 0, { from: n, to: n, digest });
	}
	return true;
}

function encodeRun({ from, to, digest }: Run): HaveRange {
	return [from, to, digest.toString(16).padStart(16, '0')];
}
