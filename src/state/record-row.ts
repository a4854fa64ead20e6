import type { CryptoParts } from '#domain/crypto.ts';
import { readRecord, type ReadRecord } from '#domain/confirmation/signed-record.ts';
import type { LedgerRecord } from '#domain/confirmation/ledger-fold.ts';
import { effectsOf } from '#domain/fact/effects.ts';
import type { Fact } from '#domain/fact/fact.ts';
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
	for (const { signed } of effectsOf(fact).records) {
		const read = await readRecord(signed, crypto);
		if (!read.ok) return undefined;
		rows.push(recordRow(read.value, fact));
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
		...(rest.rc !== undefined && { receipt: rest.rc })
	};
}

/** What the ledger's fold needs of a row. */
export function ledgerRecordOf(row: RecordRow, businessId: BusinessId): LedgerRecord {
	const { h, kind, currency, exponent, amount, ref } = row;
	return {
		businessId,
		ledgerId: row.ledger,
		h,
		kind,
		currency,
		exponent,
		amount,
		occurredAt: row.at,
		...(ref !== undefined && { ref })
	};
}
