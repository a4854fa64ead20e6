import type { Context, MiddlewareHandler } from 'hono';
import { createAnswers, createBodies, holdAnswer, holdBody, type Answers } from './answers.ts';
import { problem, refusal } from './problem.ts';

/**
 * API-46. Who reads a lot has its turn with others: a few reads of one business or person at a time, a
 * few more of all, so that connections to the database are left for whoever writes.
 */
export interface ReadTurns {
	/** Resolves when it is the scope's turn, with what ends it; undefined where too many of it wait. */
	take(scope: string): Promise<(() => void) | undefined>;
	/** Where what they end with is held until it is read. */
	readonly answers?: Answers;
}

export interface TurnFigures {
	readonly all: number;
	readonly scope: number;
	/** Of one scope, beside those that are served. */
	readonly waiting: number;
}

/** What is read piece by piece. */
const PIECE_TURNS: TurnFigures = { all: 10, scope: 4, waiting: 250 };
/** What goes through all that a business has. */
const WHOLE_TURNS: TurnFigures = { all: 2, scope: 1, waiting: 20 };
/** What is being sent to us: it holds memory alone, of which whoever has the most gives way. */
const BODY_TURNS: TurnFigures = { all: Infinity, scope: 4, waiting: 250 };

interface Reading {
	count: number;
	readonly waiting: (() => void)[];
}

export function createReadTurns({ all, scope: ofScope, waiting: most }: TurnFigures): ReadTurns {
	/** In the order in which they have their next turn. */
	const readings = new Map<string, Reading>();
	let count = 0;

	function begin(scope: string, reading: Reading): () => void {
		count += 1;
		reading.count += 1;
		// Behind all others now.
		readings.delete(scope);
		readings.set(scope, reading);
		return () => {
			count -= 1;
			reading.count -= 1;
			if (reading.count === 0 && reading.waiting.length === 0) readings.delete(scope);
			next();
		};
	}
	/** Of those that wait, whoever is served least, and of these whose last turn is longest ago. */
	function next(): void {
		let least: Reading | undefined;
		for (const reading of readings.values()) {
			if (reading.waiting.length === 0 || reading.count >= ofScope) continue;
			if (reading.count < (least?.count ?? ofScope)) least = reading;
		}
		if (count < all) least?.waiting.shift()?.();
	}
	return {
		take: (scope) => {
			const reading = readings.get(scope) ?? { count: 0, waiting: [] };
			readings.set(scope, reading);
			if (count < all && reading.count < ofScope) return Promise.resolve(begin(scope, reading));
			if (reading.waiting.length >= most) return Promise.resolve(undefined);
			return new Promise((resolve) => {
				reading.waiting.push(() => {
					resolve(begin(scope, reading));
				});
			});
		}
	};
}

/** The turns of one server, for all its routes. */
export interface Reads {
	readonly pieces: ReadTurns;
	readonly whole: ReadTurns;
	readonly bodies: ReadTurns;
	/** What lies in memory of all that is being sent. */
	readonly sent: Answers;
}

export function createReads(): Reads {
	const answers = createAnswers();
	return {
		pieces: { ...createReadTurns(PIECE_TURNS), answers },
		whole: { ...createReadTurns(WHOLE_TURNS), answers },
		bodies: createReadTurns(BODY_TURNS),
		sent: createBodies()
	};
}

export interface ReadParts {
	readonly reads: Reads;
}

interface Called {
	readonly Variables: { readonly caller: { readonly scope: string } };
}

const AGAIN_MS = 1_000;

/** Waits for the caller's turn; to be put behind the proof of who calls. */
export function inTurn<E extends Called>(turnsOf: (c: Context) => ReadTurns): MiddlewareHandler<E> {
	return async (c, next) => {
		const { scope } = (c.var as Called['Variables']).caller;
		const turns = turnsOf(c);
		const end = await turns.take(scope);
		if (end === undefined) {
			return problem(c, refusal('tooManyAttempts', { retryAfterMs: AGAIN_MS }));
		}
		try {
			await next();
			if (turns.answers !== undefined) await holdAnswer(c, scope, turns.answers);
			return undefined;
		} finally {
			end();
		}
	};
}

/**
 * API-49. To be put before the turn of what is read with a body: a line that sends slowly, or nothing
 * more, holds up its own business or person alone.
 */
export function bodyFirst<E extends Called>({
	bodies,
	sent
}: Reads): readonly MiddlewareHandler<E>[] {
	return [
		inTurn(() => bodies),
		async (c, next) => {
			holdBody(c, (c.var as Called['Variables']).caller.scope, sent);
			// It is kept there for whoever reads it then.
			await c.req.arrayBuffer();
			return next();
		}
	];
}
