import type { JournalRow } from '#storage/device-store.ts';

/**
 * Which facts go into a document whose updates were refused without a word on which of them it was:
 * one alone, and after each that is taken twice as many, so that what is refused alone is found and
 * stops nothing else. That a fact is to blame, and not the relay of this moment, is known only where
 * it is refused alone, another is taken, and it is refused alone once more.
 */
export interface Careful {
	/** From now on the facts of this document go out a few at a time, beginning with one. */
	begin(name: string): void;
	/** What of the waiting rows may be put in now; all of them where nothing is suspected. */
	pick(name: string, waiting: readonly JournalRow[]): readonly JournalRow[];
	/** What was put in was refused, in no word about any of it. */
	refuse(name: string): Blame;
	/** What was put in is no longer in the document, and that says nothing about it. */
	forget(name: string): void;
	/** Looks what became of those that were put in, by the rows that still wait. */
	look(name: string, waiting: readonly JournalRow[]): void;
	/** A fact of another document was taken: where all that waits was refused alone, it counts. */
	lookElsewhere(name: string, waiting: readonly JournalRow[]): void;
	isAbout(name: string): boolean;
}

/** What a refusal without a word says. */
export type Blame =
	/** That one of several is to blame, or perhaps the one that was alone: others are tried first. */
	| { readonly of: 'somebody' }
	/**
	 * That this one is to blame: others are taken, before and after it. Not sure: nothing else waits, and
	 * it was refused for long; it goes out again when anything is taken.
	 */
	| { readonly of: 'fact'; readonly n: number; readonly isSure: boolean }
	/** Nothing of any fact: nothing is taken, whatever goes out. */
	| { readonly of: 'relay' };

interface Suspect {
	/** How many go out together. */
	size: number;
	/** The numbers of those that are out and not answered. */
	out: ReadonlySet<number>;
	/** Those that were refused alone, the longest ago first. */
	readonly alone: Set<number>;
	/** How many were refused alone since one was taken: where none was, one more refusal is its own. */
	inARow: number;
	/** Nothing else waits than what is out; and how often the same was refused so. */
	isLonely: boolean;
	lonely: { readonly n: number; readonly times: number };
}

const TOGETHER_MAX = 512;
/** So many refused alone, one after the other and none taken between, speak of the relay. */
const IN_A_ROW_MAX = 2;
/** So often refused with nothing else that waits, about a quarter of an hour, a fact is kept apart and shown. */
const LONELY_MAX = 6;

export function createCareful(): Careful {
	const suspects = new Map<string, Suspect>();
	return {
		begin: (name) => {
			const lonely = { n: 0, times: 0 };
			const of = { size: 1, out: new Set<number>(), alone: new Set<number>(), inARow: 0 };
			suspects.set(name, { ...of, isLonely: false, lonely });
		},
		isAbout: (name) => suspects.has(name),
		pick: (name, waiting) => {
			const suspect = suspects.get(name);
			if (suspect === undefined) return waiting;
			suspect.isLonely = waiting.length === 1;
			if (suspect.out.size === 0) suspect.out = new Set(nextOut(suspect, waiting));
			return waiting.filter(({ n }) => suspect.out.has(n));
		},
		refuse: (name) => {
			const suspect = suspects.get(name);
			const [first, ...more] = suspect?.out ?? [];
			if (suspect === undefined || first === undefined) return { of: 'relay' };
			endRound(suspect);
			return more.length > 0 ? { of: 'somebody' } : blameAlone(suspect, first);
		},
		forget: (name) => {
			const suspect = suspects.get(name);
			if (suspect !== undefined) endRound(suspect);
		},
		look: (name, waiting) => {
			const suspect = suspects.get(name);
			if (suspect === undefined || waiting.some(({ n }) => suspect.out.has(n))) return;
			if (waiting.length === 0) suspects.delete(name);
			else if (suspect.out.size > 0) {
				suspect.size = Math.min(2 * suspect.size, TOGETHER_MAX);
				suspect.out = new Set();
				suspect.inARow = 0;
			}
		},
		lookElsewhere: (name, waiting) => {
			const suspect = suspects.get(name);
			if (suspect !== undefined && waiting.every(({ n }) => suspect.alone.has(n))) {
				suspect.inARow = 0;
			}
		}
	};
}

function endRound(suspect: Suspect): void {
	suspect.size = 1;
	suspect.out = new Set();
}

/** After a fact was taken, one that another taking would condemn; else those of which nothing is known. */
function nextOut(
	{ size, alone, inARow }: Suspect,
	waiting: readonly JournalRow[]
): readonly number[] {
	const numbers = new Set(waiting.map(({ n }) => n));
	const refused = [...alone].filter((n) => numbers.has(n));
	if (inARow === 0 && refused.length > 0) return refused.slice(0, 1);
	const fresh = waiting.filter(({ n }) => !alone.has(n)).map(({ n }) => n);
	return fresh.length > 0 ? fresh.slice(0, size) : refused.slice(0, 1);
}

function blameAlone(suspect: Suspect, n: number): Blame {
	const { alone, inARow } = suspect;
	const isFound = inARow === 0 && alone.has(n);
	const times = suspect.isLonely ? 1 + (suspect.lonely.n === n ? suspect.lonely.times : 0) : 0;
	suspect.lonely = { n, times };
	suspect.inARow = inARow + 1;
	// Behind all others, so that the next time it is another one's turn.
	alone.delete(n);
	if (isFound || times >= LONELY_MAX) return { of: 'fact', n, isSure: isFound };
	alone.add(n);
	return { of: suspect.inARow < IN_A_ROW_MAX ? 'somebody' : 'relay' };
}
