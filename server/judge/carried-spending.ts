import { and, eq, gte, isNotNull, ne } from 'drizzle-orm';
import { encodeBase64url } from '#domain/bytes.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { VerdictResult } from '#domain/confirmation/verdict.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import type { JudgedFact } from '#domain/fact/ledger-fact.ts';
import type { PersonId } from '#domain/ids.ts';
import { fact, record } from '#server/database/journal.ts';
import { claimJudged, codeEpoch, codeSpent } from '#server/database/ledgers.ts';
import type { Transaction } from '#server/database/transaction.ts';
import { ofLedger } from '#server/ledgers/guard.ts';
import type { LedgerName } from '#server/ledgers/ledger-parts.ts';

/** One code of a ledger that a person stands behind. */
export interface CodeOfPerson {
	readonly name: LedgerName;
	readonly person: PersonId;
	readonly way: JudgedFact['way'];
	readonly epoch: number;
	readonly counter: number;
}

export interface Spending {
	readonly h: RecordHash;
	readonly claim: string;
	readonly result: VerdictResult;
	readonly al: number;
}

/**
 * JUDGE-16. What the code was spent for before a restore that forgot it, as the customer's phone
 * remembers: its copy of the verdict was carried in, with the relay's signature. That signs neither
 * the ledger nor the counter: a verdict of another ledger's record, one of which the database knows that
 * it spent another code, and one that is told of several codes spends nothing.
 */
export async function findCarriedSpending(
	tx: Transaction,
	code: CodeOfPerson
): Promise<Spending | undefined> {
	const rows = await tx
		.select({ text: fact.text })
		.from(fact)
		.where(and(eq(fact.business, code.person), eq(fact.kind, 'judged'), isNotNull(fact.carriedBy)));
	const told = rows.flatMap(({ text }) => {
		const parsed = parseFact(text);
		return parsed.ok && parsed.value.kind === 'judged' ? [parsed.value] : [];
	});
	const ofCode = told.filter((one) => isOfCode(one, code) && !isOfSeveral(one, told));
	if (ofCode.length === 0) return undefined;
	const [began, ended] = await spanOf(tx, code);
	const inForce = ofCode
		.filter(({ verdict: { at } }) => at >= began && at < ended)
		.toSorted((a, b) => a.verdict.at - b.verdict.at);
	for (const one of inForce) {
		if (await isOtherwise(tx, code.name, one)) continue;
		const { h, result, al } = one.verdict;
		return { h, claim: one.claimId, result, al };
	}
	return undefined;
}

/** One verdict is on one code. */
function isOfSeveral({ v, way, counter }: JudgedFact, told: readonly JudgedFact[]): boolean {
	return told.some((one) => one.v === v && (one.way !== way || one.counter !== counter));
}

/** Whether the database has its record in another ledger, or the verdict, and that it spent another code. */
async function isOtherwise(
	tx: Transaction,
	name: LedgerName,
	{ v, way, counter, verdict: { h } }: JudgedFact
): Promise<boolean> {
	const [elsewhere, judged, spent] = await Promise.all([
		tx
			.select({ h: record.h })
			.from(record)
			.where(
				and(eq(record.business, name.business), eq(record.h, h), ne(record.ledger, name.ledger))
			),
		tx
			.select({ v: claimJudged.v })
			.from(claimJudged)
			.where(and(ofLedger(claimJudged, name), eq(claimJudged.h, h))),
		tx
			.select({ way: codeSpent.way, counter: codeSpent.counter })
			.from(codeSpent)
			.where(and(ofLedger(codeSpent, name), eq(codeSpent.h, h)))
	]);
	if (elsewhere.length > 0) return true;
	// One that was carried in as well may stand here while what it spent does not.
	const isHere = spent.length > 0 && judged.some((one) => encodeBase64url(one.v) === v);
	return isHere && !spent.some((one) => one.way === way && one.counter === counter);
}

function isOfCode(
	{ businessId, ledgerId, way, counter, verdict }: JudgedFact,
	code: CodeOfPerson
): boolean {
	const { business, ledger } = code.name;
	if (businessId !== business || ledgerId !== ledger) return false;
	return (
		way === code.way &&
		counter === code.counter &&
		verdict.result !== 'wrong' &&
		verdict.result !== 'used'
	);
}

/** From when until when codes of the epoch were those in force: another epoch has the same counters. */
async function spanOf(
	tx: Transaction,
	{ name, epoch }: CodeOfPerson
): Promise<readonly [began: number, ended: number]> {
	const rows = await tx
		.select({ epoch: codeEpoch.epoch, startedAt: codeEpoch.startedAt })
		.from(codeEpoch)
		.where(and(ofLedger(codeEpoch, name), gte(codeEpoch.epoch, epoch)))
		.orderBy(codeEpoch.epoch)
		.limit(2);
	const [own, next] = rows;
	return [own?.startedAt ?? 0, next?.startedAt ?? Infinity];
}
