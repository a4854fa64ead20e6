import { and, asc, lte, notInArray, sql } from 'drizzle-orm';
import type { FoldMeter } from '#server/database/fold-meter.ts';
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
export interface JudgeParts extends LedgerParts, LeftWorkParts {
	/** RELAY-82. A verdict folds its ledger anew: claims of who is beyond that wait for a later look. */
	readonly folds?: Pick<FoldMeter, 'isSpent' | 'spent'>;
}

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

/**
 * JUDGE-13. A business's in the order of the claims' ids, which is that in which its devices heard them;
 * businesses in turn, so that nobody waits for all that another has. Each page is of what is due by then.
 */
async function judgeDue(parts: JudgeParts, isClosed: () => boolean): Promise<void> {
	for (;;) {
		const page = await readDue(parts);
		let moved = 0;
		for (const waiting of page) {
			if (isClosed()) return;
			moved += await judgeOne(parts, waiting);
		}
		// What another has in hand, or a fault keeps, is looked at again in its time.
		if (page.length < PAGE_LENGTH || moved === 0) return;
	}
}

async function readDue({ executor, clock, folds }: JudgeParts): Promise<readonly WaitingClaim[]> {
	const { business, claim, code, n, dueAt } = claimWaiting;
	const order = sql`order by ${claim}, ${code}, ${n}`;
	const due = executor
		.select({
			business,
			claim,
			code,
			n,
			turn: sql<string>`row_number() over (partition by ${business} ${order})`.as('turn')
		})
		.from(claimWaiting)
		.where(and(lte(dueAt, clock()), notInArray(business, [...(folds?.spent() ?? [])])))
		.as('due');
	const rows = await executor
		.select()
		.from(due)
		.orderBy(asc(due.turn), asc(due.claim), asc(due.code), asc(due.n))
		.limit(PAGE_LENGTH);
	return rows.map((row) => ({ ...row, business: businessIn(row.business) }));
}

async function judgeOne(parts: JudgeParts, waiting: WaitingClaim): Promise<0 | 1> {
	if (parts.folds?.isSpent(waiting.business) === true) return 0;
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
