import { isWithOwner, type SyncStatus } from './sync-status.svelte.ts';

/** Why signing out would lose something. */
export interface UnsentAtRisk {
	readonly count: number;
	/** Minor units. */
	readonly minor: bigint;
}

type Standing = Pick<SyncStatus, 'halted' | 'refused' | 'unsent' | 'unsentMinor'>;

/** Whether this device was taken out of the shop: known without a network once it left the owner something. */
export function isTakenOut({ halted, refused }: Pick<Standing, 'halted' | 'refused'>): boolean {
	return halted === 'rights' || refused.some(isWithOwner);
}

/**
 * What signing out now would leave on this device alone, though it would go by itself. Nothing of
 * what a device has that is let in no more, and nothing that was not taken, goes the better for waiting.
 */
export function atRiskOf(sync: Standing): UnsentAtRisk {
	if (sync.halted === 'unknown' || isTakenOut(sync)) return { count: 0, minor: 0n };
	return { count: sync.unsent, minor: sync.unsentMinor };
}
