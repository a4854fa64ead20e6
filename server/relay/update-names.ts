import * as decoding from 'lib0/decoding';
import { parseFactId } from '#domain/ids.ts';
import { FRAME_BYTES_MAX, FRAME_FACTS_MAX } from '#sync/limits.ts';
import type { ParsedUpdate } from './update-parser.ts';

/**
 * RELAY-50. The fact ids under which a refused update would write, as far as it can be read: whoever
 * sent it hears which of his facts did not come in. Never throws; keys that are no ids are left out.
 * Nothing is read beyond the bytes of a frame, nor behind what nests deeper than any text.
 */
export function readNames(bytes: Uint8Array): readonly string[] {
	const names = new Set<string>();
	const decoder = decoding.createDecoder(bytes.subarray(0, FRAME_BYTES_MAX));
	try {
		for (let left = decoding.readVarUint(decoder); left > 0; left -= 1) {
			readClient(decoder, names);
			if (names.size >= FRAME_FACTS_MAX) break;
		}
	} catch {
		// What was read so far is what can be named.
	}
	return [...names];
}

/** The same of an update that could be read and was refused as a whole. */
export function namesOf({ items }: ParsedUpdate): readonly string[] {
	return factIdsIn(items.flatMap(({ key }) => key ?? []));
}

/** Of these keys those that are ids of facts, each once. */
export function factIdsIn(keys: readonly string[]): readonly string[] {
	return Array.from(new Set(keys.filter((key) => parseFactId(key).ok)));
}

function readClient(decoder: decoding.Decoder, names: Set<string>): void {
	const structs = decoding.readVarUint(decoder);
	decoding.readVarUint(decoder);
	decoding.readVarUint(decoder);
	for (let left = structs; left > 0 && names.size < FRAME_FACTS_MAX; left -= 1) {
		readStruct(decoder, names);
	}
}

const HAS_ORIGIN = 0b1000_0000;
const HAS_RIGHT_ORIGIN = 0b0100_0000;
const HAS_KEY = 0b0010_0000;
const CONTENT = 0b0001_1111;
const GC = 0;
const SKIP = 10;

/** Passes over one struct of whatever kind; takes its key first, where it names one that is an id. */
function readStruct(decoder: decoding.Decoder, names: Set<string>): void {
	const info = decoding.readUint8(decoder);
	const kind = info & CONTENT;
	if (kind === GC || kind === SKIP) {
		decoding.readVarUint(decoder);
		return;
	}
	if ((info & HAS_ORIGIN) !== 0) skipItemId(decoder);
	if ((info & HAS_RIGHT_ORIGIN) !== 0) skipItemId(decoder);
	const key = (info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN)) === 0 ? readPlace(decoder, info) : undefined;
	if (key !== undefined && parseFactId(key).ok) names.add(key);
	const skipContent = CONTENTS[kind];
	if (skipContent === undefined) throw UNREADABLE;
	skipContent(decoder);
}

const UNREADABLE = new Error('no content that is worth passing over');

function readPlace(decoder: decoding.Decoder, info: number): string | undefined {
	if (decoding.readVarUint(decoder) === 1) skipBytes(decoder);
	else skipItemId(decoder);
	return (info & HAS_KEY) === 0 ? undefined : decoding.readVarString(decoder);
}

type Skip = (decoder: decoding.Decoder) => void;

/** By Yjs's numbers: deleted, JSON, bytes, text, embed, format, type, any, document. */
const CONTENTS: Readonly<Record<number, Skip>> = {
	1: (decoder) => decoding.readVarUint(decoder),
	2: (decoder) => {
		for (let left = decoding.readVarUint(decoder); left > 0; left -= 1) skipBytes(decoder);
	},
	3: skipBytes,
	4: skipBytes,
	5: skipBytes,
	6: (decoder) => {
		skipBytes(decoder);
		skipBytes(decoder);
	},
	7: (decoder) => {
		// An XML element and an XML hook have a name.
		const type = decoding.readVarUint(decoder);
		if (type === 3 || type === 5) skipBytes(decoder);
	},
	8: (decoder) => {
		for (let left = decoding.readVarUint(decoder); left > 0; left -= 1) skipAny(decoder);
	},
	9: (decoder) => {
		skipBytes(decoder);
		skipAny(decoder);
	}
};

function skipItemId(decoder: decoding.Decoder): void {
	decoding.readVarUint(decoder);
	decoding.readVarUint(decoder);
}

/** Passes over a text or bytes with their length before them, without making a copy. */
function skipBytes(decoder: decoding.Decoder): void {
	skip(decoder, decoding.readVarUint(decoder));
}

function skip(decoder: decoding.Decoder, length: number): void {
	if (decoder.pos + length > decoder.arr.byteLength) throw UNREADABLE;
	decoder.pos += length;
}

/** What Yjs itself writes of a shop's facts nests not at all; a level costs its sender two bytes. */
const DEPTH_MAX = 64;

/**
 * Passes over one value of lib0's `any`, by a list of what is open and not by calling itself: how deep
 * it nests is the sender's choice, and up to where one follows is ours.
 */
function skipAny(decoder: decoding.Decoder): void {
	const open: { left: number; readonly isObject: boolean }[] = [{ left: 1, isObject: false }];
	for (let inner = open.at(-1); inner !== undefined; inner = open.at(-1)) {
		if (inner.left === 0) {
			open.pop();
			continue;
		}
		inner.left -= 1;
		if (inner.isObject) skipBytes(decoder);
		const isObject = skipScalar(decoder);
		if (isObject === undefined) continue;
		if (open.length >= DEPTH_MAX) throw UNREADABLE;
		open.push({ left: decoding.readVarUint(decoder), isObject });
	}
}

/** Undefined where it was one; else whether what opens here is an object or a list. */
function skipScalar(decoder: decoding.Decoder): boolean | undefined {
	const type = decoding.readUint8(decoder);
	if (type === 118) return true;
	if (type === 117) return false;
	if (type === 125) decoding.readVarInt(decoder);
	else if (type === 119 || type === 116) skipBytes(decoder);
	else skip(decoder, SCALAR_BYTES[type] ?? 0);
	return undefined;
}

/** 32-bit float, 64-bit float, 64-bit whole number; the others have none. */
const SCALAR_BYTES: Readonly<Record<number, number>> = { 124: 4, 123: 8, 122: 8 };
