import type { CryptoParts } from '#domain/crypto.ts';
import { parseStart } from '#domain/fact/issued-again.ts';
import { isOfLater, parseFact } from '#domain/fact/parse-fact.ts';
import { parseRecordHash } from '#domain/confirmation/record-hash.ts';
import { dayFromNumber } from '#domain/calendar.ts';
import {
	holdFact,
	isPersonFact,
	type HeldFact,
	type RecordCheck
} from '#domain/person/held-fact.ts';
import { shopIdOf } from '#domain/person/shop-facts.ts';
import type { FactRow } from '#storage/device-store.ts';

const HASH = 'h:';
const CHECKED = 'checked:';
const KID = 'kid:';

/** A fact as this phone's database has it, with what was found out about it once. */
export function personRow(held: HeldFact, text: string): FactRow {
	const { id, code, n, kind, at, on, by } = held.fact;
	const { wall, counter } = at;
	return { id, code, n, kind, branch: '', wall, counter, on, by, text, refs: refsOf(held) };
}

function refsOf(held: HeldFact): readonly string[] {
	const shop = shopIdOf(held.fact);
	const refs = shop === undefined ? [] : [shop];
	if (held.kind === 'record') return [...refs, HASH + held.h, CHECKED + held.check];
	if (held.kind === 'card') return [...refs, KID + held.kids.join(' ')];
	return refs;
}

/** A fact of this database; what its row does not say of it is found out again. */
export async function heldOf(row: FactRow, crypto: CryptoParts): Promise<HeldFact | undefined> {
	const parsed = parseFact(row.text);
	if (!parsed.ok || !isPersonFact(parsed.value)) return undefined;
	const fact = parsed.value;
	const h = parseRecordHash(valueOf(row, HASH));
	const check = asCheck(valueOf(row, CHECKED));
	if (fact.kind === 'booked' && h.ok && check !== undefined)
		return { kind: 'record', fact, h: h.value, check };
	const kids = valueOf(row, KID)?.split(' ');
	if (fact.kind === 'card' && kids !== undefined) return { kind: 'card', fact, kids };
	return holdFact(fact, crypto);
}

/** Of a kind or form that this program does not know: kept as it came, and counted when it does. */
export function unknownRow(text: string): FactRow | undefined {
	const parsed = parseFact(text);
	if (parsed.ok || !isOfLater(parsed.error)) return undefined;
	const [start, kind, wall, counter, on, by] = JSON.parse(text) as readonly unknown[];
	const name = parseStart(start);
	if (name === null) return undefined;
	const { id, code, n } = name;
	return {
		...{ id, code, n },
		kind: String(kind),
		branch: '',
		wall: Number(wall),
		counter: Number(counter),
		on: dayFromNumber(Number(on)),
		by: Number(by),
		text,
		refs: []
	};
}

function valueOf({ refs }: FactRow, prefix: string): string | undefined {
	return refs.find((ref) => ref.startsWith(prefix))?.slice(prefix.length);
}

function asCheck(value: string | undefined): RecordCheck | undefined {
	return value === 'unchecked' || value === 'verified' || value === 'wrong' ? value : undefined;
}
