import { asc, lte } from 'drizzle-orm';
import { claimWaiting } from '#server/database/ledgers.ts';
import { businessIn } from '#server/ledgers/guard.ts';
import type { LedgerParts } from '#server/ledgers/ledger-parts.ts';
import { isWaiting, judgeClaim, type WaitingClaim } from './judge-claim.ts';

/** Judges what was stored, now and whenever it is woken. */
export interface Judge {
	/** A batch with claims was committed. Never throws. */
	wake(): void;
	/** Judges all that is due, and resolves when each has its verdict or waits for its record. */
	judgeDue(): Promise<void>;
	/** Stops, after the claim in hand. */
	close(): Promise<void>;
}

export interface JudgeParts extends LedgerParts {
	/** Hears of faults of ours or of the database; the others are judged all the same. */
	readonly fault: (fault: unknown) => void;
	readonly every: (ms: number, act: () => void) => () => void;
}

interface Now {
	/** How often it was woken. */
	asked: number;
	isClosed: boolean;
}

/** How often one looks for what others stored, or a kill left. */
const LOOK_AGAIN_MS = 2_000;
const PAGE_LENGTH = 100;
const PUT_OFF_MS = 30_000;

/** One worker of this process; those of other servers get their own claims. */
export function createJudge(parts: JudgeParts): Judge {
	const now: Now = { asked: 0, isClosed: false };
	let running: Promise<void> | undefined;

	async function run(): Promise<void> {
		try {
			for (let seen = -1; seen !== now.asked && !now.isClosed;) {
				seen = now.asked;
				await judgeDue(parts, now);
			}
		} catch (fault) {
			parts.fault(fault);
		} finally {
			running = undefined;
		}
	}
	function wake(): void {
		if (now.isClosed) return;
		now.asked += 1;
		running ??= run();
	}
	const stop = parts.every(LOOK_AGAIN_MS, wake);
	return {
		wake,
		judgeDue: () => judgeDue(parts, now),
		async close() {
			now.isClosed = true;
			stop();
			await running;
		}
	};
}

/** In the order of the claims' ids, which is that in which the devices heard them. */
async function judgeDue(parts: JudgeParts, now: Readonly<Now>): Promise<void> {
	const until = parts.clock();
	for (;;) {
		const page = await parts.executor
			.select()
			.from(claimWaiting)
			.where(lte(claimWaiting.dueAt, until))
			.orderBy(asc(claimWaiting.claim), asc(claimWaiting.code), asc(claimWaiting.n))
			.limit(PAGE_LENGTH);
		let moved = 0;
		for (const { business, claim, code, n } of page) {
			if (now.isClosed) return;
			moved += await judgeOne(parts, { business: businessIn(business), claim, code, n });
		}
		// What another has in hand, or a fault keeps, is looked at again in its time.
		if (page.length < PAGE_LENGTH || moved === 0) return;
	}
}

async function judgeOne(parts: JudgeParts, waiting: WaitingClaim): Promise<0 | 1> {
	try {
		return (await judgeClaim(parts, waiting)) === 'gone' ? 0 : 1;
	} catch (fault) {
		parts.fault(fault);
		await putOff(parts, waiting);
		return 0;
	}
}

/** One claim that cannot be judged stops nobody else's. */
async function putOff(
	{ executor, clock, fault }: JudgeParts,
	waiting: WaitingClaim
): Promise<void> {
	try {
		const dueAt = clock() + PUT_OFF_MS;
		await executor.update(claimWaiting).set({ dueAt }).where(isWaiting(waiting));
	} catch (second) {
		fault(second);
	}
}
