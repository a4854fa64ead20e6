import type { NackReason } from '#sync/nack-reason.ts';

/** Why a fact was not taken: by its own line, or where another device or the owner handed it in. */
export type RefusedReason =
	| NackReason
	| 'branchUnknown'
	| 'deviceRemoved'
	| 'nothingForgotten'
	| 'refused';
