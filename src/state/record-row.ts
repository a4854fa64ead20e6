import type { CryptoParts } from '#domain/crypto.ts';
import { readRecord, type ReadRecord } from '#domain/confirmation/signed-record.ts';
import type { StandingRecord } from '#domain/confirmation/standing.ts';
import { effectsOf } from '#domain/fact/effects.ts';
import type { Fact } from '#domain/fact/fact.ts';
import { recordMore } from '#domain/fact/record-more.ts';
import type { BusinessId } from '#domain/ids.ts';
import type { RecordRow } from '#storage/device-store.ts';

/**
 * The rows of the records that a fact carries; undefined where one of them is not whole, so that
 * the fact counts nowhere. Hashing waits, so it is done before a transaction, never inside one.
 */
export async function recordRowsOf(
	fact: Fact,
	crypto: CryptoParts
): Promise<readonly RecordRow[] | undefined> {
	const rows: RecordRow[] = [];
	const { records, list } = effectsOf(fact);
	for (const { signed } of records) {
		const read = await readRecord(signed, crypto);
		if (!read.ok) return undefined;
		const row = recordRow(read.value, fact);
		rows.push(row.kind === 'statement' && list.length > 0 ? { ...row, list } : row);
	}
	return rows;
}

function recordRow({ core, rest, h }: ReadRecord, fact: Fact): RecordRow {
	return {
		h,
		ledger: core.ledgerId,
		factId: fact.id,
		kind: core.kind,
		amount: core.amount,
		currency: core.currency,
		exponent: core.exponent,
		at: core.occurredAt,
		on: rest.on,
		record: core.recordId,
		...(rest.ref !== undefined && { ref: rest.ref }),
		...(rest.note !== undefined && { note: rest.note }),
		...(rest.due !== undefined && { dueAt: rest.due }),
		...(rest.rc !== undefined && { receipt: rest.rc }),
		...recordMore(rest, fact)
	};
}

/** What the ledger's folds need of a row. */
export function standingRecordOf(row: RecordRow, businessId: BusinessId): StandingRecord {
	const { h, kind, currency, exponent, amount, ref, list } = row;
	return {
		businessId,
		ledgerId: row.ledger,
		h,
		kind,
		currency,
		exponent,
		amount,
		occurredAt: row.at,
		recordId: row.record,
		...(ref !== undefined && { ref }),
		...(list !== undefined && { list })
	};
}
