import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import type { LedgerId } from '#domain/ids.ts';
import type { TryRow } from '#storage/device-store.ts';
import type { TriesLeft } from './ledger-views.ts';

/** Codes that do not fit: so many may be typed for a record, and for a customer a day. */
const TRIES_OF_RECORD_MAX = 3;
const TRIES_OF_DAY_MAX = 10;

/** The tries of several records are those of the one that had most. */
export function leftOfTries(
	row: TryRow | undefined,
	hs: readonly RecordHash[],
	today: string
): TriesLeft {
	const ofRecord = Math.max(0, ...hs.map((h) => row?.countByHash[h] ?? 0));
	const ofDay = row?.on === today ? row.count : 0;
	return {
		ofRecord: Math.max(0, TRIES_OF_RECORD_MAX - ofRecord),
		ofDay: Math.max(0, TRIES_OF_DAY_MAX - ofDay)
	};
}

/** One more code that did not fit. Tries of records stay; those of the day begin anew each day. */
export function oneMoreTry(
	row: TryRow | undefined,
	hs: readonly RecordHash[],
	{ ledger, today }: { readonly ledger: LedgerId; readonly today: string }
): TryRow {
	const counts = Object.fromEntries(hs.map((h) => [h, (row?.countByHash[h] ?? 0) + 1]));
	return {
		ledger,
		on: today,
		count: (row?.on === today ? row.count : 0) + 1,
		countByHash: { ...row?.countByHash, ...counts }
	};
}
