import type { ScopeId } from '#server/auth/relay-fact-draft.ts';
import { isDatabaseGone, isLockTimeout } from '#server/database/connect.ts';
import { isWentBack } from '#server/database/went-back.ts';
import { FRAME_BYTES_MAX } from '#sync/limits.ts';
import { writeBatch, type BatchParts, type Written, type WrittenBatch } from './batch.ts';
import type { Decision } from './decide.ts';
import { createGate, createTracker } from './gate.ts';
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
	| Decision
	| { readonly kind: 'unavailable' | 'unstorable'; readonly fault?: unknown };

/** How many updates one transaction takes, and how many bytes of them, but one however large. */
const BATCH_LENGTH_MAX = 512;
const BATCH_BYTES_MAX = FRAME_BYTES_MAX;

/**
 * RELAY-85. How many feeds that somebody else holds are waited for at once, and how long: most are let
 * go in a moment. One that is not waits on among its like, and in nobody's way.
 */
const SOON = { most: 4, waitMs: 1_000 };
const LATE = { most: 2, waitMs: 30_000 };

interface Waiting {
	readonly submission: Submission;
	readonly resolve: (outcome: Outcome) => void;
	/** RELAY-14. Whether it was in a batch that failed, and so goes by itself. */
	readonly isAlone?: boolean;
}

interface Queue {
	waiting: Waiting[];
}

/**
 * RELAY-11. One batch of all at a time: what comes while one is written makes the next. Beside it those
 * whose feed somebody else holds, each scope by itself.
 */
export function createWritePath(parts: WritePathParts): WritePath {
	const main: Queue = { waiting: [] };
	const heldByScope = new Map<ScopeId, Queue>();
	const wait = createWait();
	const { track, settled } = createTracker();
	let isRunning = false;
	let hasEnded = false;

	async function run(): Promise<void> {
		// Lets all that came with the same turn of the loop into one batch.
		await Promise.resolve();
		while (main.waiting.length > 0) setAside(await tryNext(main));
		isRunning = false;
	}

	function wake(): void {
		if (isRunning || main.waiting.length === 0) return;
		isRunning = true;
		void track(run());
	}

	async function tryNext(queue: Queue, waitMs?: number): Promise<readonly Waiting[]> {
		if (!hasEnded) return writeNext(parts, queue, waitMs);
		giveUp(queue.waiting.splice(0), 'unavailable');
		return [];
	}

	/** RELAY-84. With all that came behind them of their scope they wait apart; the others go on. */
	function setAside(left: readonly Waiting[]): void {
		for (const [scope, first] of Map.groupBy(left, scopeIn)) {
			const behind = main.waiting.filter((one) => scopeIn(one) === scope);
			main.waiting = main.waiting.filter((one) => scopeIn(one) !== scope);
			const held = { waiting: [...first, ...behind] };
			heldByScope.set(scope, held);
			void track(goBack(scope, held));
		}
	}

	/** When a batch of it was written, the rest goes with the others again. */
	async function goBack(scope: ScopeId, held: Queue): Promise<void> {
		await wait(held, tryNext);
		heldByScope.delete(scope);
		main.waiting = [...held.waiting, ...main.waiting];
		wake();
	}

	return {
		submit: (submission) =>
			new Promise((resolve) => {
				const queue = heldByScope.get(submission.caller.scope) ?? main;
				queue.waiting.push({ submission, resolve });
				wake();
			}),
		idle: settled,
		end: () => {
			hasEnded = true;
		}
	};
}

/** RELAY-85. Has one batch of a scope tried until nobody else holds its feed, in its turn. */
function createWait() {
	const [soon, late] = [createGate(SOON.most), createGate(LATE.most)];
	return async (
		held: Queue,
		tryNext: (queue: Queue, waitMs: number) => Promise<readonly Waiting[]>
	): Promise<void> => {
		let left: readonly Waiting[] = [];
		const tryFor = async (waitMs: number): Promise<void> => {
			left = await tryNext(held, waitMs);
			held.waiting = [...left, ...held.waiting];
		};
		await soon(() => tryFor(SOON.waitMs));
		while (left.length > 0) await late(() => tryFor(LATE.waitMs));
	};
}

/** Returns those of the next batch that could not be tried, because somebody else holds their feed. */
async function writeNext(
	parts: WritePathParts,
	queue: Queue,
	waitMs: number | undefined
): Promise<readonly Waiting[]> {
	const batch = queue.waiting.splice(0, lengthOfNext(queue.waiting));
	const submissions = batch.map(({ submission }) => submission);
	try {
		return take(parts, batch, await writeBatch(parts, submissions, waitMs));
	} catch (fault) {
		if (waitMs !== undefined && isLockTimeout(fault)) return batch;
		parts.failed(fault);
		const kind = isDatabaseGone(fault) || isWentBack(fault) ? 'unavailable' : 'unstorable';
		if (batch.length === 1 || kind === 'unavailable') giveUp(batch, kind, fault);
		// RELAY-14. One update that cannot be written stops nobody else's.
		else queue.waiting = [...batch.map((one) => ({ ...one, isAlone: true })), ...queue.waiting];
		return [];
	}
}

function scopeIn({ submission: { caller } }: Waiting): ScopeId {
	return caller.scope;
}

/** Tells of what was written, and returns the rest. */
function take(
	parts: WritePathParts,
	batch: readonly Waiting[],
	written: WrittenBatch
): readonly Waiting[] {
	const { taken, held, decisions } = written;
	if (taken.length > 0) tell(parts, taken, written);
	const tried = batch.filter((one) => !held.has(scopeIn(one)));
	tried.forEach(({ resolve }, at) => {
		resolve(decisions[at] ?? { kind: 'unavailable' });
	});
	return batch.filter((one) => held.has(scopeIn(one)));
}

/** As many as go into one transaction. */
function lengthOfNext(waiting: readonly Waiting[]): number {
	let bytes = 0;
	const over = waiting.findIndex(({ submission: { update }, isAlone = false }, at) => {
		bytes += bytesOf(update);
		const isFull = at === BATCH_LENGTH_MAX || bytes > BATCH_BYTES_MAX;
		return at > 0 && (isFull || isAlone || waiting[0]?.isAlone === true);
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
