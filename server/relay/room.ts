import type { Sql } from 'postgres';
import { scopeOf, type DocumentAddress } from '#documents/document-name.ts';
import { assert } from '#domain/assert.ts';
import { checkStands } from '#server/database/went-back.ts';
import { createRoomState, type MutableRoomState } from './room-state.ts';
import { parseUpdate, type UpdateItem } from './update-parser.ts';

/** One document at this relay while somebody has it open: what it holds, and never its texts. */
export interface Room {
	readonly name: string;
	readonly address: DocumentAddress;
	readonly state: MutableRoomState;
	/** The last stored update that `state` has seen. */
	sequence: number;
}

/**
 * A stored update, in the order of commits. After a compaction one row stands for several: who has
 * come to `after` or beyond needs no more than it to come to `sequence`.
 */
export interface StoredUpdate {
	readonly after: number;
	readonly sequence: number;
	readonly bytes: Uint8Array;
	readonly items: readonly UpdateItem[];
}

/**
 * RELAY-16. Stored updates are read in pages of so many rows and bytes, or of one row where that is
 * larger: a reader who does not read holds one, on each of his sockets.
 */
export const PAGE_LENGTH = 512;
export const PAGE_BYTES = 128 * 1024;

/**
 * RELAY-10. Reads what the document holds; a document that nobody wrote yet is empty, and RELAY-94 leaves
 * nothing in the database by being looked at.
 */
export async function loadRoom(sql: Sql, name: string, address: DocumentAddress): Promise<Room> {
	// Whoever writes locks this row, so it must be there before the first fact is.
	await sql`
		insert into feed_head (business) values (${scopeOf(address)}) on conflict do nothing`;
	const room: Room = { name, address, state: createRoomState(), sequence: 0 };
	await catchUp(sql, room);
	return room;
}

/**
 * Takes in what another relay wrote since; `taken` hears each update that was lacking. Throws where the
 * database went back behind what the room has (RELAY-63).
 */
export async function catchUp(
	sql: Sql,
	room: Room,
	taken: (update: StoredUpdate) => void = () => undefined
): Promise<void> {
	const isLoading = room.sequence === 0;
	for await (const update of readUpdates(sql, room, room.sequence)) {
		// Two may be catching up at once; each update goes in once.
		if (update.sequence <= room.sequence) continue;
		const stands = placeAll(room.state, update.items);
		assert(stands || !isLoading, 'stored items have no gap and stand under keys');
		checkStands(room.name, stands);
		room.sequence = update.sequence;
		taken(update);
	}
}

/** The document's updates behind `after`, in order, page by page. */
export async function* readUpdates(
	sql: Sql,
	{ address, name }: Pick<Room, 'address' | 'name'>,
	after: number
): AsyncGenerator<StoredUpdate, undefined> {
	let last = after;
	for (;;) {
		const { rows, isLast } = await readPage(sql, { address, name }, last);
		for (const row of rows) {
			const before = last;
			last = Number(row.sequence);
			const bytes = new Uint8Array(row.update);
			yield { after: before, sequence: last, bytes, items: readStored(bytes) };
		}
		if (isLast) return undefined;
	}
}

interface Page {
	readonly rows: readonly { readonly sequence: string; readonly update: Uint8Array }[];
	/** Whether there was nothing behind it. */
	readonly isLast: boolean;
}

async function readPage(
	sql: Sql,
	{ address, name }: Pick<Room, 'address' | 'name'>,
	after: number
): Promise<Page> {
	// What stands before a row decides, so the first is there however large; lengths are read without the bytes.
	const rows = await sql<{ sequence: string; update: Uint8Array; found: string }[]>`
		select sequence, update, found from (
			select sequence, update, count(*) over () as found,
				sum(octet_length(update)) over (order by sequence) as held
			from (
				select sequence, update from document_update
				where business = ${scopeOf(address)} and document = ${name} and sequence > ${after}
				order by sequence limit ${PAGE_LENGTH}
			) as next
		) as counted
		where held <= ${PAGE_BYTES} or held = octet_length(update)
		order by sequence`;
	const found = Number(rows[0]?.found ?? 0);
	return { rows, isLast: found < PAGE_LENGTH && rows.length === found };
}

export function readStored(update: Uint8Array): readonly UpdateItem[] {
	const parsed = parseUpdate(update);
	assert(parsed.ok, 'a stored update was admitted');
	return parsed.value.items;
}

/**
 * An update has its items client by client, so an item may come before the one of another client
 * that it stands behind: such are placed after the others, as often as that helps. Whether all are in.
 */
function placeAll(state: MutableRoomState, items: readonly UpdateItem[]): boolean {
	let left = items;
	while (left.length > 0) {
		const waiting = left.filter((item) => !placeStored(state, item));
		if (waiting.length === left.length) return false;
		left = waiting;
	}
	return true;
}

/** Whether the item is in now. What a compaction put together may hold some that were in before. */
function placeStored(state: MutableRoomState, item: UpdateItem): boolean {
	if (item.clock < state.clockOf(item.client)) return true;
	const key = item.key ?? (item.origin === undefined ? undefined : state.keyAt(item.origin));
	if (key === undefined || item.clock > state.clockOf(item.client)) return false;
	state.add({ item, key });
	return true;
}
