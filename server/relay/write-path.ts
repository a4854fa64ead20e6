import { isDatabaseGone } from '#server/database/connect.ts';
import { isWentBack } from '#server/database/went-back.ts';
import { FRAME_BYTES_MAX } from '#sync/limits.ts';
import { writeBatch, type BatchParts, type Written } from './batch.ts';
import type { Decision } from './decide.ts';
import type { Submission } from './submission.ts';
import type { ParsedUpdate } from './update-parser.ts';

export interface WritePathParts extends BatchParts {
	/** RELAY-13. Called after each COMMIT, before anybody waiting for a decision hears it. */
	readonly committed: (batch: readonly Submission[], written: Written) => void;
	/** A batch or a single update could not be written: the database is gone, or we are wrong. */
	readonly failed: (fault: unknown) => void;
}

export interface WritePath {
	/** What became of the update. */
	submit(submission: Submission): Promise<Outcome>;
	/** Resolves when nothing is being written. */
	idle(): Promise<void>;
	/** RELAY-63. From now on nothing is written: all that waits and comes is `unavailable`. */
	end(): void;
}

/**
 * `unavailable`: the database is gone, try again. `unstorable`: it is there and would not take this
 * update. `fault`: what it said.
 */
export type Outcome =
	Decision | { readonly kind: 'unavailable' | 'unstorable'; readonly fault?: unknown };

/** How many updates one transaction takes, and how many bytes of them, but one however large. */
const BATCH_LENGTH_MAX = 512;
const BATCH_BYTES_MAX = FRAME_BYTES_MAX;

interface Waiting {
	readonly submission: Submission;
	readonly resolve: (outcome: Outcome) => void;
}

/** RELAY-11. One batch at a time: what comes while one is written makes the next. */
export function createWritePath(parts: WritePathParts): WritePath {
	const waiting: Waiting[] = [];
	let running: Promise<void> | undefined;
	let hasEnded = false;

	async function run(): Promise<void> {
		// Lets all that came with the same turn of the loop into one batch.
		await Promise.resolve();
		while (waiting.length > 0) await writeOrSplit(waiting.splice(0, lengthOfNext(waiting)));
		running = undefined;
	}

	async function writeOrSplit(batch: readonly Waiting[]): Promise<void> {
		if (hasEnded) {
			giveUp(batch, 'unavailable');
			return;
		}
		const fault = await write(batch);
		if (fault === undefined) return;
		parts.failed(fault);
		const kind = isDatabaseGone(fault) || isWentBack(fault) ? 'unavailable' : 'unstorable';
		if (batch.length === 1 || kind === 'unavailable') giveUp(batch, kind, fault);
		// RELAY-14. One update that cannot be written stops nobody else's.
		else for (const one of batch) await writeOrSplit([one]);
	}

	/** Undefined where it was committed, else why it was not. */
	async function write(batch: readonly Waiting[]): Promise<unknown> {
		const submissions = batch.map(({ submission }) => submission);
		let written: Written;
		try {
			written = await writeBatch(parts, submissions);
		} catch (fault) {
			return fault;
		}
		tell(parts, submissions, written);
		batch.forEach(({ resolve }, at) => {
			resolve(written.decisions[at] ?? { kind: 'unavailable' });
		});
		return undefined;
	}

	return {
		submit: (submission) =>
			new Promise((resolve) => {
				waiting.push({ submission, resolve });
				running ??= run();
			}),
		idle: async () => {
			await running;
		},
		end: () => {
			hasEnded = true;
		}
	};
}

/** As many as go into one transaction. */
function lengthOfNext(waiting: readonly Waiting[]): number {
	let bytes = 0;
	const over = waiting.findIndex(({ submission: { update } }, at) => {
		bytes += bytesOf(update);
		return at > 0 && (at === BATCH_LENGTH_MAX || bytes > BATCH_BYTES_MAX);
	});
	return over === -1 ? waiting.length : over;
}

function bytesOf({ items }: ParsedUpdate): number {
	let bytes = 0;
	for (const item of items) bytes += item.bytes.byteLength;
	return bytes;
}

function giveUp(
	batch: readonly Waiting[],
	kind: 'unavailable' | 'unstorable',
	fault?: unknown
): void {
	for (const { resolve } of batch) resolve({ kind, fault });
}

/** What is committed stays so, whatever goes wrong in telling of it. */
function tell(
	{ committed, failed }: WritePathParts,
	submissions: readonly Submission[],
	written: Written
): void {
	try {
		committed(submissions, written);
	} catch (fault) {
		failed(fault);
	}
}
