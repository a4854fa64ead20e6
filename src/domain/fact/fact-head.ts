import type { RecordCore } from '#domain/confirmation/record.ts';
import type { RecordRest } from '#domain/confirmation/rest.ts';
import type { SignedRecord } from '#domain/confirmation/signed-record.ts';
import type { FactId } from '#domain/ids.ts';
import type { Stamp } from '#domain/stamp.ts';

/** Names in a fact's text, and what the facts are called by now that had them. */
export type Renamed = readonly (readonly [old: FactId, meant: FactId])[];

/** What every fact says of itself: its name, when it was written, which day it belongs to, by whom. */
export interface FactHead {
	readonly id: FactId;
	/** The writing device's code, or `0.{epoch}` for the relay. */
	readonly code: string;
	readonly n: number;
	readonly at: Stamp;
	/** The business day, by the branch's zone and cut-off when the act was done. */
	readonly on: string;
	/** Member number; 0 for the relay. */
	readonly by: number;
	/** The id under which it was first written, by a device whose heir issued it again. */
	readonly was?: FactId;
	/** What its text calls otherwise; the fact as it was read has the names of today. */
	readonly renamed?: Renamed;
}

/**
 * A signed record and what its bytes say. That the rest is the one which the core names, and that
 * the device signed it, is checked where cryptography is at hand.
 */
export interface FactRecord {
	readonly signed: SignedRecord;
	readonly core: RecordCore;
	readonly rest: RecordRest;
}
