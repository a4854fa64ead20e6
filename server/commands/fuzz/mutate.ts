import * as encoding from 'lib0/encoding';

/** A whole number below `limit`, the same for the same seed. */
export type Draw = (limit: number) => number;

/** Mulberry32: small, quick, and alike on every machine. */
export function createDraw(seed: number): Draw {
	let state = seed >>> 0;
	return (limit) => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
	};
}

export function pick<const T>(draw: Draw, from: readonly [T, ...T[]]): T;
export function pick<T>(draw: Draw, from: readonly T[]): T | undefined;
export function pick<T>(draw: Draw, from: readonly T[]): T | undefined {
	return from[draw(from.length)];
}

type Mutation = (bytes: Uint8Array, draw: Draw) => Uint8Array;

const EXTREMES: readonly number[] = [0, 1, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1];

const MUTATIONS: readonly [Mutation, ...Mutation[]] = [
	function flip(bytes, draw) {
		const changed = bytes.slice();
		const at = draw(changed.length);
		changed[at] = (changed[at] ?? 0) ^ (1 << draw(8));
		return changed;
	},
	function overwrite(bytes, draw) {
		const changed = bytes.slice();
		changed[draw(changed.length)] = draw(256);
		return changed;
	},
	function truncate(bytes, draw) {
		return bytes.slice(0, draw(bytes.length + 1));
	},
	function cutOut(bytes, draw) {
		const start = draw(bytes.length);
		return splice(bytes, start, { remove: 1 + draw(16) });
	},
	function repeat(bytes, draw) {
		const start = draw(bytes.length);
		const part = bytes.slice(start, start + 1 + draw(64));
		return splice(bytes, start, { insert: part });
	},
	/** A length or a count says something else than what follows. */
	function lie(bytes, draw) {
		const changed = bytes.slice();
		const at = draw(changed.length);
		changed[at] = Math.max(0, (changed[at] ?? 0) + draw(5) - 2) & 0xff;
		return changed;
	},
	function extreme(bytes, draw) {
		const encoder = encoding.createEncoder();
		encoding.writeVarUint(encoder, EXTREMES[draw(EXTREMES.length)] ?? 0);
		const insert = encoding.toUint8Array(encoder);
		return splice(bytes, draw(bytes.length + 1), { remove: draw(2), insert });
	},
	/** More bits than a whole number has, or one written longer than it needs. */
	function endless(bytes, draw) {
		const insert = new Uint8Array(1 + draw(12)).fill(draw(2) === 0 ? 0xff : 0x80);
		return splice(bytes, draw(bytes.length + 1), { remove: draw(2), insert });
	},
	function deepen(bytes, draw) {
		const insert = new Uint8Array(2 * (1 + draw(5_000)));
		for (let at = 0; at < insert.length; at += 2) insert.set([117, 1], at);
		return splice(bytes, draw(bytes.length + 1), { insert });
	}
];

/** One to four changes of the bytes, or a part of one input in another. */
export function mutateBytes(bytes: Uint8Array, other: Uint8Array, draw: Draw): Uint8Array {
	if (draw(8) === 0) {
		const tail = other.slice(draw(other.length + 1));
		return splice(bytes.slice(0, draw(bytes.length + 1)), bytes.length, { insert: tail });
	}
	let changed = bytes;
	for (let left = 1 + draw(4); left > 0; left -= 1) {
		if (changed.length === 0) return changed;
		changed = pick(draw, MUTATIONS)(changed, draw);
	}
	return changed;
}

function splice(
	bytes: Uint8Array,
	start: number,
	{
		remove = 0,
		insert = new Uint8Array()
	}: { readonly remove?: number; readonly insert?: Uint8Array }
): Uint8Array {
	const [before, after] = [bytes.slice(0, start), bytes.slice(start + remove)];
	const joined = new Uint8Array(before.length + insert.length + after.length);
	joined.set(before);
	joined.set(insert, before.length);
	joined.set(after, before.length + insert.length);
	return joined;
}

type TextMutation = (text: string, draw: Draw) => string;

const TOKENS: readonly [string, ...string[]] = [
	...([
		'"__proto__":{},',
		'"constructor":1,',
		'null',
		'-1',
		'1e400',
		'0.1',
		'-0',
		'{}',
		'[]'
	] as const),
	...([
		'9007199254740993',
		'10000000000001',
		'"\\ud83d"',
		'"\\u0000"',
		'"\ud83d"',
		'🛍',
		','
	] as const),
	...([
		'"B-1"',
		'"0.4-1"',
		'"p1-1"',
		'["B-5","A-1"]',
		'["B-5","A-1",["A-1","A-2"]]',
		'["B-5","A-1",["A-1","p1-1"]]',
		'["B-5","A-1",["A-2","0.4-1"]]',
		' '
	] as const)
];

const TEXT_MUTATIONS: readonly [TextMutation, ...TextMutation[]] = [
	(text, draw) => put(text, draw(text.length + 1), { insert: pick(draw, TOKENS) }),
	(text, draw) => put(text, draw(text.length + 1), { remove: 1 + draw(8) }),
	(text, draw) => {
		const start = draw(text.length);
		return put(text, start, { insert: text.slice(start, start + 1 + draw(40)) });
	},
	(text, draw) =>
		put(text, draw(text.length), { remove: 1, insert: String.fromCharCode(draw(0x10000)) }),
	/** One value, one name or one number becomes another. */
	(text, draw) => {
		const parts = Array.from(text.matchAll(/"[^"]*"|-?\d+|true|false/g));
		const part = pick(draw, parts);
		if (part === undefined) return text;
		const insert = draw(2) === 0 ? pick(draw, TOKENS) : (pick(draw, parts)?.[0] ?? '');
		return put(text, part.index, { remove: part[0].length, insert });
	},
	(text, draw) => {
		const depth = 1 + draw(20_000);
		const insert = draw(2) === 0 ? '['.repeat(depth) + ']'.repeat(depth) : nestedObject(depth);
		const values = Array.from(text.matchAll(/"[^"]*"|-?\d+/g));
		const value = pick(draw, values);
		return value === undefined ? text : put(text, value.index, { remove: value[0].length, insert });
	}
];

export function mutateText(text: string, draw: Draw): string {
	let changed = text;
	for (let left = 1 + draw(3); left > 0; left -= 1) {
		changed = pick(draw, TEXT_MUTATIONS)(changed, draw);
	}
	return changed;
}

function nestedObject(depth: number): string {
	return `${'{"a":'.repeat(depth)}0${'}'.repeat(depth)}`;
}

function put(
	text: string,
	start: number,
	{ remove = 0, insert = '' }: { readonly remove?: number; readonly insert?: string }
): string {
	return text.slice(0, start) + insert + text.slice(start + remove);
}
