import * as encoding from 'lib0/encoding';

/** Writes what follows a struct's place in its client's list. */
export type HandStruct = (encoder: encoding.Encoder) => void;

/** Structs of one client from a clock on. */
export interface HandSection {
	readonly client: number;
	readonly clock: number;
	readonly structs: readonly HandStruct[];
}

export type HandDeletion = readonly [client: number, clock: number, length: number];

/** A Yjs update (V1) as Yjs itself would not write it. */
export function handUpdate(
	sections: readonly HandSection[],
	deletions: readonly HandDeletion[] = []
): Uint8Array {
	const encoder = encoding.createEncoder();
	encoding.writeVarUint(encoder, sections.length);
	for (const { client, clock, structs } of sections) {
		encoding.writeVarUint(encoder, structs.length);
		encoding.writeVarUint(encoder, client);
		encoding.writeVarUint(encoder, clock);
		for (const write of structs) write(encoder);
	}
	encoding.writeVarUint(encoder, deletions.length);
	for (const [client, clock, length] of deletions) {
		for (const value of [client, 1, clock, length]) encoding.writeVarUint(encoder, value);
	}
	return encoding.toUint8Array(encoder);
}

const HAS_ORIGIN = 0b1000_0000;
const HAS_KEY = 0b0010_0000;

/** What stands under a key of a root: the content's number and its bytes. */
function item(
	key: string,
	content: number,
	{ root = 'f', write }: { readonly root?: string; readonly write: HandStruct }
): HandStruct {
	return (encoder) => {
		encoding.writeUint8(encoder, content | HAS_KEY);
		encoding.writeVarUint(encoder, 1);
		encoding.writeVarString(encoder, root);
		encoding.writeVarString(encoder, key);
		write(encoder);
	};
}

const CONTENT_TYPE = 7;
const CONTENT_ANY = 8;
const Y_MAP = 1;
const ANY_LIST = 117;
const ANY_UNDEFINED = 127;

export function textUnder(key: string, text: string, root = 'f'): HandStruct {
	return item(key, CONTENT_ANY, {
		root,
		write: (encoder) => {
			encoding.writeVarUint(encoder, 1);
			encoding.writeAny(encoder, text);
		}
	});
}

/** A text of these bytes, be they UTF-8 or not. */
export function bytesUnder(key: string, bytes: Uint8Array): HandStruct {
	return item(key, CONTENT_ANY, {
		write: (encoder) => {
			encoding.writeVarUint(encoder, 1);
			encoding.writeUint8(encoder, 119);
			encoding.writeVarUint8Array(encoder, bytes);
		}
	});
}

/** A text that stands behind another item, and so under that one's key. */
export function textBehind([client, clock]: readonly [number, number], text: string): HandStruct {
	return (encoder) => {
		encoding.writeUint8(encoder, CONTENT_ANY | HAS_ORIGIN | HAS_KEY);
		encoding.writeVarUint(encoder, client);
		encoding.writeVarUint(encoder, clock);
		encoding.writeVarUint(encoder, 1);
		encoding.writeAny(encoder, text);
	};
}

/** What is left of an item whose content is gone. */
export function deletedUnder(key: string, length = 1): HandStruct {
	return item(key, 1, {
		write: (encoder) => {
			encoding.writeVarUint(encoder, length);
		}
	});
}

/** Lists in lists, so many. */
export function nestedUnder(key: string, depth: number): HandStruct {
	return item(key, CONTENT_ANY, {
		write: (encoder) => {
			encoding.writeVarUint(encoder, 1);
			for (let at = 0; at < depth; at += 1) {
				encoding.writeUint8(encoder, ANY_LIST);
				encoding.writeVarUint(encoder, 1);
			}
			encoding.writeUint8(encoder, ANY_UNDEFINED);
		}
	});
}

/** A map under a key, and in it a map, and so on: structs for clocks 0, 1, 2 … of the client. */
export function nestedMaps(key: string, client: number, depth: number): readonly HandStruct[] {
	const first = item(key, CONTENT_TYPE, {
		write: (encoder) => {
			encoding.writeVarUint(encoder, Y_MAP);
		}
	});
	const inner = Array.from({ length: depth - 1 }, (_none, at): HandStruct => (encoder) => {
		encoding.writeUint8(encoder, CONTENT_TYPE | HAS_KEY);
		encoding.writeVarUint(encoder, 0);
		encoding.writeVarUint(encoder, client);
		encoding.writeVarUint(encoder, at);
		encoding.writeVarString(encoder, 'm');
		encoding.writeVarUint(encoder, Y_MAP);
	});
	return [first, ...inner];
}

/** What Yjs leaves of what nobody can see any more. */
export function gc(length: number): HandStruct {
	return (encoder) => {
		encoding.writeUint8(encoder, 0);
		encoding.writeVarUint(encoder, length);
	};
}

/** A hole. */
export function skip(length: number): HandStruct {
	return (encoder) => {
		encoding.writeUint8(encoder, 10);
		encoding.writeVarUint(encoder, length);
	};
}
