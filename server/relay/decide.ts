import type { Fact } from '#domain/fact/fact.ts';
import { err, type Result } from '#domain/result.ts';
import { assert } from '#domain/assert.ts';
import type { Caller } from '#server/auth/phone-auth.ts';
import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import { digestOf, type CheckRefusal } from './check-fact.ts';
import { placeItems } from './place-items.ts';
import type { Room } from './room.ts';
import { createRoomState, type MutableRoomState, type PlacedItem } from './room-state.ts';
import type { ParsedUpdate, UpdateItem } from './update-parser.ts';
import { writePieces } from './update-writer.ts';

/** An update on its way into the database, read and checked as far as can be done without it. */
export interface Submission {
	readonly room: Room;
	readonly caller: Caller;
	readonly update: ParsedUpdate;
	/** What became of the text of each item that the room lacked when it came. */
	readonly checks: ReadonlyMap<UpdateItem, Result<Fact, CheckRefusal>>;
	/** Told apart from others, so that what somebody sent is not sent back to him. */
	readonly sender: object;
}

/** A shop's device or a customer's phone, by what its facts are named. */
export interface Device {
	readonly scope: ScopeId;
	readonly code: string;
}

/** A fact that the database did not have. */
export interface NewFact {
	readonly room: Room;
	readonly device: Device;
	readonly fact: Fact;
	readonly text: string;
	readonly digest: bigint;
}

export interface ForkedFact {
	readonly room: Room;
	readonly id: string;
	readonly code: string;
	readonly n: number;
	readonly text: string;
	readonly digest: bigint;
}

export type RefusalOfFact = CheckRefusal | 'keyIsAnother';

export type Decision =
	| {
			readonly kind: 'accepted';
			readonly facts: readonly NewFact[];
			readonly items: readonly PlacedItem[];
			readonly pieces: readonly Uint8Array[];
	  }
	| { readonly kind: 'refused'; readonly refused: readonly (readonly [string, RefusalOfFact])[] }
	| { readonly kind: 'fork'; readonly forks: readonly ForkedFact[] }
	| { readonly kind: 'forgery' }
	| { readonly kind: 'gap' }
	| { readonly kind: 'removed' };

/** What the database said under its locks, and what this batch adds on top. */
export interface Ground {
	/** Texts of facts by `factKey`. */
	readonly textByFact: Map<string, string>;
	readonly layerByRoom: Map<Room, MutableRoomState>;
	/** Devices whose access has ended, by `deviceKey`. */
	readonly removed: ReadonlySet<string>;
}

export function factKey(scope: string, id: string): string {
	return `${scope} ${id}`;
}

export function deviceKey({ scope, code }: Device): string {
	return `${scope} ${code}`;
}

/**
 * RELAY-5. The answer to one update, in this order: removed, forgery or gap, fork, refused, accepted. All or
 * nothing of it; an accepted one changes `ground`, so that the next of the batch is judged after it.
 */
export function decide(submission: Submission, ground: Ground): Decision {
	const { room, caller, update } = submission;
	if (ground.removed.has(deviceKey(caller))) return { kind: 'removed' };
	const layer = ground.layerByRoom.get(room) ?? createRoomState(room.state);
	ground.layerByRoom.set(room, layer);
	const placed = placeItems(layer, update, caller.code);
	if (!placed.ok) return { kind: placed.error };

	const sorted = sortItems(submission, placed.value.added, ground);
	if (sorted.forks.length > 0) return { kind: 'fork', forks: sorted.forks };
	if (sorted.refused.length > 0) return { kind: 'refused', refused: sorted.refused };

	for (const item of placed.value.added) layer.add(item);
	for (const { fact, text } of sorted.facts) {
		ground.textByFact.set(factKey(caller.scope, fact.id), text);
	}
	const items = placed.value.added;
	return {
		kind: 'accepted',
		facts: sorted.facts,
		items,
		pieces: writePieces(items.map(({ item }) => item))
	};
}

interface Sorted {
	readonly facts: NewFact[];
	readonly forks: ForkedFact[];
	readonly refused: (readonly [string, RefusalOfFact])[];
}

/** Each item is a known fact told again, another text for a known id, refused, or new. */
function sortItems(
	{ room, caller, checks }: Submission,
	items: readonly PlacedItem[],
	ground: Ground
): Sorted {
	const sorted: Sorted = { facts: [], forks: [], refused: [] };
	const textByKey = new Map<string, string>();
	for (const { item, key } of items) {
		// A twin without its text stands under a key that the document has, and so its fact is known.
		if (item.text === undefined) continue;
		const { text } = item;
		const known = textByKey.get(key) ?? ground.textByFact.get(factKey(caller.scope, key));
		if (known === text) continue;
		if (known !== undefined) {
			sorted.forks.push(forkOf(room, key, text));
			continue;
		}
		const fact = factUnder(key, checks.get(item));
		if (fact.ok) {
			textByKey.set(key, text);
			const digest = digestOf(text);
			sorted.facts.push({ room, device: caller, fact: fact.value, text, digest });
		} else {
			sorted.refused.push([key, fact.error]);
		}
	}
	return sorted;
}

function factUnder(
	key: string,
	check: Result<Fact, CheckRefusal> | undefined
): Result<Fact, RefusalOfFact> {
	assert(check !== undefined, 'what a document lacks was checked when it came');
	return check.ok && check.value.id !== key ? err('keyIsAnother') : check;
}

function forkOf(room: Room, id: string, text: string): ForkedFact {
	const dash = id.lastIndexOf('-');
	const [code, n] = [id.slice(0, dash), Number(id.slice(dash + 1))];
	return { room, id, code, n, text, digest: digestOf(text) };
}
