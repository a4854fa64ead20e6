import {
	compareRecordHashes,
	recordHash,
	type RecordHash
} from '#domain/confirmation/record-hash.ts';
import { currencyKey } from '#domain/confirmation/currency-key.ts';
import { isCredit, isDebit } from '#domain/confirmation/record-kind.ts';
import { STATEMENT_RECORDS_MAX } from '#domain/confirmation/limits.ts';
import { recordStates } from '#domain/confirmation/standing.ts';
import { statementList } from '#domain/confirmation/statement-list.ts';
import type { RecordFact } from '#domain/fact/fact.ts';
import { isAmount } from '#domain/confirmation/limits.ts';
import { err, ok, type Result } from '#domain/result.ts';
import type { RecordRow } from '#storage/device-store.ts';
import { draftRecord } from './draft-record.ts';
import { standingFactsOf } from './ledger-standing.ts';
import type { Card } from './tally.ts';
import type { DeviceParts, Moment } from './write-path.ts';

/** What one question to the customer is about: records of one card, currency and side. */
export interface Asked {
	readonly records: readonly RecordRow[];
	readonly side: 'debit' | 'credit';
	/** What they come to together, minor units. */
	readonly sumMinor: bigint;
}

export type AskedRefusal =
	| { readonly kind: 'nothingWaits' | 'unknownRecord' | 'mixed' }
	| { readonly kind: 'tooMany'; readonly max: number }
	| { readonly kind: 'notAskable'; readonly h: RecordHash };

/** Whether `hs` may be confirmed together now. */
export function askedOf(
	hs: readonly RecordHash[],
	card: Card | undefined,
	{ identity, nowMs }: Moment
): Result<Asked, AskedRefusal> {
	const distinct = [...new Set(hs)];
	if (distinct.length === 0) return err({ kind: 'nothingWaits' });
	if (distinct.length > STATEMENT_RECORDS_MAX)
		return err({ kind: 'tooMany', max: STATEMENT_RECORDS_MAX });
	const byHash = new Map(card?.records.map((row) => [row.h, row]));
	const records = distinct.map((h) => byHash.get(h)).filter((row) => row !== undefined);
	if (card === undefined || records.length < distinct.length) return err({ kind: 'unknownRecord' });

	const scope = { businessId: identity.business, ledgerId: card.ledger };
	const states = recordStates(scope, standingFactsOf(card, identity.business), nowMs);
	const answered = records.find(({ h, kind }) => {
		const standing = states.get(h);
		if (standing === undefined || standing.isDisputed) return true;
		return isCredit(kind) ? isConfirmed(h, card) : standing.state !== 'waiting';
	});
	if (answered !== undefined) return err({ kind: 'notAskable', h: answered.h });
	if (isMixed(records)) return err({ kind: 'mixed' });
	return ok({
		records,
		side: records.some(({ kind }) => isCredit(kind)) ? 'credit' : 'debit',
		sumMinor: records.reduce((sum, row) => sum + worthOf(row, records, card), 0n)
	});
}

/** A credit counts at once, so that only what was said of it tells whether it was confirmed. */
function isConfirmed(h: RecordHash, card: Card): boolean {
	return card.sayings.some(
		({ saying }) =>
			saying.h === h &&
			((saying.kind === 'verdict' && saying.result === 'ok') ||
				(saying.kind === 'reply' && saying.decision === 'accept') ||
				saying.kind === 'claimed')
	);
}

/** Several are listed by a statement, which lists what waits and nothing else. */
function isMixed(records: readonly RecordRow[]): boolean {
	const isSeveral = records.length > 1;
	return (
		new Set(records.map(currencyKey)).size > 1 ||
		(isSeveral && !records.every(({ kind }) => isDebit(kind)))
	);
}

/** One alone is what it says, as the relay will look at it; of several each is what still waits. */
function worthOf(row: RecordRow, { length }: readonly RecordRow[], { standing }: Card): bigint {
	if (length === 1) return BigInt(row.amount);
	return standing.counted.get(row.h) ?? 0n;
}

/** A statement of what was asked, and its H. */
export interface FiledStatement {
	readonly fact: RecordFact;
	readonly h: RecordHash;
}

export async function statementFact(
	{ records, sumMinor }: Asked,
	card: Card,
	{ moment, parts }: { readonly moment: Moment; readonly parts: DeviceParts }
): Promise<Result<FiledStatement, { readonly kind: 'tooMany'; readonly max: number }>> {
	const [first] = records;
	const minor = Number(sumMinor);
	if (first === undefined || !isAmount(minor))
		return err({ kind: 'tooMany', max: STATEMENT_RECORDS_MAX });
	const list = records.map(({ h }) => h).toSorted(compareRecordHashes);
	const head = moment.head(0);
	const { currency, exponent } = first;
	const record = await draftRecord(
		{
			kind: 'statement',
			ledger: card.ledger,
			minor,
			money: { currency, exponent },
			owedMinor: card.standing.sums.get(currencyKey(first))?.total ?? 0n,
			list: await statementList(list, parts.crypto)
		},
		moment,
		{ head, parts }
	);
	const fact: RecordFact = { ...head, kind: 'record', records: [record], list };
	return ok({ fact, h: await recordHash(record.signed.a, parts.crypto) });
}
