import { present } from '#domain/assert.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { isCredit, isDebit, type RecordKind } from '#domain/confirmation/record-kind.ts';
import { groupBy } from '#domain/group-by.ts';

/** A record of one ledger and currency, with what it counts there. */
export interface AllocationRecord {
	readonly h: RecordHash;
	readonly recordId: string;
	readonly kind: RecordKind;
	/** The business day. */
	readonly on: string;
	/** Minor units after reversals, as `countedAmounts` says. */
	readonly counted: bigint;
	/** Cancelled, or confirmed by a code and then cancelled: nothing is paid on it. */
	readonly isDisputed: boolean;
	/** The debit that a credit lowers, or the credit that is taken back. */
	readonly ref?: RecordHash;
	/** What a credit is for, as its writer said. */
	readonly for?: readonly (readonly [h: RecordHash, minor: number])[];
}

export type DueStatus = 'pending' | 'partPaid' | 'paid';

export interface DueAccount {
	readonly paidMinor: bigint;
	readonly restMinor: bigint;
	readonly status: DueStatus;
}

export interface Allocation {
	/** Every debit that counts and is not disputed, by its H, oldest first. */
	readonly dues: ReadonlyMap<RecordHash, DueAccount>;
	/** What each credit paid: parts by the debit's H. They and its share of the advance are the credit. */
	readonly parts: ReadonlyMap<RecordHash, ReadonlyMap<RecordHash, bigint>>;
	/** What no debit took, minor units. */
	readonly advanceMinor: bigint;
}

/**
 * E4: what was said first, then the oldest debit by business day, then by record id. A pure fold:
 * what a reversal frees flows on, since everything is laid out anew. What takes a credit back takes
 * it from that credit before anything is paid of it, so that a due is open again when its payment
 * was none.
 */
export function allocate(records: readonly AllocationRecord[]): Allocation {
	const inOrder = [...new Map(records.map((record) => [record.h, record])).values()].sort(byAge);
	const rests = new Map(inOrder.filter(isOwed).map(({ h, counted }) => [h, counted]));
	const disputed = new Set(inOrder.flatMap(({ h, isDisputed }) => (isDisputed ? [h] : [])));
	const credits = inOrder.filter(
		// A credit that names a disputed debit lowers the dispute, not the debt.
		({ kind, ref }) => isCredit(kind) && (ref === undefined || !disputed.has(ref))
	);
	const owed = new Map(rests);
	const left = new Map(credits.map(({ h, counted }) => [h, counted]));
	const parts = new Map(credits.map(({ h }) => [h, new Map<RecordHash, bigint>()]));

	// What is paid is left behind, so that a page of years is gone through once, not once a credit.
	const open = new Set(rests.keys());

	function pay(credit: RecordHash, debit: RecordHash, most?: bigint): void {
		const has = present(left.get(credit), 'every credit has what is left of it');
		const rest = rests.get(debit) ?? 0n;
		const paid = least(most ?? rest, has, rest);
		if (paid <= 0n) return;
		left.set(credit, has - paid);
		rests.set(debit, rest - paid);
		if (paid === rest) open.delete(debit);
		const ofCredit = present(parts.get(credit), 'every credit has its parts');
		ofCredit.set(debit, (ofCredit.get(debit) ?? 0n) + paid);
	}

	for (const { debit, from } of takenBack(inOrder, left)) {
		for (const credit of from) pay(credit, debit);
	}
	for (const credit of credits) {
		for (const [debit, minor] of namedBy(credit)) pay(credit.h, debit, minor);
	}
	for (const { h } of credits) {
		for (const debit of open) {
			if (left.get(h) === 0n) break;
			pay(h, debit);
		}
	}
	return {
		dues: new Map(
			[...rests].map(([h, rest]) => [h, dueAccount(present(owed.get(h), 'it was owed'), rest)])
		),
		parts,
		advanceMinor: [...left.values()].reduce((sum, minor) => sum + minor, 0n)
	};
}

function isOwed({ kind, counted, isDisputed }: AllocationRecord): boolean {
	return isDebit(kind) && !isDisputed && counted > 0n;
}

interface TakenBack {
	readonly debit: RecordHash;
	/** The credit that it names, then those beside it, which count together with it. */
	readonly from: readonly RecordHash[];
}

function takenBack(
	inOrder: readonly AllocationRecord[],
	credits: ReadonlyMap<RecordHash, bigint>
): readonly TakenBack[] {
	const byHash = new Map(inOrder.map((record) => [record.h, record]));
	const lowering = groupBy(
		inOrder.filter(({ h }) => credits.has(h)),
		({ ref }) => ref
	);
	return inOrder.flatMap(({ h, kind, ref }) => {
		if (kind !== 'reversalOfCredit' || ref === undefined || !credits.has(ref)) return [];
		const target = byHash.get(ref)?.ref;
		const beside =
			target === undefined ? [] : present(lowering.get(target), 'at least the credit itself');
		return [{ debit: h, from: [ref, ...beside.map((credit) => credit.h)] }];
	});
}

function namedBy({
	ref,
	counted,
	for: named = []
}: AllocationRecord): readonly [RecordHash, bigint][] {
	const said = named.map(([h, minor]): [RecordHash, bigint] => [h, BigInt(minor)]);
	return ref === undefined ? said : [[ref, counted], ...said];
}

function dueAccount(owedMinor: bigint, restMinor: bigint): DueAccount {
	const paidMinor = owedMinor - restMinor;
	if (restMinor === 0n) return { paidMinor, restMinor, status: 'paid' };
	return { paidMinor, restMinor, status: paidMinor === 0n ? 'pending' : 'partPaid' };
}

function byAge(a: AllocationRecord, b: AllocationRecord): number {
	if (a.on !== b.on) return a.on < b.on ? -1 : 1;
	if (a.recordId !== b.recordId) return a.recordId < b.recordId ? -1 : 1;
	return a.h < b.h ? -1 : 1;
}

function least(first: bigint, ...others: readonly bigint[]): bigint {
	return others.reduce((least, other) => (other < least ? other : least), first);
}
