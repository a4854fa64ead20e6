import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { UNMEASURED_BYTES_MAX } from './guard.ts';

/** What was made and is not read yet, of all who asked; or what is being sent to us and is not answered. */
export interface Answers {
	/** Counts an answer, or a body, until its line is done with it. */
	hold(scope: string, bytes: number, line: Line): void;
}

export type Line = Pick<HttpBindings['outgoing'], 'closed' | 'destroy' | 'once' | 'setTimeout'>;

export interface AnswerFigures {
	/** Of all together. */
	readonly bytes: number;
	/** A line that stands still for so long is cut off. */
	readonly stillMs: number;
}

const FIGURES: AnswerFigures = { bytes: 128 * 1024 * 1024, stillMs: 30_000 };
/** API-49. By then a body is there, and nobody waits longer for what is answered. */
const BODY_FIGURES: AnswerFigures = { bytes: 128 * 1024 * 1024, stillMs: 90_000 };
/** What a line weighs, however short its answer is. */
const LINE_BYTES = 16 * 1024;

interface Held {
	bytes: number;
	/** The oldest first. */
	readonly lines: Map<Line, number>;
}

/**
 * API-54. Who asks and does not read holds memory and no turn. Where all have too much of it, the oldest answer of
 * the business or person that has the most is cut off: who is cut off asks again.
 */
export function createAnswers({ bytes: most, stillMs }: AnswerFigures = FIGURES): Answers {
	const heldByScope = new Map<string, Held>();
	let all = 0;

	function release(scope: string, line: Line): void {
		const held = heldByScope.get(scope);
		const bytes = held?.lines.get(line);
		if (held === undefined || bytes === undefined) return;
		held.lines.delete(line);
		held.bytes -= bytes;
		all -= bytes;
		if (held.lines.size === 0) heldByScope.delete(scope);
	}

	function cutOne(): void {
		const [scope, held] = Array.from(heldByScope).reduce((largest, one) =>
			one[1].bytes > largest[1].bytes ? one : largest
		);
		for (const line of held.lines.keys()) {
			release(scope, line);
			line.destroy();
			return;
		}
	}

	return {
		hold: (scope, bytes, line) => {
			if (line.closed) return;
			const held = heldByScope.get(scope) ?? { bytes: 0, lines: new Map<Line, number>() };
			heldByScope.set(scope, held);
			held.lines.set(line, bytes + LINE_BYTES);
			held.bytes += bytes + LINE_BYTES;
			all += bytes + LINE_BYTES;
			line.once('close', () => {
				release(scope, line);
			});
			// Without a listener the line is closed then.
			line.setTimeout(stillMs);
			while (all > most && heldByScope.size > 0) cutOne();
		}
	};
}

/**
 * API-49. What is being sent to us, counted as long as it says it is until it is answered: so nobody waits for
 * another's body, however many businesses send nothing of theirs.
 */
export function createBodies(): Answers {
	return createAnswers(BODY_FIGURES);
}

/** To be called before a byte of the body is read. */
export function holdBody(c: Context, scope: string, bodies: Answers): void {
	const outgoing = outgoingOf(c);
	if (outgoing === undefined) return;
	const length = Number(c.req.header('content-length'));
	bodies.hold(scope, Number.isSafeInteger(length) ? length : UNMEASURED_BYTES_MAX, outgoing);
}

/** Makes the answer whole, packed as it will be sent, so that nothing else of it is kept, and counts it. */
export async function holdAnswer(c: Context, scope: string, answers: Answers): Promise<void> {
	const outgoing = outgoingOf(c);
	if (outgoing === undefined || c.res.body === null) return;
	const bytes = new Uint8Array(await c.res.arrayBuffer());
	c.res = new Response(bytes, c.res);
	answers.hold(scope, bytes.length, outgoing);
}

/** A request that came by no line has none. */
function outgoingOf(c: Context): HttpBindings['outgoing'] | undefined {
	return (c.env as Partial<HttpBindings> | undefined)?.outgoing;
}
