import { parseFactId } from '#domain/ids.ts';
import { err, ok, type Result } from '#domain/result.ts';
import { createRoomState, type PlacedItem, type RoomState } from './room-state.ts';
import type { Deletion, ParsedUpdate, UpdateItem } from './update-parser.ts';

/** Why an update's structure is not taken: what no honest device sends, or something before it is missing. */
export type PlaceRefusal =
	| { readonly kind: 'gap' }
	/** `keys`: under which it would have written, or what it would have deleted. */
	| { readonly kind: 'forgery'; readonly keys: readonly string[] };

/** In whose name an update writes. */
export interface Writer {
	readonly code: string;
	/**
	 * Whether it may tell what another of this code wrote, to a restored relay, which forgot it; absent
	 * where nothing was forgotten.
	 */
	readonly carries?: ((code: string) => boolean) | undefined;
}

/** What an update comes to on top of a document. */
export interface Placed {
	/** The items that were lacking, in order. */
	readonly added: readonly PlacedItem[];
	/** Those with a text that stand there already, under the same key. */
	readonly retold: readonly PlacedItem[];
}

/**
 * RELAY-3, RELAY-4. Finds for each item that the document lacks the key it stands under, and refuses
 * what would write over, delete or take the place of anything else. What is carried of others and
 * does not fit on what the document has is passed over.
 */
export function placeItems(
	state: RoomState,
	{ items, deletions }: ParsedUpdate,
	writer: Writer
): Result<Placed, PlaceRefusal> {
	const placed = createRoomState(state);
	const forged: string[] = [];
	const retold: PlacedItem[] = [];
	for (const item of items) {
		const given = { item, key: keyOf(placed, item) };
		const fit = fitOf(placed, given, writer);
		if (fit === 'gap') {
			return err(forged.length > 0 ? { kind: 'forgery', keys: forged } : { kind: 'gap' });
		}
		if (fit === 'passed') continue;
		if (fit === 'there') retold.push(given);
		if (fit === 'forged') forged.push(given.key);
		// A forged one too, so that all of them are named; nothing of it is kept.
		if (item.clock === placed.clockOf(item.client)) placed.add(given);
	}
	forged.push(...deletions.flatMap((deletion) => forgedBy(placed, deletion, writer)));
	if (forged.length > 0) return err({ kind: 'forgery', keys: forged });
	return ok({ added: placed.added, retold });
}

/** The device's code in a key; undefined where it is no fact's id. */
export function codeOf(key: string): string | undefined {
	if (key !== last.key) {
		const parsed = parseFactId(key);
		last = { key, code: parsed.ok ? parsed.value.code : undefined };
	}
	return last.code;
}

/** Of an update with one fact, as nearly all are, the same key is asked for several times. */
let last: { readonly key: string; readonly code: string | undefined } = {
	key: '',
	code: undefined
};

/**
 * Of the items under one key Yjs shows the one with the highest client id, unless one stands behind
 * another by origin. An item without its text must be sure to lose, or the key would be gone.
 */
export function isLostTwin(state: RoomState, client: number, key: string): boolean {
	return !state.isChained(key) && state.twinsOf(key).lastClient > client;
}

/** `there`: a second telling, which adds nothing and is not stored. `passed`: another's, that does not fit. */
type Fit = 'next' | 'there' | 'gap' | 'forged' | 'passed';

function fitOf(state: RoomState, placed: PlacedItem, writer: Writer): Fit {
	const { item, key } = placed;
	const clock = state.clockOf(item.client);
	if (item.clock > clock || isOriginMissing(state, item)) {
		return isOfAnother(item, writer) ? 'passed' : 'gap';
	}
	if (item.clock === clock) return isOwn(state, placed, writer) ? 'next' : 'forged';
	if (state.keyAt(item) === key) return 'there';
	// Another took the client, and who is not told so would believe for ever that his fact is in.
	return isOfAnother(item, writer) ? 'passed' : 'forged';
}

/** Whether the item's key and its client are the writer's, or of one whose words he may carry. */
function isOwn(state: RoomState, { item, key }: PlacedItem, { code, carries }: Writer): boolean {
	const writer = codeOf(key);
	if (writer === undefined || codeOf(state.firstKeyOf(item.client) ?? key) !== writer) return false;
	// What stands behind another item is written over it, which nobody does in another's name.
	if (writer !== code && (item.origin !== undefined || carries?.(writer) !== true)) return false;
	if (item.text !== undefined) return true;
	return item.origin === undefined && isLostTwin(state, item.client, key);
}

/** Whether the item is of somebody whose words the writer may carry. */
function isOfAnother({ key }: UpdateItem, { code, carries }: Writer): boolean {
	const author = key === undefined ? undefined : codeOf(key);
	return author !== undefined && author !== code && carries?.(author) === true;
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
 * among twins all but one are deleted; where a key has one item, it is none of those. Deletions are
 * not stored, so one of what a restored relay forgot and did not take in again takes nothing away.
 */
function forgedBy(
	state: RoomState,
	{ client, clock, length }: Deletion,
	{ carries }: Writer
): readonly string[] {
	const held = state.clockOf(client);
	if (clock + length > held && carries === undefined) return [''];
	const known = Math.max(0, Math.min(length, held - clock));
	return Array.from(
		{ length: known },
		(_, at) => state.keyAt({ client, clock: clock + at }) ?? ''
	).filter((key) => !isAmongTwins(state, client, key));
}

function isAmongTwins(state: RoomState, client: number, key: string): boolean {
	if (state.isChained(key)) return state.twinsOf(key).count > 1;
	return isLostTwin(state, client, key);
}
