import { countedAmounts, refOf, type CountedRecord } from '#domain/confirmation/counted-amounts.ts';
import type { LedgerEvent } from '#domain/confirmation/ledger-fold.ts';
import { compareRecordHashes, type RecordHash } from '#domain/confirmation/record-hash.ts';
import { isDebit, isOpening } from '#domain/confirmation/record-kind.ts';

/** What each record moves the big number by, and what it counts; minor units by H. */
export interface Moves {
	/** Their sum is T of confirmation.md section 7. */
	readonly effectByHash: ReadonlyMap<RecordHash, bigint>;
	readonly countedByHash: ReadonlyMap<RecordHash, bigint>;
}

/**
 * The effect of each record of one ledger and currency on T. A debit that was reversed shows its
 * whole amount and each reversal takes its part away, so that a statement reads as it was written; a
 * disputed debit, what reverses it and what names it move nothing.
 */
export function movesOf(records: readonly CountedRecord[], events: readonly LedgerEvent[]): Moves {
	const countedByHash = countedAmounts(records);
	const isDisputed = disputedBy(events);
	const inOrder = records.toSorted(compareRecords);
	const effectByHash = new Map<RecordHash, bigint>();
	for (const record of inOrder) {
		const counted = countedByHash.get(record.h) ?? 0n;
		effectByHash.set(record.h, signOf(record, isDisputed) * counted);
	}
	for (const { debit, reversal, part } of takenBack(inOrder)) {
		if (!countedByHash.has(debit) || isDisputed(debit)) continue;
		effectByHash.set(reversal, -part);
		effectByHash.set(debit, (effectByHash.get(debit) ?? 0n) + part);
	}
	return { effectByHash, countedByHash };
}

/** What of each debit is taken back by which reversal, minor units. */
function takenBack(
	inOrder: readonly CountedRecord[]
): readonly { readonly debit: RecordHash; readonly reversal: RecordHash; readonly part: bigint }[] {
	const opening = inOrder.find(({ kind }) => isOpening(kind));
	const debitByHash = new Map(inOrder.map((record) => [record.h, record]));
	const takenByHash = new Map<RecordHash, bigint>();
	return inOrder.flatMap((record) => {
		const ref = record.kind === 'reversalOfDebit' ? refOf(record) : undefined;
		const debit = ref === undefined ? undefined : debitByHash.get(ref);
		if (debit === undefined || !isReversible(debit, opening)) return [];
		const taken = takenByHash.get(debit.h) ?? 0n;
		const part = lesser(BigInt(record.amount), BigInt(debit.amount) - taken);
		takenByHash.set(debit.h, taken + part);
		return [{ debit: debit.h, reversal: record.h, part }];
	});
}

/** Whether a record raises the big number, lowers it, or leaves it alone. */
function signOf(record: CountedRecord, isDisputed: (h: RecordHash) => boolean): bigint {
	if (isDebit(record.kind)) return isDisputed(record.h) ? 0n : 1n;
	const ref = refOf(record);
	return ref !== undefined && isDisputed(ref) ? 0n : -1n;
}

/** A later opening counts nothing, so nothing of it is taken back. */
function isReversible(debit: CountedRecord, opening: CountedRecord | undefined): boolean {
	return isDebit(debit.kind) && (!isOpening(debit.kind) || debit === opening);
}

/** The customer's signature stands beside any cancel; a cancel stands beside any code. */
function disputedBy(events: readonly LedgerEvent[]): (h: RecordHash) => boolean {
	const ofKind = (kind: LedgerEvent['kind']): ReadonlySet<RecordHash> =>
		new Set(events.flatMap((event) => (event.kind === kind ? [event.h] : [])));
	const dropped = ofKind('dropped');
	const cancelled = ofKind('cancelled');
	return (h) => cancelled.has(h) && !dropped.has(h);
}

/** By the time they occurred, then by the bytes of H: the order in which limits are used up. */
function compareRecords(a: CountedRecord, b: CountedRecord): number {
	const byTime = a.occurredAt - b.occurredAt;
	return byTime === 0 ? compareRecordHashes(a.h, b.h) : byTime;
}

function lesser(a: bigint, b: bigint): bigint {
	return a < b ? a : b;
}
