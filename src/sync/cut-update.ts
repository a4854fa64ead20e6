import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import { PIECE_BYTES_MAX } from './limits.ts';

/** Part of an update, itself an update: applied in order, the parts are the whole. */
export interface UpdatePiece {
	readonly bytes: Uint8Array;
	/** The key that its last item stands under; undefined where it says none. */
	readonly lastKey: string | undefined;
}

/** Count, client and clock, each at its longest. */
const CLIENT_HEADER_BYTES = 24;
const NO_DELETIONS = Uint8Array.of(0);

/**
 * SYNC-7. Cuts an update (Yjs format V1) into updates of at most 32 kB, or of one item where that is
 * larger, in the order in which it names its items. Deletions go with the last, when all that they
 * may speak of is there. Throws where the bytes are no update.
 */
export function cutUpdate(update: Uint8Array): readonly UpdatePiece[] {
	const { structs, ds } = Y.decodeUpdate(update);
	const items = structs.map(encodeItem);
	if (update.byteLength <= PIECE_BYTES_MAX) return [{ bytes: update, lastKey: lastKeyOf(items) }];
	const groups = groupItems(items);
	return groups.map((group, at) => ({
		bytes: writeUpdate(group, at === groups.length - 1 ? encodeDeletions(ds) : NO_DELETIONS),
		lastKey: lastKeyOf(group)
	}));
}

type Decoded = ReturnType<typeof Y.decodeUpdate>;

interface EncodedItem {
	readonly client: number;
	readonly clock: number;
	readonly key: string | undefined;
	/** Yjs writes an item without its clock, so these bytes stand wherever the one before it ends. */
	readonly bytes: Uint8Array;
}

function encodeItem(struct: Decoded['structs'][number]): EncodedItem {
	const encoder = new Y.UpdateEncoderV1();
	struct.write(encoder, 0);
	const key = struct instanceof Y.Item ? (struct.parentSub ?? undefined) : undefined;
	const { client, clock } = struct.id;
	return { client, clock, key, bytes: encoder.toUint8Array() };
}

function groupItems(items: readonly EncodedItem[]): readonly (readonly EncodedItem[])[] {
	const groups: EncodedItem[][] = [[]];
	let held = 0;
	for (const item of items) {
		const bytes = item.bytes.byteLength + CLIENT_HEADER_BYTES;
		if (held > 0 && held + bytes > PIECE_BYTES_MAX) {
			groups.push([]);
			held = 0;
		}
		groups.at(-1)?.push(item);
		held += bytes;
	}
	return groups;
}

/** Items of one client follow each other, as they did in the update that was cut. */
function writeUpdate(items: readonly EncodedItem[], deletions: Uint8Array): Uint8Array {
	const byClient = new Map<number, EncodedItem[]>();
	for (const item of items) {
		const sameClient = byClient.get(item.client);
		if (sameClient === undefined) byClient.set(item.client, [item]);
		else sameClient.push(item);
	}
	const encoder = encoding.createEncoder();
	encoding.writeVarUint(encoder, byClient.size);
	for (const [client, ofClient] of byClient) {
		encoding.writeVarUint(encoder, ofClient.length);
		encoding.writeVarUint(encoder, client);
		encoding.writeVarUint(encoder, ofClient[0]?.clock ?? 0);
		for (const { bytes } of ofClient) encoding.writeUint8Array(encoder, bytes);
	}
	encoding.writeUint8Array(encoder, deletions);
	return encoding.toUint8Array(encoder);
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

function lastKeyOf(items: readonly EncodedItem[]): string | undefined {
	return items.findLast(({ key }) => key !== undefined)?.key;
}
