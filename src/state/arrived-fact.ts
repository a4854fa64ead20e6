import { effectsOf } from '#domain/fact/effects.ts';
import { inTime, type FactTime } from '#domain/fact/clock-fact.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import type { BranchId } from '#domain/ids.ts';
import type { FactRow, RecordRow } from '#storage/device-store.ts';

/** What facts of kinds and forms that this program does not know are looked up by. */
export const UNKNOWN_REF = 'unknown';
/** Beside it: some sums of a checkpoint here hold it, and others do not. */
export const HALF_REF = 'unknown:half';

/** A fact as documents and the feed bring it. */
export interface FactText {
	readonly text: string;
	/** The branch whose journal holds it; null for a fact of the whole business. */
	readonly branch: BranchId | null;
	/** Its number in the relay's feed; absent where it came another way. */
	readonly s?: number;
}

/** A fact that is kept here, as it is told. */
export function factText({ text, branch }: Pick<FactRow, 'text' | 'branch'>): FactText {
	return { text, branch: branch === '' ? null : branch };
}

/** A fact that was parsed, with all that waiting was needed for: ready for a transaction. */
export interface ArrivedFact {
	/** Null for a kind that this program does not know: kept, and not counted until it does. */
	readonly fact: Fact | null;
	readonly row: FactRow;
	readonly records: readonly RecordRow[];
}

/**
 * The fact of a row that is kept, when it counts; null for one that is kept uncounted, though this
 * program may know its kind and form by now: it does nothing to any number before it is counted.
 */
export function factOf({ text, wall, counter, on, refs }: FactRow): Fact | null {
	if (refs.includes(UNKNOWN_REF)) return null;
	const parsed = parseFact(text);
	return parsed.ok ? { ...parsed.value, at: { wall, counter }, on } : null;
}

/** A fact as its text has it, at the time by which it counts. */
export function timed(arrived: ArrivedFact, time: FactTime | undefined): ArrivedFact {
	const { fact, row } = arrived;
	const own = { at: { wall: row.wall, counter: row.counter }, on: row.on };
	const { at, on } = inTime(own, time);
	return {
		...arrived,
		fact: fact === null ? null : { ...fact, at, on },
		row: { ...row, ...at, on }
	};
}

export function factRow(fact: Fact, text: string, branch: BranchId | null): FactRow {
	const { id, code, n, kind, at, on, by } = fact;
	return {
		id,
		code,
		n,
		kind,
		branch: branch ?? '',
		wall: at.wall,
		counter: at.counter,
		on,
		by,
		text,
		refs: refsOf(fact)
	};
}

/** By what a fact is looked up, beside its id, day and kind. */
function refsOf(fact: Fact): readonly string[] {
	const { records, customers, products, receipt, returnOf } = effectsOf(fact);
	const adjusted = fact.kind === 'adjust' ? fact.rows.map(({ productId }) => productId) : [];
	const refs = [
		...records.map(({ core }) => core.ledgerId),
		...customers.map(({ key }) => key),
		...products.map(({ key }) => key),
		...adjusted,
		...(receipt === null ? [] : [`receipt:${receipt}`]),
		...(returnOf === null ? [] : [`sale:${returnOf}`])
	];
	return [...new Set(refs)];
}
