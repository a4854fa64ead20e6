import { currencyKey } from '#domain/confirmation/currency-key.ts';
import type { CountedRecord } from '#domain/confirmation/counted-amounts.ts';
import type { LedgerEvent } from '#domain/confirmation/ledger-fold.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { groupBy } from '#domain/group-by.ts';
import { movesOf } from '#domain/person/moves.ts';
import type { RecordRow } from '#storage/device-store.ts';
import type { Card } from './tally.ts';

/**
 * What each record moves the big number by, minor units, by the customer's own fold: his statement and
 * the shop's say the same of every day.
 */
export function effectsOf({ records, standing }: Card): ReadonlyMap<RecordHash, bigint> {
	const events = [...standing.disputed].map((h): LedgerEvent => ({ kind: 'cancelled', h }));
	const groups = groupBy([...records], currencyKey);
	return new Map(
		[...groups.values()].flatMap((of) => [...movesOf(of.map(countedRecord), events).effectByHash])
	);
}

function countedRecord({ h, kind, amount, at, ref }: RecordRow): CountedRecord {
	return { h, kind, amount, occurredAt: at, ...(ref !== undefined && { ref }) };
}
