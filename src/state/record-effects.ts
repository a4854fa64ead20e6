import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { compareRecordHashes } from '#domain/confirmation/record-hash.ts';
import { isCredit, isDebit, isOpening } from '#domain/confirmation/record-kind.ts';
import type { RecordRow } from '#storage/device-store.ts';
import type { Card } from './tally.ts';

/**
 * What each record moves the big number by, minor units, so that all of them together are the
 * total: a debit with its whole amount and its reversal apart, both nothing while it is disputed.
 */
export function effectsOf({ records, standing }: Card): ReadonlyMap<RecordHash, bigint> {
	const { counted, disputed } = standing;
	const byHash = new Map(records.map((row) => [row.h, row]));
	const { effects, takenBack } = takenBackParts(records, byHash);
	for (const row of records.filter(({ kind }) => isDebit(kind))) {
		const taken = takenBack.get(row.h) ?? 0n;
		const own = counted.get(row.h) ?? 0n;
		effects.set(row.h, isNever(row, own, taken) ? 0n : own + taken);
	}
	return new Map(
		records.map((row) => [row.h, signed(row, { effects, counted, disputed, byHash })])
	);
}

/** How much each reversal takes back of its debit, in their order, no more than there is. */
function takenBackParts(
	records: readonly RecordRow[],
	byHash: ReadonlyMap<RecordHash, RecordRow>
): { readonly effects: Map<RecordHash, bigint>; readonly takenBack: Map<RecordHash, bigint> } {
	const effects = new Map<RecordHash, bigint>();
	const takenBack = new Map<RecordHash, bigint>();
	for (const { h, kind, ref, amount } of records.toSorted(byOccurrence)) {
		const named = kind === 'reversalOfDebit' && ref !== undefined ? byHash.get(ref) : undefined;
		if (named === undefined || !isDebit(named.kind)) continue;
		const before = takenBack.get(named.h) ?? 0n;
		const part = least(BigInt(amount), BigInt(named.amount) - before);
		takenBack.set(named.h, before + part);
		effects.set(h, part);
	}
	return { effects, takenBack };
}

interface Parts {
	readonly effects: ReadonlyMap<RecordHash, bigint>;
	readonly counted: ReadonlyMap<RecordHash, bigint>;
	readonly disputed: ReadonlySet<RecordHash>;
	readonly byHash: ReadonlyMap<RecordHash, RecordRow>;
}

function signed(row: RecordRow, parts: Parts): bigint {
	const { h, kind, ref = h } = row;
	if (parts.disputed.has(isDebit(kind) ? h : ref)) return 0n;
	if (isDebit(kind)) return parts.effects.get(h) ?? 0n;
	if (isCredit(kind)) return -(parts.counted.get(h) ?? 0n);
	return kind === 'reversalOfDebit' ? -reversedPart(h, ref, parts) : 0n;
}

/** A reversal of what never counted takes nothing back. */
function reversedPart(h: RecordHash, ref: RecordHash, { effects, byHash }: Parts): bigint {
	const isEmpty = !byHash.has(ref) || (effects.get(ref) ?? 0n) === 0n;
	return isEmpty ? 0n : (effects.get(h) ?? 0n);
}

/** A second opening: it counts nothing, with or without a reversal. */
function isNever({ kind, amount }: RecordRow, counted: bigint, taken: bigint): boolean {
	return isOpening(kind) && counted === 0n && taken < BigInt(amount);
}

function byOccurrence(a: RecordRow, b: RecordRow): number {
	return a.at - b.at || compareRecordHashes(a.h, b.h);
}

function least(a: bigint, b: bigint): bigint {
	return a < b ? a : b;
}
