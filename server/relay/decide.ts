import { isPhoneCode, isRelayCode } from '#domain/ids.ts';
import { itemsOf, type Bringing } from './allowance.ts';
import type { Ground } from './ground.ts';
import { codeOf, isLostTwin, placeItems, type PlaceRefusal, type Writer } from './place-items.ts';
import { createRoomState, type MutableRoomState, type PlacedItem } from './room-state.ts';
import { createSorter, retoldAsAnother, type Sorted } from './sort-items.ts';
import {
	bearerOf,
	deviceKey,
	factKey,
	type Device,
	type ForkedFact,
	type NewFact,
	type Refused,
	type RefusalOfFact,
	type Submission
} from './submission.ts';
import { writePieces } from './update-writer.ts';

export type Decision =
	| {
			readonly kind: 'accepted';
			readonly facts: readonly NewFact[];
			readonly items: readonly PlacedItem[];
			readonly pieces: readonly Uint8Array[];
			/** Carried facts that stayed out of the document, and those of them that are kept apart. */
			readonly leftOut: Refused;
			readonly forks: readonly ForkedFact[];
	  }
	| { readonly kind: 'refused'; readonly refused: Refused }
	/** `forks`: those that are kept apart; of more than a day has room for, none. */
	| {
			readonly kind: 'fork';
			readonly ids: readonly string[];
			readonly forks: readonly ForkedFact[];
	  }
	| PlaceRefusal
	| { readonly kind: 'removed' | 'signedOut' };

function endOfAccess(
	submission: Submission,
	{ removed, signedOut }: Ground
): 'removed' | 'signedOut' | undefined {
	if (removed.has(deviceKey(bearerOf(submission)))) return 'removed';
	return signedOut.has(submission.session ?? '') ? 'signedOut' : undefined;
}

/**
 * RELAY-5. The answer to one update, in this order: removed, forgery or gap, fork, refused, accepted. All or
 * nothing of it; an accepted one changes `ground`, so that the next of the batch is judged after it.
 */
export function decide(submission: Submission, ground: Ground): Decision {
	const { room, caller, update } = submission;
	const bearer = bearerOf(submission);
	const ended = endOfAccess(submission, ground);
	if (ended !== undefined) return { kind: ended };
	const layer = ground.layerByRoom.get(room) ?? createRoomState(room.state);
	ground.layerByRoom.set(room, layer);
	const placed = placeItems(layer, update, writerOf(caller, ground));
	if (!placed.ok) return placed.error;

	const { own, others } = split(placed.value.added, caller.code);
	const { sort, sorted } = createSorter(submission, ground);
	for (const item of own) sort(item);
	const forks = [...sorted.forks, ...retoldAsAnother(submission, placed.value.retold, ground)];
	if (forks.length > 0) return keepForks(forks, { bearer, ground });
	const bringing = bringingOf(submission, sorted, own);
	const refused =
		sorted.refused.length > 0 ? sorted.refused : refusedForRoom(own, bringing, { bearer, ground });
	if (refused.length > 0) return { kind: 'refused', refused };

	for (const item of own) layer.add(item);
	takeIn(bringing, sorted, { bearer, ground });
	const carried =
		others.length === 0 ? NOTHING_CARRIED : keepCarried(submission, others, { layer, ground });
	const items = joined(own, carried.items);
	return {
		kind: 'accepted',
		facts: joined(sorted.facts, carried.facts),
		items,
		pieces: writePieces(items.map(({ item }) => item)),
		leftOut: carried.leftOut,
		forks: carried.forks
	};
}

function joined<T>(own: readonly T[], others: readonly T[]): readonly T[] {
	return others.length === 0 ? own : [...own, ...others];
}

/** RELAY-53. A restored relay is told of others too: of devices, and of the relay in epochs that ended. */
function writerOf({ code }: Device, { restoredIn }: Ground): Writer {
	if (restoredIn === undefined) return { code };
	return {
		code,
		carries: (other) =>
			isRelayCode(other)
				? Number(other.slice('0.'.length)) < restoredIn
				: isPhoneCode(other) === isPhoneCode(code)
	};
}

function split(
	added: readonly PlacedItem[],
	code: string
): { readonly own: readonly PlacedItem[]; readonly others: readonly PlacedItem[] } {
	if (added.every(({ key }) => codeOf(key) === code)) return { own: added, others: [] };
	return {
		own: added.filter(({ key }) => codeOf(key) === code),
		others: added.filter(({ key }) => codeOf(key) !== code)
	};
}

interface BearerOn {
	readonly bearer: Device;
	readonly ground: Ground;
}

/** RELAY-21, RELAY-51. Kept apart, as far as there is room: who forks without end fills nothing. */
function keepForks(forks: readonly ForkedFact[], { bearer, ground }: BearerOn): Decision {
	const ids = forks.map(({ id }) => id);
	const kept = forks.filter(isKeepable);
	const items = kept.reduce((sum, { text }) => sum + itemsOf(text, false), 0);
	const bringing = { facts: [], items, isCarried: false };
	if (ground.allowance.beyond(bearer, bringing) === 'all') return { kind: 'fork', ids, forks: [] };
	ground.allowance.take(bearer, bringing);
	return { kind: 'fork', ids, forks: kept };
}

/** The database takes no NUL, and no fact has one: there is nothing in it that anybody will want to read. */
function isKeepable({ text }: ForkedFact): boolean {
	return !text.includes('\0');
}

function bringingOf(
	{ bearer }: Submission,
	{ facts }: Sorted,
	own: readonly PlacedItem[]
): Bringing {
	const isCarried = bearer?.isCarrying === true;
	const items = own.reduce((sum, { item }) => sum + itemsOf(item.text, isCarried), 0);
	return { facts, items, isCarried };
}

function refusedForRoom(
	own: readonly PlacedItem[],
	bringing: Bringing,
	{ bearer, ground }: BearerOn
): Refused {
	const beyond = ground.allowance.beyond(bearer, bringing);
	return beyond === 'all' ? own.map(tooMany) : beyond.map(({ fact }) => [fact.id, 'tooMany']);
}

function tooMany({ key }: PlacedItem): readonly [string, 'tooMany'] {
	return [key, 'tooMany'];
}

/** From here on it counts for whatever the batch brings after it. */
function takeIn(bringing: Bringing, { firsts }: Sorted, { bearer, ground }: BearerOn): void {
	ground.allowance.take(bearer, bringing);
	for (const [key, id] of firsts) ground.idByFirst.set(key, id);
	for (const { fact, text } of bringing.facts) {
		ground.textByFact.set(factKey(bearer.scope, fact.id), text);
	}
}

interface Carried {
	readonly items: readonly PlacedItem[];
	readonly facts: readonly NewFact[];
	readonly leftOut: Refused;
	readonly forks: readonly ForkedFact[];
}

const NOTHING_CARRIED: Carried = { items: [], facts: [], leftOut: [], forks: [] };

interface OnTop {
	readonly layer: MutableRoomState;
	readonly ground: Ground;
}

/**
 * RELAY-54. Of what is carried each client's items go in up to the first that is refused: a brother's
 * words that cannot be kept stop neither those of others nor the carrier's own.
 */
function keepCarried(
	submission: Submission,
	others: readonly PlacedItem[],
	{ layer, ground }: OnTop
): Carried {
	const items: PlacedItem[] = [];
	const facts: NewFact[] = [];
	const forks: ForkedFact[] = [];
	const bearer = bearerOf(submission);
	const stopped = new Set<number>();
	const { fresh, taken } = splitByClient(others, { layer, known: knownIn(submission, ground) });
	const leftOut: (readonly [string, RefusalOfFact])[] = [...taken];
	for (const placed of fresh) {
		const { client, text } = placed.item;
		if (stopped.has(client)) continue;
		const { sort, sorted } = createSorter(submission, ground);
		const mayStand = text === undefined ? isLostTwin(layer, client, placed.key) : sort(placed);
		const bringing = { facts: sorted.facts, items: itemsOf(text, true), isCarried: true };
		const hasRoom = ground.allowance.beyond(bearer, bringing).length === 0;
		if (mayStand && hasRoom) {
			layer.add(placed);
			items.push(placed);
			facts.push(...sorted.facts);
			takeIn(bringing, sorted, { bearer, ground });
			continue;
		}
		stopped.add(client);
		if (hasRoom) forks.push(...sorted.forks.filter(isKeepable));
		if (hasRoom && sorted.forks.length > 0) ground.allowance.take(bearer, bringing);
		leftOut.push(...sorted.refused);
		if (mayStand) leftOut.push(tooMany(placed));
		leftOut.push(...sorted.forks.map(({ id }) => [id, 'conflict'] as const));
	}
	return { items, facts, leftOut, forks };
}

function knownIn(
	{ caller: { scope } }: Submission,
	{ textByFact }: Ground
): (placed: PlacedItem) => boolean {
	return ({ item, key }) =>
		item.text === undefined || textByFact.get(factKey(scope, key)) === item.text;
}

interface Among {
	readonly layer: MutableRoomState;
	readonly known: (placed: PlacedItem) => boolean;
}

/**
 * RELAY-57. A client that the document has may be at work again, and who writes on under it would take
 * its next clock. Of each such client the first fact that is nowhere yet is named.
 */
function splitByClient(
	others: readonly PlacedItem[],
	{ layer, known }: Among
): { readonly fresh: readonly PlacedItem[]; readonly taken: Refused } {
	const isTaken = ({ item }: PlacedItem): boolean => layer.clockOf(item.client) > 0;
	const lacking = others.filter((placed) => isTaken(placed) && !known(placed));
	const keyByClient = new Map(
		lacking.toReversed().map(({ item, key }) => [item.client, key] as const)
	);
	return {
		fresh: others.filter((placed) => !isTaken(placed)),
		taken: Array.from(keyByClient.values(), (key) => [key, 'clientTaken'] as const)
	};
}
