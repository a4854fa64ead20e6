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
	/** When the rows of each that were folded so far will have had their time. */
	const evenAtByBusiness = new Map<string, number>();

	function forget(now: number): void {
		for (const [business, evenAt] of evenAtByBusiness) {
			if (evenAt <= now) evenAtByBusiness.delete(business);
		}
	}

	return {
		isSpent: (business) => (evenAtByBusiness.get(business) ?? 0) - clock() >= behindMsMax,
		take: (business, rows) => {
			const now = clock();
			if (evenAtByBusiness.size >= KEPT_LENGTH) forget(now);
			const evenAt = Math.max(now, evenAtByBusiness.get(business) ?? 0);
			evenAtByBusiness.set(business, evenAt + rows * msOfRow);
		}
	};
}
