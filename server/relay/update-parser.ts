import * as decoding from 'lib0/decoding';
import { err, ok, type Result } from '#domain/result.ts';
import { FRAME_FACTS_MAX, FRAME_BYTES_MAX } from '#sync/limits.ts';

/** One Yjs item as a device may write it: one text (or what is left of a twin) under one key. */
export interface UpdateItem {
	readonly client: number;
	readonly clock: number;
	/** The key under the root map; undefined where the item stands to the right of `origin` instead. */
	readonly key: string | undefined;
	readonly origin: ItemId | undefined;
	/** Undefined where Yjs threw the content of a lost twin away. */
	readonly text: string | undefined;
	/** The item as it came: Yjs writes an item without its clock, so it can be put anywhere. */
	readonly bytes: Uint8Array;
}

export interface ItemId {
	readonly client: number;
	readonly clock: number;
}

export interface Deletion extends ItemId {
	readonly length: number;
}

export interface ParsedUpdate {
	readonly items: readonly UpdateItem[];
	readonly deletions: readonly Deletion[];
}

export type UpdateRefusal = 'tooLarge' | 'malformed';

/**
 * RELAY-1. Reads an update (Yjs format V1) before Yjs sees a byte of it, and refuses all that is not texts
 * under the root map `f`: other contents, other roots, nesting, GC, Skip, right origins, a client
 * named twice, numbers that do not count exactly, bytes behind the end. Never throws; its work is
 * bounded by the bytes it is given.
 */
export function parseUpdate(bytes: Uint8Array): Result<ParsedUpdate, UpdateRefusal> {
	if (bytes.byteLength > FRAME_BYTES_MAX) return err('tooLarge');
	try {
		const decoder = decoding.createDecoder(bytes);
		const items = readItems(decoder);
		const deletions = readDeletions(decoder);
		return decoder.pos === bytes.byteLength ? ok({ items, deletions }) : err('malformed');
	} catch (fault) {
		return err(fault === TOO_MANY ? 'tooLarge' : 'malformed');
	}
}

const ROOT = 'f';
const HAS_ORIGIN = 0b1000_0000;
const HAS_RIGHT_ORIGIN = 0b0100_0000;
const HAS_KEY = 0b0010_0000;
const CONTENT = 0b0001_1111;
const CONTENT_DELETED = 1;
const CONTENT_ANY = 8;
const ANY_STRING = 119;

/** Thrown here and by lib0 at the end of the bytes; caught in `parseUpdate` and nowhere else. */
const MALFORMED = new Error('not an update that a device may send');
const TOO_MANY = new Error('more facts than one message may hold');

/** A number that counts exactly. The library lets one of 57 bits pass, over which Yjs then stumbles. */
function readNumber(decoder: decoding.Decoder): number {
	const number = decoding.readVarUint(decoder);
	if (!Number.isSafeInteger(number)) throw MALFORMED;
	return number;
}

function readItems(decoder: decoding.Decoder): readonly UpdateItem[] {
	const items: UpdateItem[] = [];
	const clients = new Set<number>();
	for (let left = readNumber(decoder); left > 0; left -= 1) {
		const count = readNumber(decoder);
		const client = readNumber(decoder);
		const clock = readNumber(decoder);
		if (items.length + count > FRAME_FACTS_MAX) throw TOO_MANY;
		// Yjs would let the second list of a client hide the first.
		if (count === 0 || clients.has(client) || !Number.isSafeInteger(clock + count)) throw MALFORMED;
		clients.add(client);
		for (let at = 0; at < count; at += 1) {
			items.push(readItem(decoder, { client, clock: clock + at }));
		}
	}
	return items;
}

function readItem(decoder: decoding.Decoder, { client, clock }: ItemId): UpdateItem {
	const start = decoder.pos;
	const info = decoding.readUint8(decoder);
	if ((info & HAS_RIGHT_ORIGIN) !== 0 || (info & HAS_KEY) === 0) throw MALFORMED;
	const hasOrigin = (info & HAS_ORIGIN) !== 0;
	const origin = hasOrigin ? readItemId(decoder) : undefined;
	const key = hasOrigin ? undefined : readKey(decoder);
	const text = readText(decoder, info & CONTENT);
	// `slice`, not `subarray`: a stored item must not hold a whole message in memory.
	return { client, clock, key, origin, text, bytes: decoder.arr.slice(start, decoder.pos) };
}

function readItemId(decoder: decoding.Decoder): ItemId {
	return { client: readNumber(decoder), clock: readNumber(decoder) };
}

function readKey(decoder: decoding.Decoder): string {
	const isRoot = readNumber(decoder) === 1;
	if (!isRoot || decoding.readVarString(decoder) !== ROOT) throw MALFORMED;
	return decoding.readVarString(decoder);
}

/** Exactly one value: a text, or nothing where it was deleted. Both take one tick of the clock. */
function readText(decoder: decoding.Decoder, content: number): string | undefined {
	if (content !== CONTENT_ANY && content !== CONTENT_DELETED) throw MALFORMED;
	if (readNumber(decoder) !== 1) throw MALFORMED;
	if (content === CONTENT_DELETED) return undefined;
	if (decoding.readUint8(decoder) !== ANY_STRING) throw MALFORMED;
	return decoding.readVarString(decoder);
}

function readDeletions(decoder: decoding.Decoder): readonly Deletion[] {
	const deletions: Deletion[] = [];
	let total = 0;
	for (let clients = readNumber(decoder); clients > 0; clients -= 1) {
		const client = readNumber(decoder);
		for (let left = readNumber(decoder); left > 0; left -= 1) {
			const clock = readNumber(decoder);
			const length = readNumber(decoder);
			total += length;
			if (length === 0) throw MALFORMED;
			if (total > FRAME_FACTS_MAX) throw TOO_MANY;
			deletions.push({ client, clock, length });
		}
	}
	return deletions;
}
