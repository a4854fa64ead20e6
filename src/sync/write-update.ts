import * as encoding from 'lib0/encoding';
import { PIECE_BYTES_MAX } from './limits.ts';

/**
 * An item of an update. Yjs writes one without its clock, so its bytes stand wherever the one before
 * it ends.
 */
export interface EncodedItem {
	readonly client: number;
	readonly clock: number;
	readonly bytes: Uint8Array;
}

/** Count, client and clock, each at its longest: more than any item really needs. */
const CLIENT_HEADER_BYTES = 24;
const NO_DELETIONS = Uint8Array.of(0);

/**
 * The items in their order, in groups that are written in at most `PIECE_BYTES_MAX` bytes, or of one
 * item where that is larger.
 */
export function groupItems<Item extends EncodedItem>(
	items: readonly Item[]
): readonly (readonly Item[])[] {
	const groups: Item[][] = [];
	let heldBytes = 0;
	for (const item of items) {
		const bytes = itemBytes(item);
		const group = groups.at(-1);
		if (group === undefined || heldBytes + bytes > PIECE_BYTES_MAX) {
			groups.push([item]);
			heldBytes = bytes;
		} else {
			group.push(item);
			heldBytes += bytes;
		}
	}
	return groups;
}

/** The most that an item takes in an update. */
export function itemBytes({ bytes }: EncodedItem): number {
	return bytes.byteLength + CLIENT_HEADER_BYTES;
}

/** An update (Yjs format V1). The items of one client must follow each other without a gap. */
export function writeUpdate(
	items: readonly EncodedItem[],
	deletions: Uint8Array = NO_DELETIONS
): Uint8Array {
	const itemsByClient = new Map<number, EncodedItem[]>();
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
	encoding.writeUint8Array(encoder, deletions);
	return encoding.toUint8Array(encoder);
}
