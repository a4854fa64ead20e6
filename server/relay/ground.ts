import type { Allowance } from './allowance.ts';
import type { Room } from './room.ts';
import type { MutableRoomState } from './room-state.ts';

/** What the database said under its locks, and what this batch adds on top. */
export interface Ground {
	/** Texts of facts by `factKey`; null where it is none of those that the batch tells. */
	readonly textByFact: Map<string, string | null>;
	/** Ids of facts that were issued again, or may have been, by `firstKey`. */
	readonly idByFirst: Map<string, string>;
	readonly layerByRoom: Map<Room, MutableRoomState>;
	/** Devices whose access has ended, by `deviceKey`. */
	readonly removed: ReadonlySet<string>;
	/** Ids of sessions that have ended. */
	readonly signedOut: ReadonlySet<string>;
	readonly allowance: Allowance;
	/** The current epoch where a restore began it: then devices may tell what it forgot of others. */
	readonly restoredIn: number | undefined;
}
