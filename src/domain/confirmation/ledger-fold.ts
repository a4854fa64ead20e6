import { present } from '../assert.ts';
import type { BusinessId, LedgerId } from '../ids.ts';
import { countedAmounts, refOf, type CountedRecord } from './counted-amounts.ts';
import { currencyKey, type CurrencyKey } from './currency-key.ts';
import type { RecordHash } from './record-hash.ts';
import { isDebit } from './record-kind.ts';
import type { ReadRecord } from './signed-record.ts';

/** A business's page for one customer. Both ids count: another shop may copy a ledger's id. */
export interface LedgerScope {
	readonly businessId: BusinessId;
	readonly ledgerId: LedgerId;
}

/** What a ledger needs to know of a record. */
export interface LedgerRecord extends LedgerScope, CountedRecord {
	readonly currency: string;
	readonly exponent: number;
}

/**
 * What was said of a record later. `confirmed`: the relay's verdict on a code or rule was ok, or a
 * reversal of a credit needed nobody. `cancelled`: the customer says no, in time to dispute.
 * `dropped`: the customer signed that it is right, which stands for good.
 */
export interface LedgerEvent {
	readonly kind: 'confirmed' | 'cancelled' | 'dropped';
	readonly h: RecordHash;
}

export interface LedgerFacts {
	readonly records: Iterable<LedgerRecord>;
	readonly events: Iterable<LedgerEvent>;
}

/** The sums of one ledger in one currency, in minor units. Letters are those of confirmation.md section 7. */
export interface LedgerSums {
	/** C: confirmed debits, less what reverses them. */
	readonly confirmed: bigint;
	/** W: debits that wait for the customer, less what reverses them. */
	readonly waiting: bigint;
	/** P: all credits but those that name a disputed debit. */
	readonly credited: bigint;
	/** D: disputed debits, less what reverses them and the credits that name them. */
	readonly disputed: bigint;
	/** T = C + W − P, the one big number: above zero the customer owes, below he paid in advance. */
	readonly total: bigint;
	readonly advance: bigint;
	readonly agreed: bigint;
	readonly notYetAgreed: bigint;
}

type Standing = 'confirmed' | 'waiting' | 'disputed';

/**
 * What the records and events of `scope` come to, by currency. The same for every order and
 * repetition of the same facts; records of another ledger are not looked at.
 */
export function foldLedger(
	scope: LedgerScope,
	{ records, events }: LedgerFacts
): ReadonlyMap<CurrencyKey, LedgerSums> {
	const standingOf = standings(events);
	const sumsByCurrency = new Map<CurrencyKey, LedgerSums>();
	for (const [key, ofCurrency] of byCurrency(scope, records)) {
		sumsByCurrency.set(key, sumsOf(ofCurrency, standingOf));
	}
	return sumsByCurrency;
}

/** What the fold needs of a record that was read. */
export function ledgerRecord({ core, rest, h }: Omit<ReadRecord, 'kid'>): LedgerRecord {
	const { businessId, ledgerId, kind, currency, exponent, amount, occurredAt } = core;
	const of = { businessId, ledgerId, h, kind, currency, exponent, amount, occurredAt };
	return rest.ref === undefined ? of : { ...of, ref: rest.ref };
}

/** The customer's signature stands beside any cancel; a cancel stands beside any code. */
function standings(events: Iterable<LedgerEvent>): (h: RecordHash) => Standing {
	const hashes = { confirmed: new Set(), cancelled: new Set(), dropped: new Set() };
	for (const { kind, h } of events) hashes[kind].add(h);
	return (h) => {
		if (hashes.dropped.has(h)) return 'confirmed';
		if (hashes.cancelled.has(h)) return 'disputed';
		return hashes.confirmed.has(h) ? 'confirmed' : 'waiting';
	};
}

/** Each H once, with the currencies in one order whatever came first. */
function byCurrency(
	scope: LedgerScope,
	records: Iterable<LedgerRecord>
): readonly (readonly [CurrencyKey, readonly LedgerRecord[]])[] {
	const ofCurrency = new Map<CurrencyKey, Map<RecordHash, LedgerRecord>>();
	for (const record of records) {
		if (record.businessId !== scope.businessId || record.ledgerId !== scope.ledgerId) continue;
		const key = currencyKey(record);
		const distinct = ofCurrency.get(key) ?? new Map<RecordHash, LedgerRecord>();
		ofCurrency.set(key, distinct.set(record.h, record));
	}
	return Array.from(ofCurrency.keys())
		.sort()
		.map((key) => [key, Array.from(present(ofCurrency.get(key), 'a key of it').values())]);
}

function sumsOf(
	records: readonly LedgerRecord[],
	standingOf: (h: RecordHash) => Standing
): LedgerSums {
	const countedByHash = countedAmounts(records);
	const sums = { confirmed: 0n, waiting: 0n, disputed: 0n, credited: 0n };
	for (const record of records) {
		const counted = countedByHash.get(record.h) ?? 0n;
		const ref = refOf(record);
		if (isDebit(record.kind)) sums[standingOf(record.h)] += counted;
		else if (ref !== undefined && standingOf(ref) === 'disputed') sums.disputed -= counted;
		else sums.credited += counted;
	}
	return withTotals(sums);
}

/** Sums of several cards of one person, each folded for itself. */
export function addSums(all: readonly LedgerSums[]): LedgerSums {
	const sum = (of: (sums: LedgerSums) => bigint): bigint =>
		all.reduce((so, sums) => so + of(sums), 0n);
	return withTotals({
		confirmed: sum(({ confirmed }) => confirmed),
		waiting: sum(({ waiting }) => waiting),
		credited: sum(({ credited }) => credited),
		disputed: sum(({ disputed }) => disputed)
	});
}

function withTotals(
	sums: Pick<LedgerSums, 'confirmed' | 'waiting' | 'disputed' | 'credited'>
): LedgerSums {
	const { confirmed, waiting, credited } = sums;
	const total = confirmed + waiting - credited;
	const agreed = greater(0n, confirmed - credited);
	return {
		...sums,
		total,
		advance: greater(0n, -total),
		agreed,
		notYetAgreed: total > 0n ? total - agreed : waiting
	};
}

function greater(a: bigint, b: bigint): bigint {
	return a > b ? a : b;
}
