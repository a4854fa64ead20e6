import * as encoding from 'lib0/encoding';
import { PIECE_BYTES_MAX } from '#sync/limits.ts';
import type { ItemId, UpdateItem } from './update-parser.ts';

/**
 * RELAY-2. Writes items as updates of at most `PIECE_BYTES_MAX` bytes each (or one item where that is
 * larger), in the order given. They carry no deletions: which of two twins is shown follows from
 * the items alone. The items of one client must follow each other without a gap.
 */
export function writePieces(items: readonly UpdateItem[]): readonly Uint8Array[] {
	const pieces: Uint8Array[] = [];
	let held: UpdateItem[] = [];
	let heldBytes = 0;
	for (const item of items) {
		const bytes = itemBytes(item);
		if (held.length > 0 && heldBytes + bytes > PIECE_BYTES_MAX) {
			pieces.push(writeUpdate(held));
			held = [];
			heldBytes = 0;
		}
		held.push(item);
		heldBytes += bytes;
	}
	if (held.length > 0) pieces.push(writeUpdate(held));
	return pieces;
}

/** The most that an item takes in a piece. */
export function itemBytes({ bytes }: UpdateItem): number {
	return bytes.byteLength + CLIENT_HEADER_BYTES;
}

/** A text of our own under a key of the root map `f`, as Yjs writes one that nothing preceded. */
export function textItem({
	client,
	clock,
	key,
	text
}: ItemId & { readonly key: string; readonly text: string }): UpdateItem {
	const encoder = encoding.createEncoder();
	encoding.writeUint8(encoder, CONTENT_ANY | HAS_KEY);
	encoding.writeVarUint(encoder, PARENT_IS_ROOT);
	encoding.writeVarString(encoder, ROOT);
	encoding.writeVarString(encoder, key);
	encoding.writeVarUint(encoder, 1);
	encoding.writeAny(encoder, text);
	const bytes = encoding.toUint8Array(encoder);
	return { client, clock, key, origin: undefined, text, bytes };
}

const ROOT = 'f';
const CONTENT_ANY = 8;
const HAS_KEY = 0b0010_0000;
const PARENT_IS_ROOT = 1;

/** Count, client and clock, each at its longest: more than any item really needs. */
const CLIENT_HEADER_BYTES = 12;

function writeUpdate(items: readonly UpdateItem[]): Uint8Array {
	const itemsByClient = new Map<number, UpdateItem[]>();
	for (const item of items) {
		const sameClient = itemsByClient.get(item.client);
		if (sameClient === undefined) itemsByClient.set(item.client, [item]);
		else sameClient.push(item);
	}
	const encoder = encoding.createEncoder();
	encoding.writeVarUint(encoder, itemsByClient.size);
	for (const [client, ofClient] of itemsByClient) {
		encoding.writeVarUint(encoder, ofClient.length);
		encoding.writeVarUint(encoder, client);
		encoding.writeVarUint(encoder, ofClient[0]?.clock ?? 0);
		for (const { bytes } of ofClient) encoding.writeUint8Array(encoder, bytes);
	}
	encoding.writeVarUint(encoder, 0);
	return encoding.toUint8Array(encoder);
}
