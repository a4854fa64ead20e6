/** How many rows of ledgers a business may have folded anew. */
export interface FoldLimits {
	readonly atOnce: number;
	readonly eachSecond: number;
}

/** In a ledger of 20,000 records ten sayings a minute come to 3,400 a second. */
export const FOLD_LIMITS: FoldLimits = { atOnce: 400_000, eachSecond: 4_000 };

/**
 * RELAY-82. How much of this process each business takes by what cannot be added but folds a ledger anew.
 * In memory: who starts anew forgets no more than it does in the time of a start.
 */
export interface FoldMeter {
	/** Whether a business had so much folded that what would fold more of it waits. */
	readonly isSpent: (business: string) => boolean;
	/** Counts what was folded, also for what does not commit. */
	readonly take: (business: string, rows: number) => void;
}

/** So many are kept before those that are even again are forgotten. */
const KEPT_LENGTH = 1_000;

/** `clock`: ms. */
export function createFoldMeter(
	clock: () => number,
	{ atOnce, eachSecond }: FoldLimits = FOLD_LIMITS
): FoldMeter {
	const msOfRow = 1_000 / eachSecond;
	const behindMsMax = atOnce * msOfRow;
	/** What each was folded so far is still to have its time, ms, as of when that was looked at last. */
	const owedByBusiness = new Map<string, Owed>();

	/** A clock that is set back makes nobody wait until it is there again: time passes from where it goes on. */
	function owedNow(business: string, now: number): number {
		const held = owedByBusiness.get(business);
		if (held === undefined) return 0;
		held.ms = Math.max(0, held.ms - Math.max(0, now - held.at));
		held.at = now;
		return held.ms;
	}
	function forget(now: number): void {
		for (const business of owedByBusiness.keys()) {
			if (owedNow(business, now) === 0) owedByBusiness.delete(business);
		}
	}

	return {
		isSpent: (business) => owedNow(business, clock()) >= behindMsMax,
		take: (business, rows) => {
			const now = clock();
			if (owedByBusiness.size >= KEPT_LENGTH) forget(now);
			const ms = owedNow(business, now) + rows * msOfRow;
			owedByBusiness.set(business, { ms, at: now });
		}
	};
}

interface Owed {
	ms: number;
	at: number;
}
