import { countedAmounts } from '#domain/confirmation/counted-amounts.ts';
import { currencyKey, type CurrencyKey } from '#domain/confirmation/currency-key.ts';
import { foldLedger, type LedgerSums } from '#domain/confirmation/ledger-fold.ts';
import type { RecordHash } from '#domain/confirmation/record-hash.ts';
import { ledgerEvents, type StandingFacts } from '#domain/confirmation/standing.ts';
import type { BusinessId, LedgerId } from '#domain/ids.ts';
import { groupBy } from '#domain/group-by.ts';
import { linkSpans, type LinkChange } from '#domain/ledger/link-spans.ts';
import type { LinkChangeRow, LinkRow, RecordRow, SayingRow } from '#storage/device-store.ts';
import { standingRecordOf } from './record-row.ts';

/** All that is kept of one ledger's records. */
export interface LedgerRows {
	readonly ledger: LedgerId;
	readonly records: readonly RecordRow[];
	/** Of its records, whatever ledger they name. */
	readonly sayings: readonly SayingRow[];
	readonly link: LinkRow | undefined;
}

/** What a ledger comes to by the rules of confirmation.md section 7. */
export interface LedgerStanding {
	readonly sums: ReadonlyMap<CurrencyKey, LedgerSums>;
	/** What each record counts, minor units; missing is nothing. */
	readonly counted: ReadonlyMap<RecordHash, bigint>;
	readonly confirmed: ReadonlySet<RecordHash>;
	readonly disputed: ReadonlySet<RecordHash>;
}

export function standingFactsOf(
	{ records, sayings, link }: LedgerRows,
	business: BusinessId
): StandingFacts {
	return {
		records: records.map((row) => standingRecordOf(row, business)),
		sayings: sayings.map(({ saying }) => saying),
		spans: linkSpans((link?.history ?? []).map(linkChangeOf))
	};
}

export function standingOf(rows: LedgerRows, business: BusinessId): LedgerStanding {
	const facts = standingFactsOf(rows, business);
	const events = ledgerEvents(facts);
	const scope = { businessId: business, ledgerId: rows.ledger };
	const sums = foldLedger(scope, { records: facts.records, events });
	const byCurrency = groupBy([...facts.records], currencyKey);
	const counted = new Map([...byCurrency.values()].flatMap((of) => [...countedAmounts(of)]));
	const accepted = new Set(events.flatMap(({ kind, h }) => (kind === 'dropped' ? [h] : [])));
	const disputed = new Set(
		events.flatMap(({ kind, h }) => (kind === 'cancelled' && !accepted.has(h) ? [h] : []))
	);
	const confirmed = new Set(
		events.flatMap(({ kind, h }) => (kind !== 'cancelled' && !disputed.has(h) ? [h] : []))
	);
	return { sums, counted, confirmed, disputed };
}

function linkChangeOf({ id, wall, counter, ...fields }: LinkChangeRow): LinkChange {
	return { id, at: { wall, counter }, fields };
}
