import { humanReference } from '#domain/confirmation/record-hash.ts';
import { isDebit } from '#domain/confirmation/record-kind.ts';
import { parseFactId } from '#domain/ids.ts';
import type { MarkedRecord } from './book.ts';

/** A line of a customer's thread. */
export interface Entry {
	readonly row: MarkedRecord;
	/** What the line did to the debt at the first look, minor units: above zero the customer took. */
	readonly signedMinor: number;
	/** The record that this line takes back, in whole or in part. */
	readonly undoes?: MarkedRecord | undefined;
	/** A later line took all of this one back. */
	readonly isUndone: boolean;
	/** What may still be taken back, minor units; 0 for what is corrected in another way. */
	readonly leftMinor: number;
	/** What two people read to each other: `K7Q2-M4XD`. */
	readonly reference: string;
	/** The letters of the device that wrote it. */
	readonly device: string;
}

/** What a person takes back with one tap; a sale's due goes back with its receipt. */
const UNDOABLE: ReadonlySet<string> = new Set([
	'due',
	'openingDebit',
	'payment',
	'openingCredit',
	'credit'
]);

/** The lines of a thread, oldest first, from its records. */
export function entriesOf(newestFirst: readonly MarkedRecord[]): readonly Entry[] {
	const byHash = new Map(newestFirst.map((row) => [row.h, row]));
	const loweredByHash = new Map<string, number>();
	for (const { ref, amount } of newestFirst) {
		if (ref !== undefined) loweredByHash.set(ref, (loweredByHash.get(ref) ?? 0) + amount);
	}
	return newestFirst.toReversed().map((row): Entry => {
		const lowered = Math.min(loweredByHash.get(row.h) ?? 0, row.amount);
		const isUndoable = UNDOABLE.has(row.kind) && row.receipt === undefined;
		const id = parseFactId(row.factId);
		return {
			row,
			signedMinor: isDebit(row.kind) ? row.amount : -row.amount,
			undoes: row.kind.startsWith('reversal') ? byHash.get(row.ref ?? row.h) : undefined,
			isUndone: lowered === row.amount,
			leftMinor: isUndoable ? row.amount - lowered : 0,
			reference: humanReference(row.h),
			device: id.ok ? id.value.code : ''
		};
	});
}
