import type { RecordKind } from '#domain/confirmation/record-kind.ts';

export interface WrittenRecord {
	readonly kind: RecordKind;
	/** Minor units. */
	readonly amount: number;
	readonly currency: string;
	readonly exponent: number;
	/** Milliseconds UTC. */
	readonly occurredAt: number;
	readonly device: string;
}

export const TWICE_WITHIN_MS = 600_000;

/**
 * E10: whether `other`, on the same customer's page, may be what `written` tells once more: the
 * same kind and amount within ten minutes, from another device. It is a question, never an answer.
 */
export function mayBeTwice(written: WrittenRecord, other: WrittenRecord): boolean {
	return (
		written.device !== other.device &&
		written.kind === other.kind &&
		written.amount === other.amount &&
		written.currency === other.currency &&
		written.exponent === other.exponent &&
		Math.abs(written.occurredAt - other.occurredAt) <= TWICE_WITHIN_MS
	);
}
