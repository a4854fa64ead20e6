import {
	isPhoneCode,
	isRelayCode,
	parseFactId,
	productIdOf,
	type FactId,
	type ProductId
} from '#domain/ids.ts';
import { assert } from '#domain/assert.ts';
import type { EntryRow } from './ledger-fact.ts';
import type { Fact, SoldLine } from './fact.ts';
import type { FactHead, Renamed } from './fact-head.ts';
import { isTuple } from './shape.ts';

/**
 * A fact that was issued again: its device had to take another code, and so the fact another id.
 * Its text is `[[id, was], …]` with everything behind the first element as it was; where it names
 * facts that were issued again with it, `[[id, was, [old, new, …]], …]` says under which ids.
 */

/** Pairs of names in one fact, and with them at most 8 KiB beyond a fact's own size. */
export const RENAMED_MAX = 200;
export const AGAIN_BYTES_MAX = 8_192;

/** The id that a fact's text begins with; undefined where it begins with none. The rest is not read. */
export function idAtStart(text: string): FactId | undefined {
	const id = START.exec(text)?.[1];
	const parsed = parseFactId(id);
	return parsed.ok ? parsed.value.id : undefined;
}

/** The text as it was written first: of what was issued again, under the id that it had. */
export function firstText(text: string): string {
	const match = AGAIN.exec(text);
	return match === null ? text : `["${match[1] ?? ''}",${text.slice(match[0].length)}`;
}

/** How a fact is called, and how it was when its device signed what it holds. */
export interface FirstName {
	readonly id: FactId;
	readonly code: string;
	readonly n: number;
}

/** The name under which the fact was first written: signatures and receipts are by that one. */
export function firstName({ id, code, n, was }: FactHead): FirstName {
	if (was === undefined) return { id, code, n };
	const parsed = parseFactId(was);
	assert(parsed.ok, 'a fact was called by a fact’s id');
	return parsed.value;
}

export interface Issuing {
	readonly id: FactId;
	/** What facts are called that were issued again before this one, by their old ids. */
	readonly renamed: ReadonlyMap<FactId, FactId>;
}

/**
 * The text under a new id. `fact` is what it says, null where its kind is not known here. Of more
 * than `RENAMED_MAX` names the last ones keep their old ids.
 */
export function issueAgain(text: string, fact: Fact | null, { id, renamed }: Issuing): string {
	const first = firstText(text);
	const was = idAtStart(first);
	assert(was !== undefined, 'only a fact is issued again');
	const names = fact === null ? [] : namesIn(fact, renamed).slice(0, RENAMED_MAX).flat();
	const start = JSON.stringify(names.length === 0 ? [id, was] : [id, was, names]);
	return `[${start}${first.slice(`["${was}"`.length)}`;
}

/** Each name in the text and what it means by now; a name that is as it was is left out. */
function namesIn(fact: Fact, renamed: ReadonlyMap<FactId, FactId>): readonly (readonly string[])[] {
	const oldByMeant = new Map((fact.renamed ?? []).map(([old, meant]) => [meant, old]));
	const names = new Map<FactId, FactId>();
	renameFact(fact, (named) => {
		const old = oldByMeant.get(named) ?? named;
		const meant = renamed.get(named) ?? named;
		if (old !== meant) names.set(old, meant);
		return named;
	});
	return [...names];
}

/** What stands first in a fact. */
export type Start = Pick<FactHead, 'id' | 'code' | 'n' | 'was' | 'renamed'>;

/** Reads the first element of a fact; null where it is neither an id nor ids in their order. */
export function parseStart(value: unknown): Start | null {
	if (!Array.isArray(value)) {
		const plain = parseFactId(value);
		return plain.ok ? plain.value : null;
	}
	const [id, was] = [parseFactId(value[0]), parseFactId(value[1])];
	if (!isTuple(value, 2, 3) || !id.ok || !was.ok) return null;
	if (!areAlike(id.value.code, was.value.code) || id.value.code === was.value.code) return null;
	const again = { ...id.value, was: was.value.id };
	if (value.length === 2) return again;
	const renamed = parseRenamed(value[2]);
	return renamed === null ? null : { ...again, renamed };
}

export function encodeStart({ id, was, renamed }: FactHead): unknown {
	if (was === undefined) return id;
	return renamed === undefined ? [id, was] : [id, was, renamed.flat()];
}

function parseRenamed(value: unknown): Renamed | null {
	if (!isTuple(value, 2, 2 * RENAMED_MAX) || value.length % 2 !== 0) return null;
	const ids = value.flatMap((id) => {
		const parsed = parseFactId(id);
		return parsed.ok ? [parsed.value.id] : [];
	});
	if (ids.length < value.length) return null;
	const olds = ids.filter((_id, at) => at % 2 === 0);
	const meant = ids.filter((_id, at) => at % 2 === 1);
	// No two mean one, none stands twice, none means itself: so it can be read backwards too.
	if (new Set(olds).size < olds.length || new Set(meant).size < meant.length) return null;
	const pairs = olds.map((old, at) => [old, meant[at] ?? old] as const);
	return pairs.every(([old, name]) => old !== name && areAlike(codeOf(old), codeOf(name)))
		? pairs
		: null;
}

function codeOf(id: FactId): string {
	return id.slice(0, id.lastIndexOf('-'));
}

/** Devices take over from devices, phones from phones, and nobody from the relay. */
function areAlike(a: string, b: string): boolean {
	return !isRelayCode(a) && !isRelayCode(b) && isPhoneCode(a) === isPhoneCode(b);
}

/** The fact as it is meant: with the names that its first element gives to others. */
export function asMeant<F extends Fact>(fact: F): F {
	if (fact.renamed === undefined) return fact;
	const byOld = new Map(fact.renamed);
	return renameFact(fact, (id) => byOld.get(id) ?? id);
}

/** The fact with the names that stand in its text. */
export function asWritten<F extends Fact>(fact: F): F {
	if (fact.renamed === undefined) return fact;
	const byMeant = new Map(fact.renamed.map(([old, meant]) => [meant, old]));
	return renameFact(fact, (id) => byMeant.get(id) ?? id);
}

type Rename = (id: FactId) => FactId;

/** Every place in which a fact names another. */
function renameFact<F extends Fact>(fact: F, rename: Rename): F;
function renameFact(fact: Fact, rename: Rename): Fact {
	const product = (id: ProductId): ProductId => renameProduct(id, rename);
	switch (fact.kind) {
		case 'sale':
			return { ...fact, lines: fact.lines.map((line) => renameLine(line, product)) };
		case 'return':
			return {
				...fact,
				saleId: fact.saleId === null ? null : rename(fact.saleId),
				lines: fact.lines.map((line) => renameLine(line, product))
			};
		case 'adjust':
			return {
				...fact,
				rows: fact.rows.map((row) => ({ ...row, productId: product(row.productId) }))
			};
		case 'product':
			return {
				...fact,
				rows: fact.rows.map((row) => ({
					...row,
					productId: row.productId === null ? null : product(row.productId)
				}))
			};
		case 'record':
			return {
				...fact,
				...(fact.slip !== undefined && { slip: rename(fact.slip) }),
				...(fact.pending !== undefined && { pending: rename(fact.pending) })
			};
		case 'entry':
			return { ...fact, row: renameEntry(fact.row, rename) };
		default:
			return fact;
	}
}

function renameLine<L extends SoldLine>(line: L, product: (id: ProductId) => ProductId): L {
	return line.productId === null ? line : { ...line, productId: product(line.productId) };
}

function renameEntry(row: EntryRow, rename: Rename): EntryRow {
	return row[0] === 'bounced' || row[0] === 'slipDone' ? [row[0], rename(row[1])] : row;
}

/** A product is called by the fact that made it. */
function renameProduct(id: ProductId, rename: Rename): ProductId {
	const [fact = '', row = '0'] = id.split('.');
	const parsed = parseFactId(fact);
	assert(parsed.ok, 'a product is named by a fact');
	return productIdOf(rename(parsed.value.id), Number(row));
}

const NAME = '[A-Zp0-9.]{1,12}-[0-9]{1,15}';
const START = new RegExp(`^\\[\\[?"(${NAME})"`);
const AGAIN = new RegExp(
	`^\\[\\["${NAME}","(${NAME})"(?:,\\[[^\\]]{0,${String(AGAIN_BYTES_MAX)}}\\])?\\],`
);
