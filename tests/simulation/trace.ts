import { createHash } from 'node:crypto';

/** All that happened in a run, in order, boiled down to one hash: the same seed gives the same. */
export interface Trace {
	readonly note: (...words: readonly (string | number)[]) => void;
	/** What was noted last, for a person who looks for the fault of a seed. */
	readonly tail: () => readonly string[];
	readonly digest: () => string;
}

export interface TraceOptions {
	/** How many lines are kept for `tail`. */
	readonly kept?: number;
	/** Hears every line. */
	readonly tell?: (line: string) => void;
}

/** Characters: hashing costs by the call. */
const HASHED_AT_ONCE = 65_536;

export function createTrace({ kept = 0, tell }: TraceOptions = {}): Trace {
	const hash = createHash('sha256');
	const lines: string[] = [];
	let unhashed = '';
	return {
		note: (...words) => {
			const line = words.join(' ');
			unhashed += `${line}\n`;
			if (unhashed.length >= HASHED_AT_ONCE) {
				hash.update(unhashed);
				unhashed = '';
			}
			tell?.(line);
			if (kept === 0) return;
			lines.push(line);
			if (lines.length > 2 * kept) lines.splice(0, lines.length - kept);
		},
		tail: () => lines.slice(-kept),
		digest: () => hash.copy().update(unhashed).digest('hex').slice(0, 16)
	};
}
