import { and, eq, sql } from 'drizzle-orm';
import { encodeBase64url } from '#domain/bytes.ts';
import { claimHash, type Claim } from '#domain/confirmation/claim.ts';
import { WRONG_SHEETS_MAX, type Judgement } from '#domain/confirmation/judge.ts';
import { HASH_BYTES } from '#domain/confirmation/record.ts';
import { encodeVerdict, verdictMessage, type Verdict } from '#domain/confirmation/verdict.ts';
import { assert } from '#domain/assert.ts';
import {
	claimJudged,
	codeSpent,
	ledgerGuard,
	smsSend,
	wrongDay
} from '#server/database/ledgers.ts';
import { queueMessage } from '#server/gateways/message-queue.ts';
import type { Act } from '#server/ledgers/act.ts';
import { readSet, refillSet } from '#server/ledgers/code-sets.ts';
import { ofLedger, type Guard } from '#server/ledgers/guard.ts';
import type { LedgerParts } from '#server/ledgers/ledger-parts.ts';
import { readShop } from '#server/ledgers/shops.ts';
import { lockedText } from '#server/ledgers/sms-words.ts';
import type { CarriedVerdict } from './carried-verdict.ts';
import type { Case } from './case.ts';
import { dayOf } from './days.ts';

interface Judged {
	readonly case: Case;
	readonly judgement: Judgement;
}

/** Writes a verdict and all that follows from it: the chain, what is spent or counted, the facts. */
export async function keepJudgement(act: Act, parts: LedgerParts, judged: Judged): Promise<void> {
	const wrong = await countWrong(act, judged, { at: parts.clock(), isForgiven: false });
	await spend(act, parts, judged);
	const signed = await signVerdict(parts, judged);
	await keepVerdict(act, parts, { judged, signed });
	await tell(act, { judged, signed, wrong });
	await refill(act, parts, judged);
	await warnByPhone(act, parts, { judged, wrong });
}

interface Carried {
	readonly case: Case;
	readonly carried: CarriedVerdict;
}

/**
 * JUDGE-15. Takes over a verdict that this relay gave before it was restored, and forgot: what it spent is
 * spent, and the ledger's numbers go on behind it.
 */
export async function keepCarried(
	act: Act,
	parts: LedgerParts,
	{ case: known, carried: { verdict, v, sig } }: Carried
): Promise<void> {
	const { result, al } = verdict;
	const isWrong = result === 'wrong';
	const isSpent = !isWrong && result !== 'used';
	const judged = { case: known, judgement: { result, al, isSpent, isWrong, isAlarm: false } };
	const { at } = verdict;
	await countWrong(act, judged, { at, isForgiven: await isForgiven(act, known, at) });
	await spend(act, parts, judged);
	await refill(act, parts, judged);
	const { name, fact, record, guard } = known;
	const { seq, at: judgedAt } = verdict;
	const claim = fact.claim.id;
	await act.tx
		.insert(claimJudged)
		.values({ ...name, claim, h: record.h, seq, v, sig, judgedAt })
		.onConflictDoNothing();
	if (seq <= guard.verdictSeq) return;
	const verdictHash = await parts.crypto.sha256(v);
	await act.tx
		.update(ledgerGuard)
		.set({ verdictSeq: seq, verdictHash })
		.where(ofLedger(ledgerGuard, name));
}

/**
 * JUDGE-6. Whether the customer has made a new set since, which opened what was locked. Where she has no app none
 * opens it.
 */
async function isForgiven({ tx }: Act, { name, link }: Case, at: number): Promise<boolean> {
	if (link === undefined || link.person === null) return false;
	const set = await readSet(tx, { ...name, epoch: link.epoch });
	return set !== undefined && at < set.issuedAt;
}

interface Tried {
	/** UTC ms. JUDGE-7. What is handed in after a restore counts for the day on which it was tried. */
	readonly at: number;
	/** Against the ledger it counts no more. */
	readonly isForgiven: boolean;
}

/** Wrong codes of the epoch, after this one. */
async function countWrong(
	{ tx }: Act,
	{ case: { fact, name, record, guard }, judgement }: Judged,
	{ at, isForgiven: isOver }: Tried
): Promise<Pick<Guard, 'sheetWrong' | 'appWrong'>> {
	const { sheetWrong, appWrong } = guard;
	if (!judgement.isWrong) return { sheetWrong, appWrong };
	const { way, counter = 0 } = fact.claim;
	const wrong = {
		sheetWrong: sheetWrong + (way === 'sheet' && !isOver ? 1 : 0),
		appWrong: appWrong + (way === 'app' && !isOver ? 1 : 0)
	};
	await tx.update(ledgerGuard).set(wrong).where(ofLedger(ledgerGuard, name));
	if (way === 'sms') {
		const ofSend = and(ofLedger(smsSend, name), eq(smsSend.h, record.h), eq(smsSend.send, counter));
		await tx
			.update(smsSend)
			.set({ tries: sql`${smsSend.tries} + 1` })
			.where(ofSend);
	}
	await tx
		.insert(wrongDay)
		.values({ business: name.business, day: dayOf(at), wrong: 1 })
		.onConflictDoUpdate({
			target: [wrongDay.business, wrongDay.day],
			set: { wrong: sql`${wrongDay.wrong} + 1` }
		});
	return wrong;
}

/** Whether the code is spent, and the books do not say so yet. */
function isNewlySpent({ case: { found }, judgement }: Judged): boolean {
	if (found === undefined) return false;
	const isFirst = judgement.isSpent && found.match.spentFor === undefined;
	return isFirst || found.remembered !== undefined;
}

/**
 * A right code is spent by being presented, for this record, with this result; or for what her phone
 * remembers. Once it is in the books, nobody has to be believed about it again.
 */
async function spend({ tx }: Act, { clock }: LedgerParts, judged: Judged): Promise<void> {
	const { fact, name, record, found } = judged.case;
	if (found === undefined || !isNewlySpent(judged)) return;
	const { id: claim, way } = fact.claim;
	const { result, al } = judged.judgement;
	const { epoch, counter, remembered } = found;
	if (way === 'sms') {
		const ofSend = and(ofLedger(smsSend, name), eq(smsSend.h, record.h), eq(smsSend.send, counter));
		await tx.update(smsSend).set({ result, al }).where(ofSend);
		return;
	}
	assert(way === 'sheet' || way === 'app', 'what else is spent is of a sheet or a phone');
	const spending = remembered ?? { h: record.h, claim, result, al };
	await tx.insert(codeSpent).values({ ...name, epoch, way, counter, ...spending, at: clock() });
}

interface Signed {
	readonly verdict: Verdict;
	readonly v: Uint8Array;
	readonly sig: Uint8Array;
	readonly kid: Uint8Array;
}

async function signVerdict(
	{ clock, epoch, crypto, relayKey }: LedgerParts,
	{ case: { fact, record, guard }, judgement: { result, al } }: Judged
): Promise<Signed> {
	const verdict = {
		result,
		al,
		h: record.h,
		relayEpoch: epoch,
		seq: guard.verdictSeq + 1,
		at: clock(),
		claimHash: await claimHash(fact.claim, crypto),
		previous: guard.verdictHash ?? new Uint8Array(HASH_BYTES)
	};
	const v = encodeVerdict(verdict);
	return { verdict, v, sig: await relayKey.sign(verdictMessage(v)), kid: relayKey.kid };
}

async function keepVerdict(
	{ tx }: Act,
	{ crypto }: LedgerParts,
	{ judged, signed }: { readonly judged: Judged; readonly signed: Signed }
): Promise<void> {
	const { fact, name, record } = judged.case;
	const { v, sig, verdict } = signed;
	const { seq, at: judgedAt } = verdict;
	const verdictHash = await crypto.sha256(v);
	await tx
		.update(ledgerGuard)
		.set({ verdictSeq: seq, verdictHash })
		.where(ofLedger(ledgerGuard, name));
	const claim = fact.claim.id;
	await tx.insert(claimJudged).values({ ...name, claim, h: record.h, seq, v, sig, judgedAt });
}

interface Told {
	readonly judged: Judged;
	readonly signed: Signed;
	readonly wrong: Pick<Guard, 'sheetWrong' | 'appWrong'>;
}

async function tell(act: Act, { judged, signed, wrong }: Told): Promise<void> {
	const { fact, name, branch, link, found } = judged.case;
	const { claim } = fact;
	const body = {
		ledgerId: name.ledger,
		claimId: claim.id,
		verdict: signed.verdict,
		v: encodeBase64url(signed.v),
		sig: encodeBase64url(signed.sig),
		kid: encodeBase64url(signed.kid),
		wrong: wrongOfWay(claim.way, wrong)
	};
	await act.write(name.business, { kind: 'verdict', ...body, branch });
	const person = link?.person ?? null;
	if (person === null) return;
	const counter = found?.counter ?? claim.counter ?? 0;
	const { way } = claim;
	const { business: businessId } = name;
	await act.write(person, { kind: 'judged', businessId, ...body, way, counter, branch: null });
}

/** Those of a message lock nothing but that message. */
function wrongOfWay(way: Claim['way'], { sheetWrong, appWrong }: Told['wrong']): number {
	if (way === 'sheet') return sheetWrong;
	return way === 'app' ? appWrong : 0;
}

/** A code that was used makes room for the next; on paper alone there is nobody to show it to. */
async function refill(act: Act, parts: LedgerParts, judged: Judged): Promise<void> {
	const { fact, name, link, found } = judged.case;
	if (fact.claim.way !== 'sheet' || !isNewlySpent(judged)) return;
	if (link === undefined || found?.epoch !== link.epoch) return;
	const set = await readSet(act.tx, { ...name, epoch: link.epoch });
	assert(set !== undefined, 'a code that was found is of a set');
	const isRefilled = link.person !== null && link.state === 'linked';
	await refillSet(act, parts, { set, link, isRefilled });
}

/** Who has no app hears by message that the codes were guessed at, once, when they lock. */
async function warnByPhone(
	{ tx }: Act,
	parts: LedgerParts,
	{ judged, wrong }: Pick<Told, 'judged' | 'wrong'>
): Promise<void> {
	const { name, link, guard } = judged.case;
	if (!judged.judgement.isWrong || wrong.sheetWrong !== WRONG_SHEETS_MAX) return;
	if (link?.person !== null || link.state !== 'linked' || guard.phone === null) return;
	const shop = await readShop(tx, name.business);
	await queueMessage(tx, {
		channel: 'sms',
		to: guard.phone,
		text: lockedText(shop.language, shop.name),
		key: `locked/${name.business}/${name.ledger}/${String(link.epoch)}`,
		at: parts.clock()
	});
}
