import type { JournalRow } from '#storage/device-store.ts';

/**
 * Which facts go into a document whose updates were refused without a word on which of them it was:
 * one alone, and after each that is taken twice as many, so that what is refused alone is found and
 * stops nothing else.
 */
export interface Careful {
	/** From now on the facts of this document go out a few at a time, beginning with one. */
	begin(name: string): void;
	/** What of the waiting rows may be put in now; all of them where nothing is suspected. */
	pick(name: string, waiting: readonly JournalRow[]): readonly JournalRow[];
	/**
	 * What was put in was refused. Answers the number of the one fact that it must have been; `isAlone`
	 * where no other was put in with it.
	 */
	refuse(name: string): { readonly isAlone: boolean; readonly n: number | undefined };
	/** Looks what became of those that were put in, by the rows that still wait. */
	look(name: string, waiting: readonly JournalRow[]): void;
	isAbout(name: string): boolean;
}

interface Suspect {
	/** How many go out together. */
	size: number;
	/** The numbers of those that are out and not answered. */
	out: ReadonlySet<number>;
}

const TOGETHER_MAX = 512;

export function createCareful(): Careful {
	const suspects = new Map<string, Suspect>();
	return {
		begin: (name) => {
			suspects.set(name, { size: 1, out: new Set() });
		},
		isAbout: (name) => suspects.has(name),
		pick: (name, waiting) => {
			const suspect = suspects.get(name);
			if (suspect === undefined) return waiting;
			if (suspect.out.size === 0) {
				suspect.out = new Set(waiting.slice(0, suspect.size).map(({ n }) => n));
			}
			return waiting.filter(({ n }) => suspect.out.has(n));
		},
		refuse: (name) => {
			const suspect = suspects.get(name);
			const [only, ...more] = suspect?.out ?? [];
			suspects.set(name, { size: 1, out: new Set() });
			return more.length === 0 ? { isAlone: true, n: only } : { isAlone: false, n: undefined };
		},
		look: (name, waiting) => {
			const suspect = suspects.get(name);
			if (suspect === undefined || waiting.some(({ n }) => suspect.out.has(n))) return;
			if (waiting.length === 0) suspects.delete(name);
			else if (suspect.out.size > 0) {
				suspects.set(name, { size: Math.min(2 * suspect.size, TOGETHER_MAX), out: new Set() });
			}
		}
	};
}
