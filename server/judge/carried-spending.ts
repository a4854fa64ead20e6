import { and, eq, gte, isNotNull } from 'drizzle-orm';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { VerdictResult } from '#domain/confirmation/verdict.ts';
import { parseFact } from '#domain/fact/parse-fact.ts';
import type { JudgedFact } from '#domain/fact/ledger-fact.ts';
import type { PersonId } from '#domain/ids.ts';
import { fact } from '#server/database/journal.ts';
import { codeEpoch } from '#server/database/ledgers.ts';
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
	readonly result: VerdictResult;
	readonly al: number;
}

/**
 * JUDGE-16. What the code was spent for before a restore that forgot it, as the customer's phone
 * remembers: its copy of the verdict was carried in, with the relay's signature.
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
	const ofCode = told.filter((one) => isOfCode(one, code));
	if (ofCode.length === 0) return undefined;
	const [began, ended] = await spanOf(tx, code);
	const [first] = ofCode
		.map(({ verdict }) => verdict)
		.filter(({ at }) => at >= began && at < ended)
		.toSorted((a, b) => a.at - b.at);
	return first;
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
