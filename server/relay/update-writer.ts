import * as encoding from 'lib0/encoding';
import { groupItems, writeUpdate } from '#sync/write-update.ts';
import type { ItemId, UpdateItem } from './update-parser.ts';

/**
 * RELAY-2. Writes items as updates of at most `PIECE_BYTES_MAX` bytes each (or one item where that is
 * larger), in the order given. They carry no deletions: which of two twins is shown follows from
 * the items alone. The items of one client must follow each other without a gap.
 */
export function writePieces(items: readonly UpdateItem[]): readonly Uint8Array[] {
	return groupItems(items).map((group) => writeUpdate(group));
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
