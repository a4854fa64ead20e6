import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import { PIECE_BYTES_MAX } from './limits.ts';
import { groupItems, writeUpdate, type EncodedItem } from './write-update.ts';

/** Part of an update, itself an update: applied in order, the parts are the whole. */
export interface UpdatePiece {
	readonly bytes: Uint8Array;
	/** The key that the last of its own items stands under; undefined where it says none. */
	readonly lastKey: string | undefined;
}

/**
 * SYNC-7. Cuts an update (Yjs format V1) into updates of at most 32 kB, or of one item where that is
 * larger, in the order in which it names its items. Deletions go with the last, when all that they
 * may speak of is there. `isOwn` tells the keys that are looked for in the pieces: all where it is
 * absent. Throws where the bytes are no update.
 */
export function cutUpdate(
	update: Uint8Array,
	isOwn: (key: string) => boolean = () => true
): readonly UpdatePiece[] {
	const { structs, ds } = Y.decodeUpdate(update);
	const items = structs.map(encodeItem);
	if (update.byteLength <= PIECE_BYTES_MAX)
		return [{ bytes: update, lastKey: lastKeyOf(items, isOwn) }];
	const groups = items.length === 0 ? [[]] : groupItems(items);
	return groups.map((group, at) => ({
		bytes: writeUpdate(group, at === groups.length - 1 ? encodeDeletions(ds) : undefined),
		lastKey: lastKeyOf(group, isOwn)
	}));
}

type Decoded = ReturnType<typeof Y.decodeUpdate>;

interface KeyedItem extends EncodedItem {
	readonly key: string | undefined;
}

function encodeItem(struct: Decoded['structs'][number]): KeyedItem {
	const encoder = new Y.UpdateEncoderV1();
	struct.write(encoder, 0);
	const key = struct instanceof Y.Item ? (struct.parentSub ?? undefined) : undefined;
	const { client, clock } = struct.id;
	return { client, clock, key, bytes: encoder.toUint8Array() };
}

function encodeDeletions({ clients }: Decoded['ds']): Uint8Array {
	const encoder = encoding.createEncoder();
	encoding.writeVarUint(encoder, clients.size);
	for (const [client, deletions] of clients) {
		encoding.writeVarUint(encoder, client);
		encoding.writeVarUint(encoder, deletions.length);
		for (const { clock, len } of deletions) {
			encoding.writeVarUint(encoder, clock);
			encoding.writeVarUint(encoder, len);
		}
	}
	return encoding.toUint8Array(encoder);
}

function lastKeyOf(
	items: readonly KeyedItem[],
	isOwn: (key: string) => boolean
): string | undefined {
	return items.findLast(({ key }) => key !== undefined && isOwn(key))?.key;
}
