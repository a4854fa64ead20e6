import { assert } from '#domain/assert.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { firstName, firstText } from '#domain/fact/issued-again.ts';
import { err, type Result } from '#domain/result.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import { digestOf, type CheckRefusal } from './check-fact.ts';
import type { Ground } from './ground.ts';
import {
	factKey,
	type ForkedFact,
	type NewFact,
	type RefusalOfFact,
	type Submission
} from './submission.ts';
import { firstKey } from './first-names.ts';
import { codeOf } from './place-items.ts';
import type { Room } from './room.ts';
import type { PlacedItem } from './room-state.ts';

/** What the items of an update come to, each for itself. */
export interface Sorted {
	readonly facts: NewFact[];
	readonly forks: ForkedFact[];
	readonly refused: (readonly [string, RefusalOfFact])[];
	/** Ids by `firstKey`, of new facts that may be there under another name: as `Ground.idByFirst`. */
	readonly firsts: Map<string, string>;
}

export interface Sorter {
	/** Sorts one more item of the update into `sorted`; whether it may stand in the document. */
	readonly sort: (placed: PlacedItem) => boolean;
	readonly sorted: Sorted;
}

/** Each item is a known fact told again, another text for a known id, refused, or new. */
export function createSorter(submission: Submission, ground: Ground): Sorter {
	const { room, caller, bearer, checks } = submission;
	const sorted: Sorted = { facts: [], forks: [], refused: [], firsts: new Map() };
	const carriedBy = bearer?.isCarrying === true ? bearer.code : null;
	const textByKey = new Map<string, string>();

	function sort({ item, key }: PlacedItem): boolean {
		// A twin without its text stands under a key that the document has, and so its fact is known.
		if (item.text === undefined) return true;
		const { text } = item;
		const known = textByKey.get(key) ?? ground.textByFact.get(factKey(caller.scope, key));
		if (known === text) return true;
		if (known !== undefined) {
			sorted.forks.push(forkOf(room, key, text));
			return false;
		}
		const told = { scope: caller.scope, text, firsts: sorted.firsts };
		const fact = onceOnly(factUnder(key, checks.get(item)), told, ground);
		if (!fact.ok) {
			sorted.refused.push([key, fact.error]);
			return false;
		}
		textByKey.set(key, text);
		const digest = digestOf(text);
		const code = codeOf(key) ?? caller.code;
		const device = { scope: caller.scope, code };
		const carrier = code === caller.code ? carriedBy : caller.code;
		sorted.facts.push({ room, device, carriedBy: carrier, fact: fact.value, text, digest });
		return true;
	}

	return { sort, sorted };
}

/** RELAY-21. What the device tells of its own under the place of another text, which another told. */
export function retoldAsAnother(
	{ room, caller }: Submission,
	retold: readonly PlacedItem[],
	{ textByFact }: Ground
): readonly ForkedFact[] {
	return retold.flatMap(({ item: { text }, key }) => {
		const known = textByFact.get(factKey(caller.scope, key));
		if (text === undefined || known === undefined || known === text) return [];
		return codeOf(key) === caller.code ? [forkOf(room, key, text)] : [];
	});
}

function factUnder(
	key: string,
	check: Result<Fact, CheckRefusal> | undefined
): Result<Fact, RefusalOfFact> {
	assert(check !== undefined, 'what a document lacks was checked when it came');
	return check.ok && check.value.id !== key ? err('keyIsAnother') : check;
}

interface Told {
	readonly scope: ScopeId;
	readonly text: string;
	readonly firsts: Sorted['firsts'];
}

/** RELAY-46. Refuses what is there under another id, and notes what is new in `firsts`. */
function onceOnly(
	fact: Result<Fact, RefusalOfFact>,
	{ scope, text, firsts }: Told,
	{ idByFirst, textByFact }: Ground
): Result<Fact, RefusalOfFact> {
	if (!fact.ok) return fact;
	const { id, was } = fact.value;
	if (was === undefined && idByFirst.size + firsts.size === 0) return fact;
	const key = firstKey(scope, { fact: fact.value, text });
	const held = idByFirst.get(key) ?? firsts.get(key);
	if (held !== undefined && held !== id) return err('again');
	// The act itself may have come a moment ago, when nobody had asked for its first name.
	const first = firstName(fact.value).id;
	if (first !== id && textByFact.get(factKey(scope, first)) === firstText(text))
		return err('again');
	firsts.set(key, id);
	return fact;
}

function forkOf(room: Room, id: string, text: string): ForkedFact {
	const dash = id.lastIndexOf('-');
	const [code, n] = [id.slice(0, dash), Number(id.slice(dash + 1))];
	return { room, id, code, n, text, digest: digestOf(text) };
}
