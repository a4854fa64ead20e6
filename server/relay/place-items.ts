import { parseFactId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { createRoomState, type MutableRoomState, type RoomState } from './room-state.ts';
import type { Deletion, ParsedUpdate, UpdateItem } from './update-parser.ts';

/** Why an update's structure is not taken: what no honest device sends, or something before it is missing. */
export type PlaceRefusal = 'forgery' | 'gap';

/**
 * RELAY-3, RELAY-4. Finds for each item that the document lacks the key it stands under, and refuses
 * what would write over, delete or take the place of anything else. Answers with the state on top
 * of `state`; `added` are the items that were lacking, in order.
 */
export function placeItems(
	state: RoomState,
	{ items, deletions }: ParsedUpdate,
	code: string
): Result<MutableRoomState, PlaceRefusal> {
	const placed = createRoomState(state);
	for (const item of items) {
		const refusal = placeItem(placed, item, code);
		if (refusal !== undefined) return err(refusal);
	}
	return deletions.every((deletion) => isAmongTwins(placed, deletion))
		? ok(placed)
		: err('forgery');
}

function placeItem(
	state: MutableRoomState,
	item: UpdateItem,
	code: string
): PlaceRefusal | undefined {
	const clock = state.clockOf(item.client);
	// The document has it; a second telling adds nothing and is not stored.
	if (item.clock < clock) return undefined;
	if (item.clock > clock) return 'gap';
	if (isOriginMissing(state, item)) return 'gap';

	const key = keyOf(state, item);
	const owner = state.firstKeyOf(item.client) ?? key;
	if (codeOf(key) !== code || codeOf(owner) !== code) return 'forgery';
	if (item.text === undefined && !isLostTwin(state, item, key)) return 'forgery';
	state.add({ item, key });
	return undefined;
}

/** Empty where the item it stands behind is none. */
function keyOf(state: RoomState, { key, origin }: UpdateItem): string {
	return key ?? (origin === undefined ? undefined : state.keyAt(origin)) ?? '';
}

function isOriginMissing(state: RoomState, { origin }: UpdateItem): boolean {
	return origin !== undefined && origin.clock >= state.clockOf(origin.client);
}

/**
 * Of the items under one key Yjs shows the one with the highest client id, unless one stands behind
 * another by origin. An item without its text must be sure to lose, or the key would be gone.
 */
function isLostTwin(state: RoomState, item: UpdateItem, key: string): boolean {
	if (item.origin !== undefined || state.isChained(key)) return false;
	return state.clientsOf(key).some((client) => client > item.client);
}

/** Yjs tells all deletions of a document each time; where a key has one item, none of them is a twin's. */
function isAmongTwins(state: RoomState, { client, clock, length }: Deletion): boolean {
	if (clock + length > state.clockOf(client)) return false;
	return Array.from({ length }, (_, at) => state.keyAt({ client, clock: clock + at })).every(
		(key) => key !== undefined && state.clientsOf(key).length > 1
	);
}

function codeOf(key: string): string | undefined {
	const parsed = parseFactId(key);
	return parsed.ok ? parsed.value.code : undefined;
}
