import type { BranchId } from '#domain/ids.ts';
import type { Caller } from './phone-auth.ts';

/** A whole fact that comes by no socket, and the branch in whose journal it stood. */
export interface FactToHandIn {
	readonly branch: BranchId | null;
	readonly text: string;
}

/**
 * `kept`: it was new and counts from now on. `known`: it was there with the same text. `conflict`: it
 * was there with another, and this one is kept apart. `refused`: it is nowhere, for `reason`.
 */
export interface HandedIn {
	/** Empty where the text names none. */
	readonly id: string;
	readonly became: 'kept' | 'known' | 'conflict' | 'refused';
	readonly reason?: string;
}

/**
 * `carried`: a device tells a restored relay what it forgot, of whomever. `late`: the owner takes in
 * what a device wrote before it was removed.
 */
export type HandInWay = 'carried' | 'late';

export interface HandIn {
	/**
	 * Writes whole facts that came by no socket into their documents and the feed, through the
	 * relay's write path; answers for each, in order. Throws where the database is away: then any of
	 * them may be kept, and all may be handed in again.
	 */
	readonly handIn: (
		caller: Caller,
		facts: readonly FactToHandIn[],
		as: HandInWay
	) => Promise<readonly HandedIn[]>;
}
