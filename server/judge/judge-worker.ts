import { asc, lte } from 'drizzle-orm';
import { createLeftWork, type LeftWorkParts } from '#server/database/left-work.ts';
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

/** Its `fault` hears of faults of ours or of the database; the other claims are judged all the same. */
export interface JudgeParts extends LedgerParts, LeftWorkParts {}

const PAGE_LENGTH = 100;
const PUT_OFF_MS = 30_000;

/** One worker of this process; those of other servers get their own claims. */
export function createJudge(parts: JudgeParts): Judge {
	const judgeAll = (): Promise<void> => judgeDue(parts, () => work.isClosed());
	const work = createLeftWork(parts, judgeAll);
	return {
		wake: () => {
			work.wake();
		},
		judgeDue: judgeAll,
		close: () => work.close()
	};
}

/** In the order of the claims' ids, which is that in which the devices heard them. */
async function judgeDue(parts: JudgeParts, isClosed: () => boolean): Promise<void> {
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
			if (isClosed()) return;
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
