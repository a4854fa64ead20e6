import type { Sql } from 'postgres';
import { scopeOf, type DocumentAddress } from '#documents/document-name.ts';
import { assert } from '#domain/assert.ts';
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

/** A stored update, in the order of commits. */
export interface StoredUpdate {
	readonly sequence: number;
	readonly items: readonly UpdateItem[];
}

/** How many stored updates are read at a time, each of at most 32 kB or one fact. */
const PAGE_LENGTH = 256;

/** RELAY-10. Reads what the document holds; a document that nobody wrote yet is empty. */
export async function loadRoom(sql: Sql, name: string, address: DocumentAddress): Promise<Room> {
	const scope = scopeOf(address);
	// Whoever writes locks these rows, so they must be there before the first fact is.
	await Promise.all([
		sql`insert into document_head (business, document) values (${scope}, ${name})
			on conflict do nothing`,
		sql`insert into feed_head (business) values (${scope}) on conflict do nothing`
	]);
	const room: Room = { name, address, state: createRoomState(), sequence: 0 };
	await catchUp(sql, room);
	return room;
}

/** Takes in what another relay wrote since. */
export async function catchUp(sql: Sql, room: Room): Promise<void> {
	for await (const { sequence, items } of readUpdates(sql, room, room.sequence)) {
		// Two may be catching up at once; each update goes in once.
		if (sequence <= room.sequence) continue;
		for (const item of items) placeStored(room.state, item);
		room.sequence = sequence;
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
		const rows = await sql<{ sequence: string; update: Uint8Array }[]>`
			select sequence, update from document_update
			where business = ${scopeOf(address)} and document = ${name} and sequence > ${last}
			order by sequence limit ${PAGE_LENGTH}`;
		for (const row of rows) {
			last = Number(row.sequence);
			yield { sequence: last, items: readStored(row.update) };
		}
		if (rows.length < PAGE_LENGTH) return undefined;
	}
}

function readStored(update: Uint8Array): readonly UpdateItem[] {
	const parsed = parseUpdate(new Uint8Array(update));
	assert(parsed.ok, 'a stored update was admitted');
	return parsed.value.items;
}

function placeStored(state: MutableRoomState, item: UpdateItem): void {
	const key = item.key ?? (item.origin === undefined ? undefined : state.keyAt(item.origin));
	assert(key !== undefined, 'a stored item stands under a key');
	assert(item.clock === state.clockOf(item.client), 'stored items have no gap');
	state.add({ item, key });
}
