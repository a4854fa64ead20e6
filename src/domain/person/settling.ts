import { businessDayOf } from '#domain/calendar.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { allocate, type AllocationRecord } from '#domain/ledger/allocation.ts';
import type { HeldRecord } from './held-fact.ts';
import type { Moves } from './moves.ts';
import type { ShopFacts } from './shop-facts.ts';
import type { DueMove, Settling } from './view.ts';

export interface SettlingContext {
	readonly facts: ShopFacts;
	readonly moves: Moves;
	readonly isDisputed: (h: RecordHash) => boolean;
	/** Of the shop's business days. */
	readonly zone: string;
	readonly nowMs: number;
}

const DAY_MS = 86_400_000;

/** What was paid of each debit of one currency, and when its rest falls due. */
export function settlingsOf(
	records: readonly HeldRecord[],
	context: SettlingContext
): readonly (readonly [RecordHash, Settling])[] {
	const { dues } = allocate(records.map((held) => allocationRecord(held, context)));
	const movesByHash = dueMoves(context.facts);
	return records.flatMap(({ h, fact }) => {
		const due = dues.get(h);
		if (due === undefined) return [];
		const moves = movesByHash.get(h) ?? [];
		const dueMs = moves.at(-1)?.dueMs ?? fact.record.rest.due;
		const isOverdue = dueMs !== undefined && due.restMinor > 0n && isOver(dueMs, context);
		const settling: Settling = { ...due, ...(dueMs !== undefined && { dueMs }), isOverdue, moves };
		return [[h, settling] as const];
	});
}

/** Whether the day of `dueMs` is over at the shop. Calendars are asked only where they could differ. */
function isOver(dueMs: number, { zone, nowMs }: SettlingContext): boolean {
	if (Math.abs(dueMs - nowMs) > 2 * DAY_MS) return dueMs < nowMs;
	return businessDayOf(dueMs, zone, 0) < businessDayOf(nowMs, zone, 0);
}

function allocationRecord(
	{ h, fact }: HeldRecord,
	{ moves, isDisputed }: SettlingContext
): AllocationRecord {
	const { core, rest } = fact.record;
	return {
		h,
		recordId: core.recordId,
		kind: core.kind,
		on: rest.on,
		counted: moves.countedByHash.get(h) ?? 0n,
		isDisputed: isDisputed(h),
		...(rest.ref !== undefined && { ref: rest.ref }),
		...(rest.for !== undefined && { for: rest.for })
	};
}

/** By the H of the debit, oldest first. */
function dueMoves({ told }: ShopFacts): ReadonlyMap<RecordHash, readonly DueMove[]> {
	const byHash = new Map<RecordHash, DueMove[]>();
	for (const { id, at, row } of told) {
		if (row[0] !== 'dueMove') continue;
		const [, h, dueMs, reason] = row;
		byHash.set(h, [...(byHash.get(h) ?? []), { id, at: at.wall, dueMs, reason }]);
	}
	return byHash;
}
