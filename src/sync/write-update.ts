import { putBytes, putVarUint, varUintLength } from './exact-bytes.ts';
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
	const runs = runsOf(items);
	// Counted first: a buffer that grows would be made and copied several times for each update.
	let length = varUintLength(runs.length) + deletions.byteLength;
	for (const run of runs) length += runLength(run);
	const update = new Uint8Array(length);
	let end = putVarUint(update, 0, runs.length);
	for (const run of runs) end = putRun(update, end, run);
	putBytes(update, end, deletions);
	return update;
}

/** The items of each client, in the order in which the clients come first. */
function runsOf(items: readonly EncodedItem[]): readonly (readonly EncodedItem[])[] {
	const client = items[0]?.client;
	if (client === undefined) return [];
	if (items.every((item) => item.client === client)) return [items];
	const runByClient = new Map<number, EncodedItem[]>();
	for (const item of items) {
		const run = runByClient.get(item.client);
		if (run === undefined) runByClient.set(item.client, [item]);
		else run.push(item);
	}
	return [...runByClient.values()];
}

function runLength(run: readonly EncodedItem[]): number {
	const { client, clock } = startOf(run);
	let length = varUintLength(run.length) + varUintLength(client) + varUintLength(clock);
	for (const { bytes } of run) length += bytes.byteLength;
	return length;
}

function putRun(update: Uint8Array, at: number, run: readonly EncodedItem[]): number {
	const { client, clock } = startOf(run);
	let end = putVarUint(update, at, run.length);
	end = putVarUint(update, end, client);
	end = putVarUint(update, end, clock);
	for (const { bytes } of run) end = putBytes(update, end, bytes);
	return end;
}

function startOf([first]: readonly EncodedItem[]): Pick<EncodedItem, 'client' | 'clock'> {
	return first ?? { client: 0, clock: 0 };
}
