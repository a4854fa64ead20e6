import { dayFromNumber } from '#domain/calendar.ts';
import type { CryptoParts } from '#domain/crypto.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { parseStart } from '#domain/fact/issued-again.ts';
import { isOfLater, parseFact } from '#domain/fact/parse-fact.ts';
import type { BranchId } from '#domain/ids.ts';
import type { FactRow } from '#storage/device-store.ts';
import { factRow, UNKNOWN_REF, type ArrivedFact, type FactText } from './arrived-fact.ts';
import { recordRowsOf } from './record-row.ts';

/** What was issued again is looked up by this and the id that it had first. */
export const WAS_REF = 'was:';

/** Reads a fact and its records; undefined where it is none, or a record of it is not whole. */
export async function arrive(
	{ text, branch }: FactText,
	crypto: CryptoParts
): Promise<ArrivedFact | undefined> {
	const parsed = parseFact(text);
	if (!parsed.ok) return isOfLater(parsed.error) ? arriveUnknown(text, branch) : undefined;
	const fact = parsed.value;
	const records = await recordRowsOf(fact, crypto);
	if (records === undefined) return undefined;
	const row = factRow(fact, text, branch);
	return { fact, row: { ...row, refs: [...row.refs, ...wasRefs(fact)] }, records };
}

/** The parser looked at the head before it met the kind and its body, so the head may be taken on trust. */
function arriveUnknown(text: string, branch: BranchId | null): ArrivedFact | undefined {
	const [start, kind, wall, counter, on, by] = JSON.parse(text) as readonly unknown[];
	const name = parseStart(start);
	if (name === null) return undefined;
	const { id, code, n } = name;
	const row: FactRow = {
		id,
		code,
		n,
		kind: String(kind),
		branch: branch ?? '',
		wall: Number(wall),
		counter: Number(counter),
		on: dayFromNumber(Number(on)),
		by: Number(by),
		text,
		refs: [UNKNOWN_REF, ...wasRefs(name)]
	};
	return { fact: null, row, records: [] };
}

function wasRefs({ was }: Pick<Fact, 'was'>): readonly string[] {
	return was === undefined ? [] : [WAS_REF + was];
}
