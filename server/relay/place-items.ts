import { parseFactId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { createRoomState, type MutableRoomState, type RoomState } from './room-state.ts';
import type { Deletion, ParsedUpdate, UpdateItem } from './update-parser.ts';

/** Why an update's structure is not taken: what no honest device sends, or something before it is missing. */
export type PlaceRefusal =
	| { readonly kind: 'gap' }
	/** `keys`: under which it would have written, or what it would have deleted. */
	| { readonly kind: 'forgery'; readonly keys: readonly string[] };

/** In whose name an update writes. */
export interface Writer {
	readonly code: string;
	/** Whether it may tell what another of this code wrote: to a restored relay, which forgot it. */
	readonly carries: (code: string) => boolean;
}

/**
 * RELAY-3, RELAY-4. Finds for each item that the document lacks the key it stands under, and refuses
 * what would write over, delete or take the place of anything else. Answers with the state on top
 * of `state`; `added` are the items that were lacking, in order.
 */
export function placeItems(
	state: RoomState,
	{ items, deletions }: ParsedUpdate,
	writer: Writer
): Result<MutableRoomState, PlaceRefusal> {
	const placed = createRoomState(state);
	const forged: string[] = [];
	for (const item of items) {
		const clock = placed.clockOf(item.client);
		if (item.clock > clock || isOriginMissing(placed, item)) {
			return err(forged.length > 0 ? { kind: 'forgery', keys: forged } : { kind: 'gap' });
		}
		const key = keyOf(placed, item);
		if (item.clock < clock) {
			// A second telling adds nothing and is not stored. Where something else stands, another took
			// the client, and who is not told so would believe for ever that his fact is in.
			if (placed.keyAt(item) !== key) forged.push(key);
			continue;
		}
		if (!isOwn(placed, { item, key }, writer)) forged.push(key);
		// A forged one too, so that all of them are named; nothing of it is kept.
		placed.add({ item, key });
	}
	forged.push(...deletions.flatMap((deletion) => forgedBy(placed, deletion)));
	return forged.length === 0 ? ok(placed) : err({ kind: 'forgery', keys: forged });
}

/** The device's code in a key; undefined where it is no fact's id. */
export function codeOf(key: string): string | undefined {
	const parsed = parseFactId(key);
	return parsed.ok ? parsed.value.code : undefined;
}

/**
 * Of the items under one key Yjs shows the one with the highest client id, unless one stands behind
 * another by origin. An item without its text must be sure to lose, or the key would be gone.
 */
export function isLostTwin(state: RoomState, client: number, key: string): boolean {
	return !state.isChained(key) && state.clientsOf(key).some((other) => other > client);
}

/** Whether the item's key and its client are the writer's, or of one whose words he may carry. */
function isOwn(
	state: RoomState,
	{ item, key }: { readonly item: UpdateItem; readonly key: string },
	{ code, carries }: Writer
): boolean {
	const writer = codeOf(key);
	if (writer === undefined || codeOf(state.firstKeyOf(item.client) ?? key) !== writer) return false;
	// What stands behind another item is written over it, which nobody does in another's name.
	if (writer !== code && (item.origin !== undefined || !carries(writer))) return false;
	if (item.text !== undefined) return true;
	return item.origin === undefined && isLostTwin(state, item.client, key);
}

/** Empty where the item it stands behind is none. */
function keyOf(state: RoomState, { key, origin }: UpdateItem): string {
	return key ?? (origin === undefined ? undefined : state.keyAt(origin)) ?? '';
}

function isOriginMissing(state: RoomState, { origin }: UpdateItem): boolean {
	return origin !== undefined && origin.clock >= state.clockOf(origin.client);
}

/**
 * The keys that a deletion would take away. Yjs tells all deletions of a document each time, and
 * among twins all but one are deleted; where a key has one item, it is none of those.
 */
function forgedBy(state: RoomState, { client, clock, length }: Deletion): readonly string[] {
	if (clock + length > state.clockOf(client)) return [''];
	return Array.from({ length }, (_, at) => state.keyAt({ client, clock: clock + at }) ?? '').filter(
		(key) => !isAmongTwins(state, client, key)
	);
}

function isAmongTwins(state: RoomState, client: number, key: string): boolean {
	if (state.isChained(key)) return state.clientsOf(key).length > 1;
	return isLostTwin(state, client, key);
}
