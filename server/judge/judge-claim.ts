import { and, eq, isNotNull } from 'drizzle-orm';
import { assert } from '#domain/assert.ts';
import type { Claim } from '#domain/confirmation/claim.ts';
import {
	judge,
	type CodeWay,
	type JudgedRecord,
	type Judgement,
	type LedgerGuard
} from '#domain/confirmation/judge.ts';
import { recordKinds } from '#domain/confirmation/record-kind.ts';
import type { ClaimFact } from '#domain/fact/ledger-fact.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import { parseBranchId, type BranchId, type BusinessId } from '#domain/ids.ts';
import { ok } from '#domain/result.ts';
import { fact, record } from '#server/database/journal.ts';
import { claimJudged, claimWaiting, smsSend, wrongDay } from '#server/database/ledgers.ts';
import type { Transaction } from '#server/database/transaction.ts';
import { commitAct, type Act } from '#server/ledgers/act.ts';
import { ledgerIn, lockGuard, ofLedger, readLink } from '#server/ledgers/guard.ts';
import { recallSet, wasGivenCodes } from '#server/ledgers/forgotten-set.ts';
import type { LedgerName, LedgerParts } from '#server/ledgers/ledger-parts.ts';
import { dayOf } from './days.ts';
import { findCode, type CodeClaim, type Found } from './match-code.ts';
import type { Case } from './case.ts';
import { findCarried } from './carried-verdict.ts';
import { keepCarried, keepJudgement } from './keep-judgement.ts';

/** A claim that was stored: by its id, and the fact that carries it. */
export interface WaitingClaim {
	readonly business: BusinessId;
	readonly claim: string;
	readonly code: string;
	readonly n: number;
}

/** `known`: it had its verdict. `later`: its record is not here yet. `gone`: another has it in hand. */
export type Outcome = 'judged' | 'known' | 'later' | 'notACode' | 'gone';

/**
 * Judges one claim in one transaction: its ledger's lock, the verdict, what it spends, and the facts
 * for both sides, all or nothing. A claim that has its verdict gets no second one.
 */
export async function judgeClaim(parts: LedgerParts, waiting: WaitingClaim): Promise<Outcome> {
	const outcome = await commitAct<Outcome, never>(parts, async (act) => {
		const tries = await lockWaiting(act.tx, waiting);
		if (tries === undefined) return ok('gone');
		const { claimFact, branch } = await readClaim(act.tx, waiting);
		const { way } = claimFact.claim;
		if (way === 'sign' || way === 'rule') {
			await act.tx.delete(claimWaiting).where(isWaiting(waiting));
			return ok('notACode');
		}
		const found = await findRecord(act.tx, waiting.business, claimFact.claim);
		if (found === undefined) {
			await awaitRecord(act, waiting, { claim: claimFact.claim, tries });
			return ok('later');
		}
		const outcome = await decide(act, parts, { ...found, fact: claimFact, branch, way });
		await act.tx.delete(claimWaiting).where(isWaiting(waiting));
		return ok(outcome);
	});
	assert(outcome.ok, 'nothing refuses a judgement');
	return outcome.value;
}

/**
 * JUDGE-18. Nothing is looked at until its record comes: whoever stores one sets due what waits for it. Under the
 * lock that he holds: it may have come meanwhile, and then the claim is still due.
 */
async function awaitRecord(
	act: Act,
	waiting: WaitingClaim,
	{ claim, tries }: { readonly claim: Claim; readonly tries: number }
): Promise<void> {
	await act.lock(waiting.business);
	if ((await findRecord(act.tx, waiting.business, claim)) !== undefined) return;
	await act.tx
		.update(claimWaiting)
		.set({ dueAt: null, awaits: claim.h, tries: tries + 1 })
		.where(isWaiting(waiting));
}

interface Known {
	readonly fact: ClaimFact;
	readonly branch: BranchId | null;
	readonly name: LedgerName;
	readonly record: JudgedRecord;
	readonly way: CodeWay;
}

async function decide(act: Act, parts: LedgerParts, known: Known): Promise<Outcome> {
	const { name, record: judged, way } = known;
	const { claim } = known.fact;
	const guard = await lockGuard(act.tx, name);
	const link = await readLink(act.tx, name);
	const person = link?.person ?? null;
	await act.lock(name.business, ...(person === null ? [] : [person]));
	if (await isJudged(act.tx, name.business, claim)) return 'known';

	const { code = '', counter = 0 } = claim;
	const carried = await findCarried(act.tx, parts, { name, claim });
	const place = await placeOf(act, parts, { name, guard, link, way });
	const presented: CodeClaim = {
		...{ name, guard: place.guard, link: place.link, record: judged, way, code, counter },
		wasJudged: carried !== undefined
	};
	const found = await findCode(act.tx, parts, presented);
	const of: Case = { ...known, guard: place.guard, link: place.link, found };
	if (carried !== undefined) {
		await keepCarried(act, parts, { case: of, carried });
		return 'known';
	}
	const judgement =
		found?.old === undefined
			? await judgeNew(act.tx, parts, { presented, found, isLost: place.isLost })
			: again(found.old);
	await keepJudgement(act, parts, { case: of, judgement });
	return 'judged';
}

interface Place extends Pick<Case, 'guard' | 'link'> {
	/** Codes of the ledger were given out that nobody can tell right from wrong any more. */
	readonly isLost: boolean;
}

/** JUDGE-19. How the ledger stands once a set that a restore forgot is recalled. */
async function placeOf(
	act: Act,
	parts: LedgerParts,
	{ name, guard, link, way }: Pick<CodeClaim, 'name' | 'guard' | 'link' | 'way'>
): Promise<Place> {
	if (link === undefined) {
		const isLost = way === 'sheet' && (await wasGivenCodes(act.tx, parts, name));
		return { guard, link, isLost };
	}
	const recalled = way === 'sms' ? undefined : await recallSet(act, parts, { name, link });
	if (recalled === undefined) return { guard, link, isLost: false };
	// A phone goes on to make codes, which may be guessed.
	const isLost = recalled.isLost && way === 'sheet';
	return { link: recalled.link, guard: await lockGuard(act.tx, name), isLost };
}

interface Presented extends Pick<Case, 'found'>, Pick<Place, 'isLost'> {
	readonly presented: CodeClaim;
}

async function judgeNew(
	tx: Transaction,
	parts: LedgerParts,
	{ presented, found, isLost }: Presented
): Promise<Judgement> {
	const { way, record: judged } = presented;
	const guard = await guardOf(tx, parts, presented);
	const at = parts.clock();
	return judge({ way, record: judged, match: found?.match, isLost, guard, at });
}

/** The same code for the same record: what it came to the first time, and nothing is spent twice. */
function again({ result, al }: NonNullable<Found['old']>): Judgement {
	return { result, al, isSpent: false, isWrong: false, isAlarm: false };
}

/**
 * Takes the claim in hand; of two who want it, one gets it. How often it was looked at before. One that waits for
 * its record is left to whoever stores that.
 */
async function lockWaiting(tx: Transaction, waiting: WaitingClaim): Promise<number | undefined> {
	const rows = tx
		.select()
		.from(claimWaiting)
		.where(and(isWaiting(waiting), isNotNull(claimWaiting.dueAt)));
	const [taken] = await rows.for('update', { skipLocked: true });
	return taken?.tries;
}

export function isWaiting({ business, claim, code, n }: WaitingClaim): ReturnType<typeof and> {
	return and(
		eq(claimWaiting.business, business),
		eq(claimWaiting.claim, claim),
		eq(claimWaiting.code, code),
		eq(claimWaiting.n, n)
	);
}

interface ReadClaim {
	readonly claimFact: ClaimFact;
	readonly branch: BranchId | null;
}

async function readClaim(tx: Transaction, waiting: WaitingClaim): Promise<ReadClaim> {
	const { business, code, n } = waiting;
	const [row] = await tx
		.select({ text: fact.text, branch: fact.branch })
		.from(fact)
		.where(and(eq(fact.business, business), eq(fact.code, code), eq(fact.n, n)));
	const parsed = parseFact(row?.text ?? '');
	assert(parsed.ok && parsed.value.kind === 'claim', 'what waits is a claim');
	const branch = parseBranchId(row?.branch);
	return { claimFact: parsed.value, branch: branch.ok ? branch.value : null };
}

/** The record that a claim names, in its own business: another's with the same name is another. */
async function findRecord(
	tx: Transaction,
	business: BusinessId,
	{ h }: Claim
): Promise<Pick<Known, 'name' | 'record'> | undefined> {
	const [row] = await tx
		.select()
		.from(record)
		.where(and(eq(record.business, business), eq(record.h, h)));
	if (row === undefined) return undefined;
	const { currency, exponent, amount } = row;
	const kind = recordKinds().find((known) => known === row.kind);
	assert(kind !== undefined, 'a record is of a known kind');
	const name = { business, ledger: ledgerIn(row.ledger) };
	return { name, record: { h, kind, currency, exponent, amount } };
}

async function isJudged(tx: Transaction, business: BusinessId, claim: Claim): Promise<boolean> {
	const rows = await tx
		.select({ seq: claimJudged.seq })
		.from(claimJudged)
		.where(and(eq(claimJudged.business, business), eq(claimJudged.claim, claim.id)));
	return rows.length > 0;
}

async function guardOf(
	tx: Transaction,
	{ clock }: LedgerParts,
	{ name, guard, link, record: judged, way, counter }: CodeClaim
): Promise<LedgerGuard> {
	const [send] =
		way === 'sms'
			? await tx
					.select({ tries: smsSend.tries })
					.from(smsSend)
					.where(and(ofLedger(smsSend, name), eq(smsSend.h, judged.h), eq(smsSend.send, counter)))
			: [];
	const [today] = await tx
		.select({ wrong: wrongDay.wrong })
		.from(wrongDay)
		.where(and(eq(wrongDay.business, name.business), eq(wrongDay.day, dayOf(clock()))));
	return {
		linked: link?.state === 'linked' ? link.way : 'none',
		wrongSheet: guard.sheetWrong,
		wrongPhone: guard.appWrong,
		shopWrongToday: today?.wrong ?? 0,
		wrongSend: send?.tries ?? 0
	};
}
