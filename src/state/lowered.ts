import { refOf } from '#domain/confirmation/counted-amounts.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { RecordRow } from '#storage/device-store.ts';

/**
 * What others among `records` take back of each record, minor units by H. What was itself taken back
 * takes nothing: a due whose correction was undone is whole again.
 */
export function loweredByHash(records: readonly RecordRow[]): ReadonlyMap<RecordHash, number> {
	const lowered = new Map<RecordHash, number>();
	for (const row of namersFirst(records)) {
		const ref = refOf(row);
		if (ref === undefined) continue;
		const stands = Math.max(0, row.amount - (lowered.get(row.h) ?? 0));
		lowered.set(ref, (lowered.get(ref) ?? 0) + stands);
	}
	return lowered;
}

/** Each record behind all that name it. */
function namersFirst(records: readonly RecordRow[]): readonly RecordRow[] {
	const byHash = new Map(records.map((row) => [row.h, row]));
	const namers = new Map<RecordHash, number>();
	for (const row of records) {
		const ref = refOf(row);
		if (ref !== undefined) namers.set(ref, (namers.get(ref) ?? 0) + 1);
	}
	const ordered = records.filter(({ h }) => !namers.has(h));
	// Whose last namer was reached is next, so the list grows while it is walked.
	for (const row of ordered) {
		const ref = refOf(row);
		const named = ref === undefined ? undefined : byHash.get(ref);
		if (named === undefined) continue;
		const left = (namers.get(named.h) ?? 0) - 1;
		namers.set(named.h, left);
		if (left === 0) ordered.push(named);
	}
	return ordered;
}
