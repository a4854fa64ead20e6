/** A copy that wrote more than a thousand facts a day for two years. */
const COPY_AHEAD_MAX = 1_000_000;

/**
 * The last number once `told` was heard of, where a device was at `own`. One that no copy of it can have come to, as
 * a hostile peer may carry one after a restore, is left where it is: behind it there may be none to write by.
 */
export function behind(last: number, told: number, own: number): number {
	return told > own + COPY_AHEAD_MAX ? last : Math.max(last, told);
}
