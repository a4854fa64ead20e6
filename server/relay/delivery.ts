import type { Sql } from 'postgres';
import { CLOSE } from '#sync/close-code.ts';
import { EMPTY_UPDATE, encodeStep1, encodeStep2, encodeUpdate } from '#sync/frames.ts';
import { PIECE_BYTES_MAX } from '#sync/limits.ts';
import type { Connection } from './connection.ts';
import { readUpdates, type Room } from './room.ts';
import type { UpdateItem } from './update-parser.ts';
import { writePieces } from './update-writer.ts';

/** A committed update on its way to the document's other sockets. */
export interface Committed {
	/** To whom it says everything up to `sequence`: a reader who has come this far. */
	readonly after: number;
	readonly sequence: number;
	readonly frame: Uint8Array;
	readonly sender: object;
}

/**
 * RELAY-15. Answers a client's state vector: what the document has beyond it, in pieces, then step 2, by which a
 * stock client knows that it is synced, then our own step 1, to which it answers with what we lack.
 */
export async function synchronise(
	sql: Sql,
	connection: Connection,
	stateVector: ReadonlyMap<number, number>
): Promise<void> {
	const { reading, room } = connection;
	reading.stateVector = stateVector;
	reading.sequence = hasAll(room, stateVector) ? room.sequence : 0;
	await catchUpReader(sql, connection);
	connection.send(encodeStep2(EMPTY_UPDATE));
	connection.send(encodeStep1(room.state.stateVector()));
}

/** RELAY-16. Passes committed updates on, or, to a reader that is behind or slow, lets him catch up from the database. */
export function deliver(sql: Sql, connection: Connection, committed: readonly Committed[]): void {
	const { reading, room } = connection;
	if (reading.stateVector === undefined || reading.isCatchingUp) return;
	for (const { after, sequence, frame, sender } of committed) {
		if (sequence <= reading.sequence) continue;
		// One batch may hold more than a reader can take.
		if (after > reading.sequence || !connection.hasRoom()) break;
		if (sender !== connection) connection.send(frame);
		reading.sequence = sequence;
	}
	if (reading.sequence < room.sequence) void catchUpReader(sql, connection);
}

/** Sends what is stored behind the reader's place, at his pace, until nothing is. */
async function catchUpReader(sql: Sql, connection: Connection): Promise<void> {
	const { reading, room } = connection;
	if (reading.isCatchingUp) return;
	reading.isCatchingUp = true;
	try {
		while (connection.isOpen && reading.sequence < room.sequence) {
			await sendStored(sql, connection);
		}
	} catch {
		// The database went away in the middle; the client starts anew where it is.
		connection.close(CLOSE.tryLater, 'try later');
	} finally {
		reading.isCatchingUp = false;
	}
}

async function sendStored(sql: Sql, connection: Connection): Promise<void> {
	const { reading, room } = connection;
	let held: UpdateItem[] = [];
	let heldBytes = 0;
	for await (const { sequence, items } of readUpdates(sql, room, reading.sequence)) {
		const lacking = items.filter(
			({ client, clock }) => clock >= (reading.stateVector?.get(client) ?? 0)
		);
		const bytes = lacking.reduce((sum, item) => sum + item.bytes.byteLength, 0);
		if (heldBytes + bytes > PIECE_BYTES_MAX) {
			await sendPieces(connection, held);
			held = [];
			heldBytes = 0;
		}
		held.push(...lacking);
		heldBytes += bytes;
		reading.sequence = sequence;
		if (!connection.isOpen) return;
	}
	await sendPieces(connection, held);
}

async function sendPieces(connection: Connection, items: readonly UpdateItem[]): Promise<void> {
	for (const piece of writePieces(items)) await connection.sendPaced(encodeUpdate(piece));
}

function hasAll({ state }: Room, theirs: ReadonlyMap<number, number>): boolean {
	return Array.from(state.stateVector()).every(
		([client, clock]) => (theirs.get(client) ?? 0) >= clock
	);
}
