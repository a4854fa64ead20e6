import { isDeepStrictEqual } from 'node:util';
import { effectsOf } from '#domain/fact/effects.ts';
import { encodeFact } from '#domain/fact/encode-fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { parseFactId } from '#domain/ids.ts';
import { assert } from '#domain/assert.ts';
import { decodeClientFrame, encodeStep1, encodeStep2, encodeUpdate } from '#sync/frames.ts';
import { parseUpdate } from '#server/relay/update-parser.ts';
import { readNames } from '#server/relay/update-names.ts';
import { composeUpdate } from './compose.ts';
import { CODE, createCorpus, type Corpus } from './corpus.ts';
import { createDraw, mutateBytes, mutateText, pick, type Draw } from './mutate.ts';
import { createWall, TRUSTING_CRYPTO, type Wall } from './wall.ts';

/** What is thrown at which part of the relay's wall. */
export const TARGETS = ['parser', 'frame', 'fact', 'wall', 'restored'] as const;
type Target = (typeof TARGETS)[number];

export interface Tally {
	tried: number;
	accepted: number;
	refused: number;
	crashed: number;
}

export interface Crash {
	readonly target: Target;
	/** The input's bytes; a fact's in UTF-8. */
	readonly input: Uint8Array;
	readonly fault: unknown;
}

export interface FuzzReport {
	readonly tallies: Readonly<Record<Target, Tally>>;
	readonly crashes: readonly Crash[];
}

export interface FuzzOptions {
	readonly seed: number;
	/** Asked before each input, with how many were tried. */
	readonly goesOn: (tried: number) => boolean;
}

/** What takes longer than this is as bad as what throws, ms. */
const HANG_MS = 2_000;
const CRASHES_MAX = 10;
/** A document that has grown to so many keys is begun anew. */
const KEYS_MAX = 60;

/** Tries inputs, each made from the seed alone, until `goesOn` says no or too many crashed. */
export async function fuzz({ seed, goesOn }: FuzzOptions): Promise<FuzzReport> {
	const corpus = await createCorpus(TRUSTING_CRYPTO);
	const draw = createDraw(seed);
	const walls = { wall: createWall(corpus, PLAIN), restored: createWall(corpus, RESTORED) };
	const tallies = Object.fromEntries(
		TARGETS.map((target) => [target, { tried: 0, accepted: 0, refused: 0, crashed: 0 }])
	) as Record<Target, Tally>;
	const crashes: Crash[] = [];
	for (let tried = 0; goesOn(tried) && crashes.length < CRASHES_MAX; tried += 1) {
		const target = pick(draw, TARGETS_DRAWN);
		const input = inputOf(target, { corpus, walls, draw });
		const tally = tallies[target];
		tally.tried += 1;
		try {
			const startedAt = performance.now();
			tally[await throwAt(target, input, walls)] += 1;
			assert(performance.now() - startedAt < HANG_MS, 'it takes no longer than it may');
		} catch (fault) {
			tally.crashed += 1;
			crashes.push({ target, input, fault });
			renew(walls, corpus);
		}
		if (walls.wall.size() > KEYS_MAX || walls.restored.size() > KEYS_MAX) renew(walls, corpus);
	}
	return { tallies, crashes };
}

const PLAIN = { isRestored: false };
const RESTORED = { isRestored: true };
const TARGETS_DRAWN = [
	'parser',
	'frame',
	'fact',
	'fact',
	'wall',
	'wall',
	'wall',
	'restored'
] as const;

interface Walls {
	wall: Wall;
	restored: Wall;
}

function renew(walls: Walls, corpus: Corpus): void {
	walls.wall = createWall(corpus, PLAIN);
	walls.restored = createWall(corpus, RESTORED);
}

interface Making {
	readonly corpus: Corpus;
	readonly walls: Walls;
	readonly draw: Draw;
}

function inputOf(target: Target, { corpus, walls, draw }: Making): Uint8Array {
	switch (target) {
		case 'fact':
			return new TextEncoder().encode(factOf(corpus, draw));
		case 'parser':
			return bytesOf(corpus, draw);
		case 'frame':
			return frameOf(corpus, draw);
		default: {
			if (draw(3) === 0) return bytesOf(corpus, draw);
			const { clockOf } = walls[target];
			const composed = composeUpdate({ facts: corpus.facts, clockOf }, draw);
			return draw(5) === 0 ? mutateBytes(composed, bytesOf(corpus, draw), draw) : composed;
		}
	}
}

function bytesOf({ updates }: Corpus, draw: Draw): Uint8Array {
	const [one = EMPTY, other = EMPTY] = [pick(draw, updates), pick(draw, updates)];
	return draw(20) === 0 ? one : mutateBytes(one, other, draw);
}

function factOf({ facts }: Corpus, draw: Draw): string {
	const text = pick(draw, facts)?.(CODE, 1 + draw(2_000)) ?? '';
	return draw(20) === 0 ? text : mutateText(text, draw);
}

function frameOf(corpus: Corpus, draw: Draw): Uint8Array {
	const update = bytesOf(corpus, draw);
	const vector = new Map(Array.from({ length: draw(6) }, () => [draw(2 ** 30), draw(2 ** 30)]));
	const frame = pick(draw, [encodeUpdate(update), encodeStep2(update), encodeStep1(vector)]);
	return draw(3) === 0 ? frame : mutateBytes(frame, update, draw);
}

const EMPTY = new Uint8Array();

/** Throws where the part threw, or let through what it should not have. */
async function throwAt(
	target: Target,
	input: Uint8Array,
	walls: Walls
): Promise<'accepted' | 'refused'> {
	switch (target) {
		case 'parser':
			for (const name of readNames(input)) assert(parseFactId(name).ok, 'a name is a fact’s id');
			return parseUpdate(input).ok ? 'accepted' : 'refused';
		case 'frame':
			return decodeClientFrame(input) === undefined ? 'refused' : 'accepted';
		case 'fact':
			return throwFact(new TextDecoder().decode(input));
		default:
			return walls[target].try(input);
	}
}

/**
 * What is read as a fact is written as it came, and can be folded. One that was issued again may name the
 * same fact by its old name and its new one: that is written otherwise, and means the same.
 */
function throwFact(text: string): 'accepted' | 'refused' {
	const parsed = parseFact(text);
	if (!parsed.ok) return 'refused';
	const fact = parsed.value;
	const written = encodeFact(fact);
	if (fact.renamed === undefined) assert(written === text, 'a fact has one text');
	else
		assert(isDeepStrictEqual(parseFact(written), parsed), 'a fact that is written means the same');
	effectsOf(fact);
	return 'accepted';
}
