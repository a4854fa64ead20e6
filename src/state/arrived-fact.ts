import type { CryptoParts } from '#domain/crypto.ts';
import { effectsOf } from '#domain/fact/effects.ts';
import { inTime, type FactTime } from '#domain/fact/clock-fact.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { parseStart } from '#domain/fact/issued-again.ts';
import type { BranchId } from '#domain/ids.ts';
import { dayFromNumber } from '#domain/calendar.ts';
import type { FactRow, RecordRow } from '#storage/device-store.ts';
import { recordRowsOf } from './record-row.ts';

/** A fact as documents and the feed bring it. */
export interface FactText {
	readonly text: string;
	/** The branch whose journal holds it; null for a fact of the whole business. */
	readonly branch: BranchId | null;
}

/** A fact that was parsed, with all that waiting was needed for: ready for a transaction. */
export interface ArrivedFact {
	/** Null for a kind that this program does not know: kept, and not counted until it does. */
	readonly fact: Fact | null;
	readonly row: FactRow;
	readonly records: readonly RecordRow[];
}

/** Reads a fact and its records; undefined where it is none, or a record of it is not whole. */
export async function arrive(
	{ text, branch }: FactText,
	crypto: CryptoParts
): Promise<ArrivedFact | undefined> {
	const parsed = parseFact(text);
	if (!parsed.ok) return parsed.error === 'unknownKind' ? arriveUnknown(text, branch) : undefined;
	const records = await recordRowsOf(parsed.value, crypto);
	if (records === undefined) return undefined;
	return { fact: parsed.value, row: factRow(parsed.value, text, branch), records };
}

/** The fact of a row that is kept, when it counts; null for a kind that this program does not know. */
export function factOf({ text, wall, counter, on }: FactRow): Fact | null {
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

/** What facts of kinds that this program does not know are looked up by. */
export const UNKNOWN_REF = 'unknown';

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

/** The parser looked at the head before it met the kind, so the head may be taken on trust. */
function arriveUnknown(text: string, branch: BranchId | null): ArrivedFact | undefined {
	const [start, kind, wall, counter, on, by] = JSON.parse(text) as readonly unknown[];
	const name = parseStart(start);
	if (name === null) return undefined;
	const { id, code, n } = name;
	const row: FactRow = {
		...{ id, code, n },
		kind: String(kind),
		branch: branch ?? '',
		wall: Number(wall),
		counter: Number(counter),
		on: dayFromNumber(Number(on)),
		by: Number(by),
		text,
		refs: [UNKNOWN_REF]
	};
	return { fact: null, row, records: [] };
}
