import { and, asc, eq, gt, isNotNull, lte, or } from 'drizzle-orm';
import type { BusinessId } from '#domain/ids.ts';
import type { FoldMeter } from '#server/database/fold-meter.ts';
import { createLeftWork, type LeftWorkParts } from '#server/database/left-work.ts';
import { claimWaiting } from '#server/database/ledgers.ts';
import { businessIn } from '#server/ledgers/guard.ts';
import type { LedgerParts } from '#server/ledgers/ledger-parts.ts';
import { isWaiting, judgeClaim, type WaitingClaim } from './judge-claim.ts';
import { CARRIED_WAIT_MS } from './queue-claims.ts';

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
	readonly folds?: Pick<FoldMeter, 'isSpent'>;
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
 * businesses in turn, so that nobody waits for all that another has. Each page is of what is due by then, and costs
 * what it holds, however much else is due.
 */
async function judgeDue(parts: JudgeParts, isClosed: () => boolean): Promise<void> {
	for (let moved = 1; moved > 0;) {
		moved = 0;
		for await (const waiting of readDue(parts)) {
			if (isClosed()) return;
			// What another has in hand, or a fault keeps, is looked at again in its time.
			moved += await judgeOne(parts, waiting);
		}
	}
}

/** Of all businesses that have a claim due, a page of so many businesses after the other. */
async function* readDue(parts: JudgeParts): AsyncGenerator<WaitingClaim, undefined> {
	const { business: column, dueAt } = claimWaiting;
	let businesses: BusinessId[] = [];
	for (let after: BusinessId | undefined; ;) {
		const later = after === undefined ? undefined : gt(column, after);
		const [next] = await parts.executor
			.select({ business: column })
			.from(claimWaiting)
			.where(and(isNotNull(dueAt), later))
			.orderBy(asc(column))
			.limit(1);
		if (next === undefined) break;
		after = businessIn(next.business);
		if (parts.folds?.isSpent(after) !== true) businesses.push(after);
		if (businesses.length < PAGE_LENGTH) continue;
		yield* await readPage(parts, businesses);
		businesses = [];
	}
	if (businesses.length > 0) yield* await readPage(parts, businesses);
	return undefined;
}

/** The first claims of each, the first of all before the second of any. */
async function readPage(
	parts: JudgeParts,
	businesses: readonly BusinessId[]
): Promise<readonly WaitingClaim[]> {
	const { executor, clock } = parts;
	const { business, claim, code, n, dueAt } = claimWaiting;
	const page: (WaitingClaim & { readonly turn: number })[] = [];
	for (const of of businesses) {
		const now = clock();
		const isAhead = gt(dueAt, now + CARRIED_WAIT_MS);
		const rows = await executor
			.select({ claim, code, n, dueAt })
			.from(claimWaiting)
			.where(and(eq(business, of), or(lte(dueAt, now), isAhead)))
			.orderBy(asc(claim), asc(code), asc(n))
			.limit(Math.ceil(PAGE_LENGTH / businesses.length));
		for (const [turn, { dueAt: at, ...row }] of rows.entries()) {
			const waiting = { business: of, ...row };
			if (at !== null && at > now) await putOff(parts, waiting, CARRIED_WAIT_MS);
			else page.push({ ...waiting, turn });
		}
	}
	return page.toSorted((a, b) => a.turn - b.turn || (a.claim < b.claim ? -1 : 1));
}

async function judgeOne(parts: JudgeParts, waiting: WaitingClaim): Promise<0 | 1> {
	if (parts.folds?.isSpent(waiting.business) === true) return 0;
	try {
		return (await judgeClaim(parts, waiting)) === 'gone' ? 0 : 1;
	} catch (fault) {
		parts.fault(fault);
		await putOff(parts, waiting, PUT_OFF_MS);
		return 0;
	}
}

/**
 * One claim that cannot be judged stops nobody else's. JUDGE-13. One that was put off by a clock which was set
 * back since waits from now on, not until that is there again.
 */
async function putOff(
	{ executor, clock, fault }: JudgeParts,
	waiting: WaitingClaim,
	ms: number
): Promise<void> {
	try {
		const dueAt = clock() + ms;
		await executor.update(claimWaiting).set({ dueAt }).where(isWaiting(waiting));
	} catch (second) {
		fault(second);
	}
}
